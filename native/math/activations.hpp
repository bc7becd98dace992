// a = f(z) and f'(z) of a tile of rows and one panel, while it is still in the cache.
#pragma once

#include "plan.hpp"
#include "math/vector_math.hpp"

namespace deltaprop::DELTAPROP_ISA {

template <class T> struct Pair {
    Vec<T> a, slope;
};

template <class T> inline constexpr T kSelu[2] = {T(1.0507009873554804934), T(1.6732632423543772848)};  // scale, alpha

template <class T, Activation F> DELTAPROP_INLINE Pair<T> activate(Vec<T> z) {
    const Vec<T> zero = splat<T>(0), one = splat<T>(1);
    if constexpr (F == Activation::identity) {
        return {z, one};
    } else if constexpr (F == Activation::relu) {
        return {z > 0 ? z : (z == z ? zero : z), z > 0 ? one : zero};
    } else if constexpr (F == Activation::leaky_relu) {
        return {z > 0 ? z : z * T(0.01), z > 0 ? one : splat<T>(T(0.01))};
    } else if constexpr (F == Activation::sigmoid) {
        const Vec<T> a = sigmoid<T>(z);
        return {a, a * (one - a)};
    } else if constexpr (F == Activation::tanh) {
        const Vec<T> a = tanh<T>(z);
        return {a, one - a * a};
    } else if constexpr (F == Activation::softsign) {
        const Vec<T> by = one / (abs<T>(z) + one);
        return {z * by, by * by};
    } else if constexpr (F == Activation::elu) {
        const Vec<T> below = expm1_of_negative<T>(z < 0 ? z : zero);
        return {z > 0 ? z : below, z > 0 ? one : below + one};
    } else if constexpr (F == Activation::selu) {
        const T scale = kSelu<T>[0], alpha = kSelu<T>[1];
        const Vec<T> below = (scale * alpha) * expm1_of_negative<T>(z < 0 ? z : zero);
        return {z > 0 ? scale * z : below, z > 0 ? splat<T>(scale) : below + scale * alpha};
    } else if constexpr (F == Activation::silu) {
        const Vec<T> s = sigmoid<T>(z), a = z * s;
        return {a, s + a * (one - s)};
    } else if constexpr (F == Activation::softplus) {
        return {softplus<T>(z), sigmoid<T>(z)};
    } else if constexpr (F == Activation::gelu) {
        const Normal<T> n = normal(z);
        return {z * n.distribution, n.distribution + z * n.density};
    } else {
        static_assert(F == Activation::mish);
        // tanh(log(1 + e)) = u / (u + 2) with e = exp(z) and u = e (e + 2); from z = 20 on it rounds to 1
        const Vec<T> below = z > 20 ? splat<T>(20) : z, e = exp<T>(below), u = e * (e + T(2)), q = one / (u + T(2));
        const Vec<T> t = u * q;
        return {z * t, t + T(4) * below * (e * (e + one) * q) * q};
    }
}

// f'(z) from a alone: void unless an activation is named here, and then f'(z) is kept for the way back.
template <class T, Activation F> DELTAPROP_INLINE auto slope_of([[maybe_unused]] Vec<T> a) {
    [[maybe_unused]] const Vec<T> zero = splat<T>(0), one = splat<T>(1);
    if constexpr (F == Activation::identity) return one;
    else if constexpr (F == Activation::relu) return a > 0 ? one : zero;
    else if constexpr (F == Activation::leaky_relu) return a > 0 ? one : splat<T>(T(0.01));
    else if constexpr (F == Activation::sigmoid) return a * (one - a);
    else if constexpr (F == Activation::tanh) return one - a * a;
    else if constexpr (F == Activation::elu) return a > 0 ? one : a + one;
    else if constexpr (F == Activation::selu) {
        return a > 0 ? splat<T>(kSelu<T>[0]) : a + kSelu<T>[0] * kSelu<T>[1];
    } else if constexpr (F == Activation::softplus) return -expm1_of_negative<T>(-a);
}
template <Activation F> concept SlopeFromValue = requires(Vec<float> a) { a * slope_of<float, F>(a); };

// Returns work.operator()<F>() of the activation f.
template <class Work> DELTAPROP_INLINE auto with_activation(Activation f, Work work) {
    switch (f) {
#define DELTAPROP_ACTIVATION(name) \
    case Activation::name: return work.template operator()<Activation::name>();
#include "names.def"
    }
    __builtin_unreachable();
}

inline bool slope_from_value(Activation f) {
    return with_activation(f, []<Activation F>() { return SlopeFromValue<F>; });
}

// Adds the bias, and puts a in place of z; `slopes`, where it is not null, takes f'(z).
template <class T>
DELTAPROP_APART void activate_tile(Activation f, int rows, int vectors, T* z, const T* bias, T* slopes) {
    constexpr int P = kPanel<T>, L = kLanes<T>;
    with_activation(f, [&]<Activation F>() {
        for (int v = 0; v < vectors; ++v) {
            const Vec<T> b = bias ? load<T>(bias + v * L) : Vec<T>{};
            for (int r = 0; r < rows; ++r) {
                const Pair<T> y = activate<T, F>(load<T>(z + r * P + v * L) + b);
                store<T>(z + r * P + v * L, y.a);
                if (slopes) store<T>(slopes + r * P + v * L, y.slope);
            }
        }
    });
}

// Whether f(0) is not 0.
template <class T> bool lifts_zero(Activation f) {
    T z[kLanes<T>] = {};
    activate_tile<T>(f, 1, 1, z, nullptr, nullptr);
    return z[0] != 0;
}

// delta = upstream f'(z), from a.
template <class T> DELTAPROP_APART void slope_tile(Activation f, int rows, std::ptrdiff_t vectors, T* delta, const T* a) {
    constexpr int P = kPanel<T>, L = kLanes<T>;
    with_activation(f, [&]<Activation F>() {
        if constexpr (SlopeFromValue<F>)
            for (int r = 0; r < rows; ++r)
                for (std::ptrdiff_t v = 0; v < vectors; ++v) {
                    const std::ptrdiff_t at = r * P + v * L;
                    store<T>(delta + at, load<T>(delta + at) * slope_of<T, F>(load<T>(a + at)));
                }
    });
}

// a and f'(z) for n vectors one after another, whose bias has been added.
template <class T> DELTAPROP_APART void activate_vectors(Activation f, std::ptrdiff_t n, T* z, T* slopes) {
    constexpr int L = kLanes<T>;
    with_activation(f, [&]<Activation F>() {
        for (std::ptrdiff_t i = 0; i < n * L; i += L) {
            const Pair<T> y = activate<T, F>(load<T>(z + i));
            store<T>(z + i, y.a);
            if (slopes) store<T>(slopes + i, y.slope);
        }
    });
}
template <class T> inline void multiply_vectors(std::ptrdiff_t n, T* delta, const T* slopes) {
    constexpr int L = kLanes<T>;
    for (std::ptrdiff_t i = 0; i < n * L; i += L) store<T>(delta + i, load<T>(delta + i) * load<T>(slopes + i));
}

}  // namespace deltaprop::DELTAPROP_ISA
