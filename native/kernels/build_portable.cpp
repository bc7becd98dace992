// The kernels for portable.
#define DELTAPROP_ISA portable
#include "make.hpp"
