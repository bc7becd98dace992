// What the kernels find out of each activation by themselves, for tests/native/test_newcomers.py.
#define DELTAPROP_ISA tested
#include "math/activations.hpp"

using namespace deltaprop;

extern "C" bool slope_is_told(int f) { return tested::slope_from_value(static_cast<Activation>(f)); }
extern "C" bool zero_is_lifted(int f) { return tested::lifts_zero<float>(static_cast<Activation>(f)); }
