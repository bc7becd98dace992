// A layer while it is trained: its parameters in panels, and room for one batch.
#pragma once

#include "plan.hpp"
#include "math/activations.hpp"
#include "panels/products.hpp"
#include "panels/other_layers/records.hpp"

namespace deltaprop::DELTAPROP_ISA {

template <class C> struct Layer {
    using T = typename C::Number;
    using Element = typename C::Element;

    const LayerPlan* plan = nullptr;
    std::ptrdiff_t n_in = 0, n_out = 0;
    bool bias = false;
    Activation activation = Activation::identity;
    bool lifts_padding = false;     // whether f makes another number of the 0 that pads a row
    std::uint32_t drop = 0;         // how many of 2^32 draws drop what it reads
    T kept = 1;                     // what the others are multiplied by
    bool scaled = false;            // whether the products are multiplied by a number
    T scale = 1;                    // that number
    std::ptrdiff_t start = 0;       // of W in the flat vector; b follows
    Records records;                // of a layer that is not dense: how its arrays stand in W, m, v and gradient
    Buffer<T> W, b;                 // panels of n_out columns, or records; one row
    Buffer<Element> transposed, pairs;  // copies for the products: W^T, panels of n_in columns; W, where not itself
    Buffer<T> m, v, m_b, v_b;       // what the optimizer keeps
    Buffer<T> in;                   // what it reads, panels over the batch
    Buffer<T> slope;                // f'(z) of the layer below, and its mask, where a does not tell it
    Buffer<T> delta;                // dL/dz
    Operand<C> ins, deltas;         // in and delta as products read them
    Buffer<T> gradient;             // of a layer that is not dense
    Buffer<T> columns;              // what the way back leaves: periodic.hpp, layer_norm.hpp
    Buffer<std::ptrdiff_t> first_output;  // of a category embedding, for each row of E: the first column that it gives

    // Layer number l, whose parameters begin at `from` of the flat vector, with n_kept numbers beside each.
    Layer(const LayerPlan& given, std::ptrdiff_t l, std::ptrdiff_t from, bool for_training, int n_kept, Memory& memory)
        : plan(&given), n_in(given.n_in), n_out(given.n_out), bias(given.bias && is_dense()),
          activation(given.activation), lifts_padding(n_out % kPanel<T> != 0 && lifts_zero<T>(activation)),
          drop(given.drop_threshold), kept(static_cast<T>(1.0 / (1.0 - given.drop_probability))),
          scaled(is_dense() && given.scale != 1.0), scale(static_cast<T>(given.scale)), start(from), records(records_of<T>(given)),
          W(memory, is_dense() ? panel_size<T>(n_in, n_out) : records.n * records.size),
          b(memory, bias ? panels<T>(n_out) * kPanel<T> : 0) {
        if (is_dense() && for_training && l > 0)
            transposed = Buffer<Element>(memory, panel_size<T>(elements<C>(n_out), n_in));
        if (is_dense() && C::kNumbers > 1) pairs = Buffer<Element>(memory, panel_size<T>(elements<C>(n_in), n_out));
        m = Buffer<T>(memory, n_kept > 0 ? W.size() : 0);
        v = Buffer<T>(memory, n_kept > 1 ? W.size() : 0);
        m_b = Buffer<T>(memory, n_kept > 0 ? b.size() : 0);
        v_b = Buffer<T>(memory, n_kept > 1 ? b.size() : 0);
    }

    // How many numbers of the flat vector are its own.
    std::ptrdiff_t size() const { return is_dense() ? (n_in + bias) * n_out : numbers_of(records); }
    const Element* weights() const {
        if constexpr (C::kNumbers == 1) return W.get();
        else return pairs.get();
    }
    bool is_dense() const { return plan->kind == Kind::dense; }
    bool has_copies() const { return transposed || pairs; }
    const T* bias_of(std::ptrdiff_t panel) const { return bias ? b.get() + panel * kPanel<T> : nullptr; }
    // Whether a panel has so few columns that one vector holds them.
    bool is_half(std::ptrdiff_t panel) const { return n_out - panel * kPanel<T> <= kLanes<T>; }
};

// The sum of a vector of a panel over so many rows.
template <class T> DELTAPROP_INLINE Vec<T> sum_of_rows(const T* from, std::ptrdiff_t rows) {
    Vec<T> parts[4] = {};  // four sums at once: one would wait for itself
    for (std::ptrdiff_t r = 0; r < rows; ++r) parts[r % 4] += load<T>(from + r * kPanel<T>);
    return (parts[0] + parts[1]) + (parts[2] + parts[3]);
}

// each(i, number) for the numbers of the flat vector that are a layer's, W row by row and then b, and where they
// stand in panels or records.
template <class C, class Each> void each_number(const Layer<C>& layer, Numbers which, Each each) {
    constexpr int P = kPanel<typename C::Number>;
    const bool first = which == Numbers::first_state, own = which == Numbers::parameters;
    const auto &W = own ? layer.W : first ? layer.m : layer.v, &b = own ? layer.b : first ? layer.m_b : layer.v_b;
    std::ptrdiff_t at = layer.start;
    if (!layer.is_dense())
        return each_number(layer.records, [&](std::ptrdiff_t i, std::ptrdiff_t place) { each(at + i, W[place]); });
    for (std::ptrdiff_t i = 0; i < layer.n_in; ++i)
        for (std::ptrdiff_t j = 0; j < layer.n_out; ++j) each(at++, W[(j / P * layer.n_in + i) * P + j % P]);
    for (std::ptrdiff_t j = 0; layer.bias && j < layer.n_out; ++j) each(at++, b[j]);
}

// The copies of one square of W, which is panel `panel` from row `row_start` on.
template <class C>
DELTAPROP_APART void copy_square(const Layer<C>& layer, std::ptrdiff_t panel, std::ptrdiff_t row_start, std::ptrdiff_t n_rows) {
    using T = typename C::Number;
    using Element = typename C::Element;
    constexpr int P = kPanel<T>, L = kLanes<T>, N = C::kNumbers;
    const T* W = layer.W.get() + (panel * layer.n_in + row_start) * P;
    if constexpr (N == 2) {
        Element* to = layer.pairs.get() + (panel * elements<C>(layer.n_in) + row_start / 2) * P;
        for (std::ptrdiff_t i = 0; i < n_rows; i += 2)
            for (int j = 0; j < P; j += L)
                store<Element>(to + i / 2 * P + j, C::pair(load<T>(W + i * P + j), i + 1 < n_rows ? load<T>(W + (i + 1) * P + j)
                                                                                         : Vec<T>{}));
    }
    if (!layer.transposed) return;
    Element* to = layer.transposed.get() + (row_start / P * elements<C>(layer.n_out) + panel * (P / N)) * P;
    const std::ptrdiff_t left = layer.n_out - panel * P, columns = left < P ? left : P;
    if (columns < P || n_rows < P) {
        for (std::ptrdiff_t j = 0; j < columns; j += N)
            for (std::ptrdiff_t i = 0; i < n_rows; ++i) {
                if constexpr (N == 1) to[j * P + i] = W[i * P + j];
                else to[j / 2 * P + i] = C::pair(W[i * P + j], W[i * P + j + 1]);  // columns that pad are 0
            }
        return;
    }
    for (int i = 0; i < P; i += L)
        for (int j = 0; j < P; j += L) {
            Vec<T> v[L];
            for (int r = 0; r < L; ++r) v[r] = load<T>(W + (i + r) * P + j);
            transpose<T>(v);
            for (int r = 0; r < L; r += N) {
                if constexpr (N == 1) store<T>(to + (j + r) * P + i, v[r]);
                else store<Element>(to + (j + r) / 2 * P + i, C::pair(v[r], v[r + 1]));
            }
        }
}

template <class C> void copy_weights(const Layer<C>& layer) {
    constexpr std::ptrdiff_t P = kPanel<typename C::Number>;
    for (std::ptrdiff_t panel = 0; panel < panels<typename C::Number>(layer.n_out); ++panel)
        for (std::ptrdiff_t i = 0; i < layer.n_in; i += P)
            copy_square(layer, panel, i, layer.n_in - i < P ? layer.n_in - i : P);
}

}  // namespace deltaprop::DELTAPROP_ISA
