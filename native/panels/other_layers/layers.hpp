// The way of rows through a layer that is not dense, and the gradient of its parameters.
//
// Such a layer stands between dense ones: it reads panels and writes panels. Its z is its a, but of a layer norm.
// Of numbers in pairs (operands.hpp) it knows nothing; it computes in float32.
#pragma once

#include "panels/other_layers/categories.hpp"
#include "panels/other_layers/columns.hpp"
#include "panels/other_layers/layer_norm.hpp"
#include "panels/other_layers/periodic.hpp"
#include "panels/gradients.hpp"

namespace deltaprop::DELTAPROP_ISA {

// The blocks of such a layer: the same for any number of threads.
template <class C, class Each> void each_block_of_records(const Layer<C>& layer, std::ptrdiff_t number, Each each) {
    const auto records = [&](std::ptrdiff_t first, std::ptrdiff_t n, std::ptrdiff_t weight) {
        each(Block{number, first, n, 0, 0, weight});
    };
    if (layer.plan->kind == Kind::category_embedding) {
        each_panel_of_categories(layer, [&](std::ptrdiff_t first, std::ptrdiff_t n) { records(first, n, 8); });
        return;
    }
    constexpr std::ptrdiff_t kWave = 16;  // a wave takes as long as so many vectors
    const std::ptrdiff_t waves = layer.plan->n_waves * (kWave + 2 * layer.plan->n_mixtures);
    for (std::ptrdiff_t i = 0; i < layer.records.n; ++i) records(i, 1, 1 + waves / kLanes<typename C::Number>);
}

// What a layer needs besides its parameters; `batch`: the rows of a step, 0 where none is taken.
template <class C> void prepare_records(Layer<C>& layer, std::ptrdiff_t batch, Memory& memory) {
    using T = typename C::Number;
    const LayerPlan& plan = *layer.plan;
    if (batch > 0) layer.gradient = Buffer<T>(memory, layer.W.size());
    if (plan.kind == Kind::layer_norm) layer.columns = Buffer<T>(memory, 2 * batch);
    if (plan.kind == Kind::periodic_embedding)
        layer.columns = Buffer<T>(memory, plan.n_columns * (1 + plan.n_mixtures) * whole_vectors<T>(batch));
    if (plan.kind != Kind::category_embedding) return;
    layer.first_output = Buffer<std::ptrdiff_t>(memory, layer.records.n);
    for (std::ptrdiff_t g = 0, row = 0; g < plan.n_groups; ++g)
        for (std::ptrdiff_t i = 0; i < plan.group_sizes[g]; ++i)
            layer.first_output[row++] = passed(plan) + g * plan.dimension;
}

// Numbers that each thread needs room for, with so many rows at a time.
template <class T> std::ptrdiff_t room_of(const NetworkPlan& network, std::ptrdiff_t rows) {
    std::ptrdiff_t most = 0;
    for (std::ptrdiff_t l = 0; l < network.n_layers; ++l) {
        const LayerPlan& plan = network.layers[l];
        if (plan.kind == Kind::periodic_embedding) most = std::max(most, periodic_room<T>(plan, rows));
        if (plan.kind == Kind::category_embedding) most = std::max(most, category_room<T>(plan));
    }
    return most;
}

// a = f(z) for n rows of `in`; `slope`, where it is not null, takes f'(z), which is 1 where z is a.
template <class C>
void forward_layer(const Layer<C>& layer, const typename C::Number* in, std::ptrdiff_t stride, std::ptrdiff_t n,
                   typename C::Number* out, typename C::Number* slope, typename C::Number* room) {
    using T = typename C::Number;
    constexpr int P = kPanel<T>;
    switch (layer.plan->kind) {
        case Kind::dense: break;
        case Kind::scaling: forward_columns<Scaled>(layer, in, stride, n, out); break;
        case Kind::parametric_activation:
            with_activation(layer.plan->function, [&]<Activation F>() { forward_columns<Mixed<F>>(layer, in, stride, n, out); });
            break;
        case Kind::layer_norm: return forward_layer_norm(layer, in, stride, n, out, slope);
        case Kind::periodic_embedding: forward_periodic(layer, in, stride, n, out, room); break;
        case Kind::category_embedding: forward_categories(layer, in, stride, n, out, room); break;
    }
    if (!slope) return;
    for (std::ptrdiff_t j = 0; j < panels<T>(layer.n_out); ++j) fill(slope + j * stride * P, n * P, T(1));
}

// From delta to delta of the layer below, if there is one, for n rows from row r0 of the batch on; and
// what the gradient will be made of.
template <class C>
void backward_layer(const Layer<C>& layer, const Layer<C>* below, std::ptrdiff_t stride, std::ptrdiff_t r0,
                    std::ptrdiff_t n, typename C::Number* room) {
    using T = typename C::Number;
    constexpr int P = kPanel<T>;
    const T* in = layer.in.get() + r0 * P;
    T *delta = layer.delta.get() + r0 * P, *upstream = below ? below->delta.get() + r0 * P : nullptr;
    switch (layer.plan->kind) {
        case Kind::dense: break;
        case Kind::scaling: backward_columns<Scaled>(layer, in, stride, n, delta, upstream); break;
        case Kind::parametric_activation:
            with_activation(layer.plan->function, [&]<Activation F>() { backward_columns<Mixed<F>>(layer, in, stride, n, delta, upstream); });
            break;
        case Kind::layer_norm: backward_layer_norm(layer, stride, r0, n, upstream); break;
        case Kind::periodic_embedding: backward_periodic(layer, stride, r0, n, upstream, room); break;
        case Kind::category_embedding:
            if (upstream) backward_categories(layer, delta, stride, n, upstream, room);
            break;
    }
    if (!below || (!layer.slope && below->activation == Activation::identity)) return;
    for (std::ptrdiff_t j = 0; j < panels<T>(layer.n_in); ++j)
        apply_slope(layer, *below, j, r0, j * stride * P, static_cast<int>(n), upstream + j * stride * P);
}

// The gradient of a block over `rows` rows of the batch, into the layer's own place for it.
template <class C>
void gradient_of_records(const Layer<C>& layer, const Block& block, std::ptrdiff_t stride, std::ptrdiff_t rows,
                       typename C::Number* room) {
    const std::ptrdiff_t first = block.first_panel;
    switch (layer.plan->kind) {
        case Kind::dense: break;
        case Kind::scaling:
        case Kind::parametric_activation: gradient_of_columns(layer, first, stride, rows); break;
        case Kind::layer_norm: gradient_of_layer_norm(layer, first, stride, rows); break;
        case Kind::periodic_embedding: gradient_of_periodic(layer, first, stride, rows, room); break;
        case Kind::category_embedding: gradient_of_categories(layer, first, block.n_panels, stride, rows); break;
    }
}

}  // namespace deltaprop::DELTAPROP_ISA
