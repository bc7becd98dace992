// The kernels of bfloat16 products for avx512, where there is an instruction for them.
#define DELTAPROP_ISA avx512bf16
#include "builds/make_bfloat16.hpp"
