// Category embeddings: a group of one-hot columns becomes the row of E of its category.
//
// Most of what is read is 0, and nothing is done for a 0. A record is a row of E.
#pragma once

#include "panels/passes.hpp"
#include "panels/transpose.hpp"

namespace deltaprop::DELTAPROP_ISA {

// Columns of a layer that pass unchanged.
inline std::ptrdiff_t passed(const LayerPlan& plan) { return plan.n_out - plan.n_groups * plan.dimension; }

// Numbers that a thread needs room for: a row in, a row out, the numbers of a group.
template <class T> std::ptrdiff_t category_room(const LayerPlan& plan) {
    return (panels<T>(plan.n_in) + panels<T>(plan.n_out) + panels<T>(plan.dimension)) * kPanel<T>;
}

// One row of panels, its numbers side by side, and back.
template <class T> void copy_out(const T* panel, std::ptrdiff_t stride, std::ptrdiff_t columns, T* row) {
    constexpr int P = kPanel<T>;
    for (std::ptrdiff_t j = 0; j < panels<T>(columns); ++j) copy(panel + j * stride * P, P, row + j * P);
}
template <class T> void copy_in(const T* row, std::ptrdiff_t columns, T* panel, std::ptrdiff_t stride) {
    constexpr int P = kPanel<T>;
    for (std::ptrdiff_t j = 0; j < panels<T>(columns); ++j) copy(row + j * P, P, panel + j * stride * P);
}

// each(i, x) for the numbers that are not 0 of n.
template <class T, class Each> DELTAPROP_INLINE void each_number_but_0(const T* from, std::ptrdiff_t n, Each each) {
    constexpr int L = kLanes<T>;
    for (std::ptrdiff_t i = 0; i < n;) {
        if (n - i >= L && !any<T>(load<T>(from + i) != T(0))) {
            i += L;
            continue;
        }
        for (const std::ptrdiff_t end = std::min<std::ptrdiff_t>(i + L, n); i < end; ++i)
            if (from[i] != T(0)) each(i, from[i]);
    }
}

// z for n rows of `in`.
template <class C>
void forward_categories(const Layer<C>& layer, const typename C::Number* in, std::ptrdiff_t stride, std::ptrdiff_t n,
                        typename C::Number* out, typename C::Number* room) {
    using T = typename C::Number;
    constexpr int P = kPanel<T>, L = kLanes<T>;
    const LayerPlan& plan = *layer.plan;
    const std::ptrdiff_t first = passed(plan), size = layer.records.size;
    T *a = room, *z = a + panels<T>(layer.n_in) * P, *sums = z + panels<T>(layer.n_out) * P;
    fill(z, panels<T>(layer.n_out) * P, T(0));  // what pads a row is 0
    for (std::ptrdiff_t r = 0; r < n; ++r) {
        copy_out(in + r * P, stride, layer.n_in, a);
        copy(a, first, z);
        const T *from = a + first, *E = layer.W.get();
        T* to = z + first;
        for (std::ptrdiff_t g = 0; g < plan.n_groups; ++g, to += plan.dimension) {
            fill(sums, size, T(0));
            each_number_but_0(from, plan.group_sizes[g], [&](std::ptrdiff_t i, T x) {
                for (std::ptrdiff_t k = 0; k < size; k += L)
                    store<T>(sums + k, load<T>(sums + k) + x * load<T>(E + i * size + k));
            });
            copy(sums, plan.dimension, to);
            from += plan.group_sizes[g];
            E += plan.group_sizes[g] * size;
        }
        copy_in(z, layer.n_out, out + r * P, stride);
    }
}

// dL/da for n rows of delta.
template <class C>
void backward_categories(const Layer<C>& layer, const typename C::Number* delta, std::ptrdiff_t stride,
                         std::ptrdiff_t n, typename C::Number* upstream, typename C::Number* room) {
    using T = typename C::Number;
    constexpr int P = kPanel<T>, L = kLanes<T>;
    const LayerPlan& plan = *layer.plan;
    const std::ptrdiff_t first = passed(plan), size = layer.records.size;
    T *below = room, *d = below + panels<T>(layer.n_in) * P, *part = d + panels<T>(layer.n_out) * P;
    fill(below, panels<T>(layer.n_in) * P, T(0));
    fill(part, size, T(0));
    for (std::ptrdiff_t r = 0; r < n; ++r) {
        copy_out(delta + r * P, stride, layer.n_out, d);
        copy(d, first, below);
        const T* E = layer.W.get();
        T* to = below + first;
        for (std::ptrdiff_t g = 0; g < plan.n_groups; ++g) {
            copy(d + first + g * plan.dimension, plan.dimension, part);
            for (std::ptrdiff_t i = 0; i < plan.group_sizes[g]; ++i, E += size, ++to) {
                Vec<T> sums{};
                for (std::ptrdiff_t k = 0; k < size; k += L) sums += load<T>(part + k) * load<T>(E + k);
                *to = sum<T>(sums);
            }
        }
        copy_in(below, layer.n_in, upstream + r * P, stride);
    }
}

// Calls each(first, n) for rows of E whose columns stand in the same panel.
template <class C, class Each> void each_panel_of_categories(const Layer<C>& layer, Each each) {
    constexpr int P = kPanel<typename C::Number>;
    const std::ptrdiff_t before = passed(*layer.plan);
    for (std::ptrdiff_t i = 0; i < layer.records.n;) {
        const std::ptrdiff_t n = std::min(P - (before + i) % P, layer.records.n - i);
        each(i, n);
        i += n;
    }
}

// The gradient of such rows over `rows` rows of the batch.
template <class C>
void gradient_of_categories(const Layer<C>& layer, std::ptrdiff_t first, std::ptrdiff_t n, std::ptrdiff_t stride,
                            std::ptrdiff_t rows) {
    using T = typename C::Number;
    constexpr int P = kPanel<T>;
    const std::ptrdiff_t column = passed(*layer.plan) + first, dimension = layer.plan->dimension;
    const std::ptrdiff_t size = layer.records.size;
    T* gradient = layer.gradient.get() + first * size;
    const T *in = layer.in.get() + column / P * stride * P + column % P, *delta = layer.delta.get();
    fill(gradient, n * size, T(0));
    for (std::ptrdiff_t r = 0; r < rows; ++r)
        each_number_but_0(in + r * P, n, [&](std::ptrdiff_t i, T x) {
            std::ptrdiff_t j = layer.first_output[first + i];
            for (std::ptrdiff_t k = 0; k < dimension; ++k, ++j)
                gradient[i * size + k] += x * delta[(j / P * stride + r) * P + j % P];
        });
}

}  // namespace deltaprop::DELTAPROP_ISA
