// The kernels of bfloat16 products for portable.
#define DELTAPROP_ISA portable
#include "make_bfloat16.hpp"
