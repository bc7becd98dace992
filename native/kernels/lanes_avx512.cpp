// The kernels that take rows in the lanes of vectors, for avx512.
#define DELTAPROP_ISA avx512
#include "make_lanes.hpp"
