// The kernels that take batches in panels, for portable.
#define DELTAPROP_ISA portable
#include "make_panels.hpp"
