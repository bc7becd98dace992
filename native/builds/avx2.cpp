// The kernels for avx2.
#define DELTAPROP_ISA avx2
#include "builds/make.hpp"
#include "builds/make_bfloat16.hpp"
