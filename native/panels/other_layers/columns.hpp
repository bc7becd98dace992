// Layers that work on each column by itself: scaling, and activations with a learnt bend.
//
// Their parameters lie as panels do, so a record is a panel. On the way back delta, which nobody needs
// any more, becomes what a row adds to the gradient.
#pragma once

#include "panels/passes.hpp"

namespace deltaprop::DELTAPROP_ISA {

// z and dz/da of a vector, and dz by the column's parameter.
template <class T> struct Bent {
    Vec<T> z, by_a, by_w;
};

struct Scaled {  // z = a s
    template <class T> static DELTAPROP_INLINE Bent<T> at(Vec<T> a, Vec<T> s) { return {a * s, s, a}; }
};
template <Activation F> struct Mixed {  // z = a + alpha (f(a) - a)
    template <class T> static DELTAPROP_INLINE Bent<T> at(Vec<T> a, Vec<T> alpha) {
        const Pair<T> f = activate<T, F>(a);
        const Vec<T> more = f.a - a;
        return {a + alpha * more, alpha * (f.slope - T(1)) + T(1), more};
    }
};

// n rows of `in` to z, in panels of `stride` rows, by one of the maps above.
template <class Map, class C, class T = typename C::Number>
void forward_columns(const Layer<C>& layer, const T* in, std::ptrdiff_t stride, std::ptrdiff_t n, T* out) {
    constexpr int P = kPanel<T>, L = kLanes<T>;
    for (std::ptrdiff_t j = 0; j < panels<T>(layer.n_in); ++j)
        for (int v = 0; v < (layer.is_half(j) ? L : P); v += L) {
            const Vec<T> w = load<T>(layer.W.get() + j * P + v);
            for (std::ptrdiff_t i = j * stride * P + v; i < (j * stride + n) * P; i += P)
                store<T>(out + i, Map::template at<T>(load<T>(in + i), w).z);
        }
}

// The way back for n rows; `upstream`, where it is not null, takes dL/da.
template <class Map, class C, class T = typename C::Number>
void backward_columns(const Layer<C>& layer, const T* in, std::ptrdiff_t stride, std::ptrdiff_t n, T* delta,
                      T* upstream) {
    constexpr int P = kPanel<T>, L = kLanes<T>;
    for (std::ptrdiff_t j = 0; j < panels<T>(layer.n_in); ++j)
        for (int v = 0; v < (layer.is_half(j) ? L : P); v += L) {
            const Vec<T> w = load<T>(layer.W.get() + j * P + v);
            for (std::ptrdiff_t i = j * stride * P + v; i < (j * stride + n) * P; i += P) {
                const Bent<T> y = Map::template at<T>(load<T>(in + i), w);
                const Vec<T> d = load<T>(delta + i);
                if (upstream) store<T>(upstream + i, d * y.by_a);
                store<T>(delta + i, d * y.by_w);
            }
        }
}

// The gradient of a record over `rows` rows of the batch.
template <class C, class T = typename C::Number>
void gradient_of_columns(const Layer<C>& layer, std::ptrdiff_t record, std::ptrdiff_t stride, std::ptrdiff_t rows) {
    constexpr int P = kPanel<T>, L = kLanes<T>;
    for (int v = 0; v < P; v += L)
        store<T>(layer.gradient.get() + record * P + v,
                 sum_of_rows<T>(layer.delta.get() + record * stride * P + v, rows));
}

}  // namespace deltaprop::DELTAPROP_ISA
