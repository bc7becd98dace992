// Calls the functions of math/vector_math.hpp on arrays, for tests/native/test_vector_math.py.
#define DELTAPROP_ISA tested
#include "math/vector_math.hpp"

using namespace deltaprop::tested;

template <class T, class F> static void each_vector(const T* x, T* y, long n, F f) {
    for (long i = 0; i < n; i += kLanes<T>) store<T>(y + i, f(load<T>(x + i)));
}

template <class T> static void evaluate(int function, const T* x, T* y, long n) {
    using V = Vec<T>;
    switch (function) {
        case 0: return each_vector(x, y, n, [](V v) { return exp<T>(v); });
        case 1: return each_vector(x, y, n, [](V v) { return expm1_of_negative<T>(v); });
        case 2: return each_vector(x, y, n, [](V v) { return log1p_of_share(v); });
        case 3: return each_vector(x, y, n, [](V v) { return log(v); });
        case 4: return each_vector(x, y, n, [](V v) { return tanh<T>(v); });
        case 5: return each_vector(x, y, n, [](V v) { return sigmoid<T>(v); });
        case 6: return each_vector(x, y, n, [](V v) { return softplus<T>(v); });
        case 7: return each_vector(x, y, n, [](V v) { return normal(v).distribution; });
        case 8: return each_vector(x, y, n, [](V v) { return normal(v).density; });
    }
}

// n is a multiple of 16
extern "C" void in_float(int function, const float* x, float* y, long n) { evaluate(function, x, y, n); }
extern "C" void in_double(int function, const double* x, double* y, long n) { evaluate(function, x, y, n); }
