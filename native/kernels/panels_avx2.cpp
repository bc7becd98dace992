// The kernels that take batches in panels, for avx2.
#define DELTAPROP_ISA avx2
#include "make_panels.hpp"
