// The kernels for avx2.
#define DELTAPROP_ISA avx2
#include "make.hpp"
#include "make_bfloat16.hpp"
