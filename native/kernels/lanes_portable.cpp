// The kernels that take rows in the lanes of vectors, for portable.
#define DELTAPROP_ISA portable
#include "make_lanes.hpp"
