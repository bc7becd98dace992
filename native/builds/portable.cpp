// The kernels for portable: whatever the compiler takes for granted.
#define DELTAPROP_ISA portable
#include "builds/make.hpp"
#include "builds/make_bfloat16.hpp"
