// The kernels that take batches in panels, for avx512.
#define DELTAPROP_ISA avx512
#include "make_panels.hpp"
