// The gradient of some weights over a whole batch, and what the optimizer makes of it at once.
#pragma once

#include "layer.hpp"
#include "rows.hpp"
#include "updates.hpp"

namespace deltaprop::DELTAPROP_ISA {

inline constexpr std::ptrdiff_t kBatchDepth = 128;  // rows of a batch that are summed at a time

// Weights that one thread updates: some panels of columns, some panels' worth of rows. What is read
// for one of its squares is read again for the next ones, and is near by then.
struct Block {
    std::ptrdiff_t layer, first_panel, n_panels, row_start, n_rows;
};
inline constexpr std::ptrdiff_t kBlockPanels = 2;
template <class T> inline constexpr std::ptrdiff_t kBlockRows = 4 * kPanel<T>;
inline constexpr std::ptrdiff_t kManySquares = 64;  // of a layer that is cut into large blocks

// The blocks of a layer: the same for any number of threads.
template <class T, class Each>
void each_block(const Layer<T>& layer, std::ptrdiff_t number, Each each) {
    const std::ptrdiff_t n_panels = panels<T>(layer.n_out);
    const bool large = n_panels * panels<T>(layer.n_in) >= kManySquares;
    const std::ptrdiff_t wide = large ? kBlockPanels : 1, tall = large ? kBlockRows<T> : kPanel<T>;
    for (std::ptrdiff_t j = 0; j < n_panels; j += wide)
        for (std::ptrdiff_t i = 0; i < layer.n_in; i += tall)
            each(Block{number, j, std::min(wide, n_panels - j), i, std::min(tall, layer.n_in - i)});
}

// to[r][:] (+)= sum over `depth` rows of in[row][r] * delta[row][:], for `tall` rows of a panel.
template <class T, int V, int R = kGradientRows>
void sum_rows(int tall, const T* in, const T* delta, std::ptrdiff_t depth, T* to, bool more) {
    constexpr int P = kPanel<T>, L = kLanes<T>;
    if (tall == R) {
        Vec<T> sums[R][V];
        for (int r = 0; r < R; ++r)
            for (int v = 0; v < V; ++v) sums[r][v] = more ? load<T>(to + r * P + v * L) : Vec<T>{};
        multiply_transposed<T, R, V>(sums, in, delta, depth);
        for (int r = 0; r < R; ++r)
            for (int v = 0; v < V; ++v) store<T>(to + r * P + v * L, sums[r][v]);
    } else if constexpr (R > 1) {
        sum_rows<T, V, R - 1>(tall, in, delta, depth, to, more);
    }
}

// The same for two panels, d and e, at once.
template <class T, int R = kPairRows>
void sum_pair(int tall, const T* in, const T* d, const T* e, std::ptrdiff_t depth, T* to, bool more) {
    constexpr int P = kPanel<T>, L = kLanes<T>;
    if (tall == R) {
        T* at[4];
        for (int v = 0; v < 4; ++v) at[v] = to + v / 2 * kBlockRows<T> * P + v % 2 * L;
        Vec<T> sums[R][4];
        for (int r = 0; r < R; ++r)
            for (int v = 0; v < 4; ++v) sums[r][v] = more ? load<T>(at[v] + r * P) : Vec<T>{};
        multiply_transposed<T, R>(sums, in, d, e, depth);
        for (int r = 0; r < R; ++r)
            for (int v = 0; v < 4; ++v) store<T>(at[v] + r * P, sums[r][v]);
    } else if constexpr (R > 1) {
        sum_pair<T, R - 1>(tall, in, d, e, depth, to, more);
    }
}

// The gradients of a block over `rows` rows of a batch, panel by panel of kBlockRows rows.
template <class T>
void gradients_of(const Layer<T>& layer, const Block& block, std::ptrdiff_t stride, std::ptrdiff_t rows,
                  T* to) {
    constexpr int P = kPanel<T>;
    const std::ptrdiff_t last = block.first_panel + block.n_panels - 1;
    const bool pair = block.n_panels == 2 && !layer.is_half(last);
    for (std::ptrdiff_t first = 0; first < rows; first += kBatchDepth) {
        const std::ptrdiff_t depth = std::min(kBatchDepth, rows - first);
        for (std::ptrdiff_t j = 0; j < block.n_panels; j += pair ? 2 : 1) {
            const T* delta = layer.delta.get() + ((block.first_panel + j) * stride + first) * P;
            const bool half = layer.is_half(block.first_panel + j);
            for (std::ptrdiff_t i = 0; i < block.n_rows;) {
                const std::ptrdiff_t at = block.row_start + i;
                const std::ptrdiff_t room = std::min<std::ptrdiff_t>(block.n_rows - i, P - at % P);
                const int tall = static_cast<int>(
                    std::min<std::ptrdiff_t>(pair ? kPairRows : kGradientRows, room));
                const T* in = layer.in.get() + (at / P * stride + first) * P + at % P;
                T* sums = to + (j * kBlockRows<T> + i) * P;
                if (pair) sum_pair<T>(tall, in, delta, delta + stride * P, depth, sums, first > 0);
                else if (half) sum_rows<T, 1>(tall, in, delta, depth, sums, first > 0);
                else sum_rows<T, 2>(tall, in, delta, depth, sums, first > 0);
                i += tall;
            }
        }
    }
}

// l2 / 2 sum of w^2 + l1 sum of |w|.
template <class T> double penalty_of(const NetworkPlan& network, Vec<T> w) {
    T each[kLanes<T>];
    store(each, w);
    double squares = 0.0, sizes = 0.0;
    for (T x : each) {
        squares += double(x) * double(x);
        sizes += x < 0 ? -double(x) : double(x);
    }
    return network.l2 / 2 * squares + network.l1 * sizes;
}

// Updates the rows of a block in one panel from their gradient; returns 0 in every lane if all
// gradients were finite. `penalty` grows by what the weights cost before the step.
template <class T, Rule R>
Vec<T> update_weights(const NetworkPlan& network, const Layer<T>& layer, const Block& block,
                      std::ptrdiff_t panel, const T* gradient, const StepNumbers<T>& numbers,
                      double& penalty) {
    constexpr int P = kPanel<T>, L = kLanes<T>;
    const std::ptrdiff_t at = (panel * layer.n_in + block.row_start) * P;
    T* W = layer.W.get() + at;
    T* m = layer.m ? layer.m.get() + at : nullptr;
    T* v = layer.v ? layer.v.get() + at : nullptr;
    const bool penalized = network.l2 > 0 || network.l1 > 0;
    const int vectors = layer.is_half(panel) ? 1 : 2;
    Vec<T> check{};
    for (std::ptrdiff_t i = 0; i < block.n_rows; ++i)
        for (int k = 0; k < vectors; ++k) {
            const std::ptrdiff_t place = i * P + k * L;
            Vec<T> w = load<T>(W + place), g = load<T>(gradient + place);
            if (penalized) {
                penalty += penalty_of<T>(network, w);
                const Vec<T> sign = w > 0 ? splat<T>(1) : (w < 0 ? splat<T>(-1) : Vec<T>{});
                g += static_cast<T>(network.l2) * w + static_cast<T>(network.l1) * sign;
            }
            check += g - g;
            if constexpr (R == Rule::adamw) w -= numbers.shrink * w;
            store<T>(W + place, updated<T, R>(numbers, w, g, m ? m + place : nullptr,
                                              v ? v + place : nullptr));
        }
    if (layer.turned)
        for (std::ptrdiff_t i = 0; i < block.n_rows; i += P)
            turn_square(layer, panel, block.row_start + i,
                        std::min<std::ptrdiff_t>(P, block.n_rows - i));
    return check;
}

// The same for the biases of a panel, whose gradient is the sum of delta over the batch.
template <class T, Rule R>
Vec<T> update_bias(const Layer<T>& layer, std::ptrdiff_t panel, const StepNumbers<T>& numbers,
                   std::ptrdiff_t stride, std::ptrdiff_t rows) {
    constexpr int P = kPanel<T>, L = kLanes<T>;
    const T* delta = layer.delta.get() + panel * stride * P;
    Vec<T> check{};
    for (int v = 0; v < 2; ++v) {
        Vec<T> parts[4] = {};  // four sums at once: one would wait for itself
        for (std::ptrdiff_t r = 0; r < rows; ++r) parts[r % 4] += load<T>(delta + r * P + v * L);
        const Vec<T> g = (parts[0] + parts[1]) + (parts[2] + parts[3]);
        check += g - g;
        const std::ptrdiff_t at = panel * P + v * L;
        const Vec<T> b = load<T>(layer.b.get() + at);
        store<T>(layer.b.get() + at,
                 updated<T, R>(numbers, b, g, layer.m_b ? layer.m_b.get() + at : nullptr,
                               layer.v_b ? layer.v_b.get() + at : nullptr));
    }
    return check;
}

}  // namespace deltaprop::DELTAPROP_ISA
