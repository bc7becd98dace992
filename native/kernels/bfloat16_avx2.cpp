// The kernels of bfloat16 products for avx2.
#define DELTAPROP_ISA avx2
#include "make_bfloat16.hpp"
