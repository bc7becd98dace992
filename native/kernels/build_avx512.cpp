// The kernels for avx512.
#define DELTAPROP_ISA avx512
#include "make.hpp"
