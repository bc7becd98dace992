// The kernels that take rows in the lanes of vectors, for avx2.
#define DELTAPROP_ISA avx2
#include "make_lanes.hpp"
