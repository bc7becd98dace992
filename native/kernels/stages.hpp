// The way of rows through a layer that is not dense, and the gradient of its parameters.
//
// Such a layer is a stage between dense ones: it reads panels and writes panels, and its z is its a.
// Of numbers in pairs (cells.hpp) it knows nothing; it computes in float32.
#pragma once

#include "columns.hpp"
#include "gradients.hpp"

namespace deltaprop::DELTAPROP_ISA {

// The blocks of such a layer: the same for any number of threads.
template <class C, class Each> void each_stage_block(const Layer<C>& layer, std::ptrdiff_t number, Each each) {
    for (std::ptrdiff_t i = 0; i < layer.records.n; ++i) each(Block{number, i, 1, 0, 0, 1});
}

// z for n rows of `in`; `slope`, where it is not null, takes f'(z), which is 1.
template <class C>
void forward_stage(const Layer<C>& layer, const typename C::Number* in, std::ptrdiff_t stride, std::ptrdiff_t n,
                   typename C::Number* out, typename C::Number* slope) {
    using T = typename C::Number;
    constexpr int P = kPanel<T>;
    switch (layer.plan->kind) {
        case Kind::scaling:
        case Kind::parametric_activation: forward_columns(layer, in, stride, n, out); break;
        default: break;
    }
    if (!slope) return;
    for (std::ptrdiff_t j = 0; j < panels<T>(layer.n_out); ++j)
        std::fill_n(slope + j * stride * P, n * P, T(1));
}

// From delta to delta of the layer below, if there is one, for n rows from row r0 of the batch on; and
// what the gradient will be made of.
template <class C, class T = typename C::Number>
void backward_stage(const Layer<C>& layer, const Layer<C>* below, std::ptrdiff_t stride, std::ptrdiff_t r0,
                    std::ptrdiff_t n) {
    constexpr int P = kPanel<T>;
    const T* in = layer.in.get() + r0 * P;
    T *delta = layer.delta.get() + r0 * P, *upstream = below ? below->delta.get() + r0 * P : nullptr;
    switch (layer.plan->kind) {
        case Kind::scaling:
        case Kind::parametric_activation: backward_columns(layer, in, stride, n, delta, upstream); break;
        default: break;
    }
    if (!below || (!layer.slope && below->activation == Activation::identity)) return;
    for (std::ptrdiff_t j = 0; j < panels<T>(layer.n_in); ++j)
        apply_slope(layer, *below, j, r0, j * stride * P, static_cast<int>(n), upstream + j * stride * P);
}

// The gradient of a block over `rows` rows of the batch, into the layer's own place for it.
template <class C>
void gradient_of_stage(const Layer<C>& layer, const Block& block, std::ptrdiff_t stride, std::ptrdiff_t rows) {
    switch (layer.plan->kind) {
        case Kind::scaling:
        case Kind::parametric_activation: gradient_of_columns(layer, block.first_panel, stride, rows); break;
        default: break;
    }
}

}  // namespace deltaprop::DELTAPROP_ISA
