// The kernels for avx512, but for those of bfloat16: avx512bf16.cpp.
#define DELTAPROP_ISA avx512
#include "builds/make.hpp"
