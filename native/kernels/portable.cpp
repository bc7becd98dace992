// The kernels for portable: whatever the compiler takes for granted.
#define DELTAPROP_ISA portable
#include "make.hpp"
#include "make_bfloat16.hpp"
