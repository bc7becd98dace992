// The kernels of bfloat16 products for avx512.
#define DELTAPROP_ISA avx512bf16
#include "make_bfloat16.hpp"
