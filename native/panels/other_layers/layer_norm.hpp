// Layer normalization: z_j = g_j (a_j - mean(a)) / sqrt(mean((a - mean(a))^2) + epsilon) + b_j, of every row
// by itself, then f of it.
//
// A record is a panel of g and of b. The way back leaves mean and 1 / deviation of each row in layer.columns.
#pragma once

#include "panels/passes.hpp"

namespace deltaprop::DELTAPROP_ISA {

// each(k, at, left) for the vectors of a row that lies in panels: its first column, where that stands, and how
// many columns are left from there on; what is past them is padding.
template <class T, class Each> DELTAPROP_INLINE void each_vector(std::ptrdiff_t columns, std::ptrdiff_t stride, Each each) {
    constexpr std::ptrdiff_t P = kPanel<T>;
    for (std::ptrdiff_t k = 0; k < panels<T>(columns) * P; k += kLanes<T>)
        each(k, k / P * stride * P + k % P, static_cast<int>(std::min<std::ptrdiff_t>(columns - k, kLanes<T>)));
}

template <class T> struct Norm {
    T mean, by;  // by: 1 / deviation

    Vec<T> of(Vec<T> a) const { return (a - mean) * by; }
};

template <class C, class T = typename C::Number>
DELTAPROP_APART Norm<T> norm_of(const Layer<C>& layer, const T* row, std::ptrdiff_t stride) {
    const T n = static_cast<T>(layer.n_in);
    Vec<T> total{}, squares{};
    each_vector<T>(layer.n_in, stride, [&](std::ptrdiff_t, std::ptrdiff_t at, int left) { total += first_lanes<T>(left, load<T>(row + at)); });
    const T mean = sum<T>(total) / n;
    each_vector<T>(layer.n_in, stride, [&](std::ptrdiff_t, std::ptrdiff_t at, int left) {
        const Vec<T> centred = first_lanes<T>(left, load<T>(row + at) - mean);
        squares += centred * centred;
    });
    return {mean, T(1) / std::sqrt(sum<T>(squares) / n + static_cast<T>(layer.plan->epsilon))};
}

// Where g stands in the records, from column k on; b stands a panel behind.
template <class C> DELTAPROP_INLINE const typename C::Number* gain_at(const Layer<C>& layer, std::ptrdiff_t k) {
    constexpr std::ptrdiff_t P = kPanel<typename C::Number>;
    return layer.W.get() + k / P * layer.records.size + k % P;
}

// a = f(z) for n rows of `in`; `slope`, where it is not null, takes f'(z).
template <class C>
void forward_layer_norm(const Layer<C>& layer, const typename C::Number* in, std::ptrdiff_t stride, std::ptrdiff_t n,
                        typename C::Number* out, typename C::Number* slope) {
    using T = typename C::Number;
    constexpr std::ptrdiff_t P = kPanel<T>;
    for (std::ptrdiff_t r = 0; r < n; ++r, in += P) {
        const Norm<T> norm = norm_of(layer, in, stride);
        each_vector<T>(layer.n_in, stride, [&](std::ptrdiff_t k, std::ptrdiff_t at, int left) {
            store<T>(out + r * P + at, first_lanes<T>(left, norm.of(load<T>(in + at)) * load<T>(gain_at(layer, k))));
        });
    }
    for (std::ptrdiff_t j = 0; j < panels<T>(layer.n_in); ++j) {
        const std::ptrdiff_t at = j * stride * P;
        activate_tile<T>(layer.activation, static_cast<int>(n), 2, out + at, gain_at(layer, j * P) + P, slope ? slope + at : nullptr);
    }
    clear_padding(layer, stride, n, out);
}

// The way back for n rows from row r0 of the batch on; `upstream`, where it is not null, takes dL/da.
template <class C>
void backward_layer_norm(const Layer<C>& layer, std::ptrdiff_t stride, std::ptrdiff_t r0, std::ptrdiff_t n,
                         typename C::Number* upstream) {
    using T = typename C::Number;
    constexpr std::ptrdiff_t P = kPanel<T>;
    const T share = T(1) / static_cast<T>(layer.n_in);
    for (std::ptrdiff_t r = r0; r < r0 + n; ++r) {
        const T *in = layer.in.get() + r * P, *delta = layer.delta.get() + r * P;
        const Norm<T> norm = norm_of(layer, in, stride);
        layer.columns[2 * r] = norm.mean;
        layer.columns[2 * r + 1] = norm.by;
        if (!upstream) continue;
        Vec<T> sums{}, along{};
        const auto by_normal = [&](std::ptrdiff_t k, std::ptrdiff_t at, int left) {
            return first_lanes<T>(left, load<T>(delta + at) * load<T>(gain_at(layer, k)));
        };
        each_vector<T>(layer.n_in, stride, [&](std::ptrdiff_t k, std::ptrdiff_t at, int left) {
            const Vec<T> d = by_normal(k, at, left);
            sums += d;
            along += d * norm.of(load<T>(in + at));
        });
        const T mean = sum<T>(sums) * share, part = sum<T>(along) * share;
        each_vector<T>(layer.n_in, stride, [&](std::ptrdiff_t k, std::ptrdiff_t at, int left) {
            const Vec<T> below = (by_normal(k, at, left) - mean - norm.of(load<T>(in + at)) * part) * norm.by;
            store<T>(upstream + (r - r0) * P + at, first_lanes<T>(left, below));
        });
    }
}

// The gradient of a panel of g and b over `rows` rows of the batch.
template <class C>
void gradient_of_layer_norm(const Layer<C>& layer, std::ptrdiff_t panel, std::ptrdiff_t stride, std::ptrdiff_t rows) {
    using T = typename C::Number;
    constexpr std::ptrdiff_t P = kPanel<T>, L = kLanes<T>;
    T* gradient = layer.gradient.get() + panel * layer.records.size;
    for (std::ptrdiff_t v = panel * stride * P; v < panel * stride * P + P; v += L, gradient += L) {
        Vec<T> parts[4] = {};  // four sums at once: one would wait for itself
        for (std::ptrdiff_t r = 0; r < rows; ++r) {
            const Norm<T> norm{layer.columns[2 * r], layer.columns[2 * r + 1]};
            parts[r % 4] += load<T>(layer.delta.get() + v + r * P) * norm.of(load<T>(layer.in.get() + v + r * P));
        }
        const std::ptrdiff_t k = panel * P + (v - panel * stride * P);
        const int left = static_cast<int>(std::min<std::ptrdiff_t>(layer.n_in - k, L));
        store<T>(gradient, first_lanes<T>(left, (parts[0] + parts[1]) + (parts[2] + parts[3])));
        store<T>(gradient + P, sum_of_rows<T>(layer.delta.get() + v, rows));
    }
}

}  // namespace deltaprop::DELTAPROP_ISA
