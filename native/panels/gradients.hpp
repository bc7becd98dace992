// The gradient of some weights over a whole batch, and what the optimizer makes of it at once.
#pragma once

#include "panels/passes.hpp"
#include "math/updates.hpp"

namespace deltaprop::DELTAPROP_ISA {

// Rows of a batch that are summed at a time: of two panels, as many as the first cache holds.
template <class T>
inline constexpr std::ptrdiff_t kBatchDepth = 16 * 1024 / (kPanel<T> * static_cast<std::ptrdiff_t>(sizeof(T)));

// Weights that one thread updates: some panels of columns, some panels' worth of rows. What is read
// for one of its squares is read again for the next ones, and is near by then.
struct Block {
    std::ptrdiff_t layer, first_panel, n_panels, row_start, n_rows;
    std::ptrdiff_t weight;  // how long it takes, in rows of a panel
};
inline constexpr std::ptrdiff_t kBlockPanels = 8;
template <class T> inline constexpr std::ptrdiff_t kBlockRows = 2 * kPanel<T>;
inline constexpr std::ptrdiff_t kManySquares = 64;  // of a layer that is cut into large blocks

// The blocks of a dense layer: the same for any number of threads.
template <class C, class Each, class T = typename C::Number>
void each_block(const Layer<C>& layer, std::ptrdiff_t number, Each each) {
    const std::ptrdiff_t n_panels = panels<T>(layer.n_out);
    const bool large = n_panels * panels<T>(layer.n_in) >= kManySquares;
    const std::ptrdiff_t wide = large ? kBlockPanels : 1, tall = large ? kBlockRows<T> : kPanel<T>;
    for (std::ptrdiff_t j = 0; j < n_panels; j += wide)
        for (std::ptrdiff_t i = 0; i < layer.n_in; i += tall) {
            const std::ptrdiff_t some = std::min(wide, n_panels - j), rows = std::min(tall, layer.n_in - i);
            each(Block{number, j, some, i, rows, rows * some});
        }
}

// Rows of a tile: a panel's worth is cut into as few as the registers allow, of about the same height.
template <class T> inline constexpr int kTiles = (kPanel<T> + kTileRows - 1) / kTileRows;
constexpr int even(int rows) { return rows > 1 ? (rows + 1) / 2 * 2 : rows; }  // each height is compiled
template <class T> inline constexpr int kGradientRows = even((kPanel<T> + kTiles<T> - 1) / kTiles<T>);

// to[r][:] (+)= sum over `depth` rows of elements of in[row][r] * delta[row][:], for R rows of a panel.
template <class C, int R, int V, class T = typename C::Number>
DELTAPROP_APART void sum_rows(const typename C::Element* in, const typename C::Element* delta, std::ptrdiff_t depth, T* to,
                              bool more) {
    Vec<T> sums[R][V];
    begin<T, R, V>(sums, to, more);
    multiply_transposed<C, R, V>(sums, in, delta, depth);
    finish<T, R, V>(sums, to);
}

template <class C, int V, int R = kGradientRows<typename C::Number>, class T = typename C::Number>
void sum_rows_of(int tall, const typename C::Element* in, const typename C::Element* delta, std::ptrdiff_t depth, T* to,
                 bool more) {
    if (tall == R) sum_rows<C, R, V>(in, delta, depth, to, more);
    else if constexpr (R > 1) sum_rows_of<C, V, (R > 2 ? R - 2 : 1)>(tall, in, delta, depth, to, more);
}

// Fetches, while the sums of a panel of a block are being made, its weights and what the optimizer
// keeps of them, and a share of what the next block will read of the batch.
template <class C> class Coming {
    using T = typename C::Number;

public:
    Coming(const Layer<C>& layer, const Block& block, std::ptrdiff_t j, const typename C::Element* next_in,
           std::ptrdiff_t depth) {
        constexpr std::ptrdiff_t P = kPanel<T>;
        const std::ptrdiff_t at = ((block.first_panel + j) * layer.n_in + block.row_start) * P, n = block.n_rows * P;
        parts_[0] = Ahead(layer.W.get() + at, n);
        if (layer.m) parts_[1] = Ahead(layer.m.get() + at, n);
        if (layer.v) parts_[2] = Ahead(layer.v.get() + at, n);
        const std::ptrdiff_t share = depth * P / block.n_panels;
        if (next_in) parts_[3] = Ahead(next_in + j * share, share);
    }
    void fetch() {
        for (Ahead& part : parts_) part.fetch(kLinesAtOnce);
    }

private:
    static constexpr std::ptrdiff_t kLinesAtOnce = 8;
    Ahead parts_[4];
};

// The gradients of a block over `rows` rows of a batch, panel by panel of kBlockRows rows.
template <class C, class T = typename C::Number>
DELTAPROP_APART void gradients_of(const Layer<C>& layer, const Block& block, std::ptrdiff_t batch, std::ptrdiff_t rows,
                  T* to) {
    using Element = typename C::Element;
    constexpr std::ptrdiff_t P = kPanel<T>;
    const std::ptrdiff_t stride = elements<C>(batch), n = elements<C>(rows);
    const Element* ins = layer.ins.across(layer.in.get());
    const Element* deltas = layer.deltas.across(layer.delta.get());
    for (std::ptrdiff_t first = 0; first < n; first += kBatchDepth<T>) {
        const std::ptrdiff_t depth = std::min(kBatchDepth<T>, n - first);
        for (std::ptrdiff_t j = 0; j < block.n_panels; ++j) {
            const Element* delta = deltas + ((block.first_panel + j) * stride + first) * P;
            const bool half = layer.is_half(block.first_panel + j);
            for (std::ptrdiff_t i = 0; i < block.n_rows; i += P) {
                const std::ptrdiff_t row = block.row_start + i;
                const Element* in = ins + (row / P * stride + first) * P;
                const bool more = row + kBlockRows<T> < layer.n_in;
                Coming<C> coming(layer, block, j, more ? in + kBlockRows<T> * stride : nullptr, depth);
                T* sums = to + (j * kBlockRows<T> + i) * P;
                std::ptrdiff_t left = std::min(P, block.n_rows - i);
                for (std::ptrdiff_t tiles = (left + kGradientRows<T> - 1) / kGradientRows<T>; tiles > 0; --tiles) {
                    // maybe a row more than there is: panels are whole, and nobody reads its sums
                    const int tall = even(static_cast<int>((left + tiles - 1) / tiles));
                    coming.fetch();
                    if (half) sum_rows_of<C, 1>(tall, in, delta, depth, sums, first > 0);
                    else sum_rows_of<C, 2>(tall, in, delta, depth, sums, first > 0);
                    in += tall;
                    sums += tall * P;
                    left -= tall;
                }
            }
        }
    }
}

// What the layer's scale makes of the gradients of a block.
template <class C, class T = typename C::Number>
void scale_gradients(const Layer<C>& layer, const Block& block, T* gradients) {
    if (!layer.scaled) return;
    for (std::ptrdiff_t j = 0; j < block.n_panels; ++j)
        scale_tile(layer, block.n_rows, gradients + j * kBlockRows<T> * kPanel<T>);
}

// Updates the rows of a block in one panel from their gradient; returns 0 in every lane if all
// gradients were finite. `penalty` grows by what the weights cost before the step.
template <class C, class T = typename C::Number>
Vec<T> update_weights(const NetworkPlan& network, Rule rule, const Layer<C>& layer, const Block& block,
                      std::ptrdiff_t panel, const T* gradient, const StepNumbers<T>& numbers, double& penalty) {
    constexpr int P = kPanel<T>, L = kLanes<T>;
    const std::ptrdiff_t at = (panel * layer.n_in + block.row_start) * P;
    const Vec<T> check = update_vectors<T>(rule, Penalized<T>(network), numbers, Are::weights, block.n_rows * P,
                                           layer.is_half(panel) ? P : L, layer.W.get() + at, gradient,
                                           layer.m.from(at), layer.v.from(at), penalty);
    if (layer.has_copies())
        for (std::ptrdiff_t i = 0; i < block.n_rows; i += P)
            copy_square(layer, panel, block.row_start + i,
                        std::min<std::ptrdiff_t>(P, block.n_rows - i));
    return check;
}

// The same for the biases of a panel, whose gradient is the sum of delta over the batch.
template <class C, class T = typename C::Number>
Vec<T> update_bias(const NetworkPlan& network, Rule rule, const Layer<C>& layer, std::ptrdiff_t panel,
                   const StepNumbers<T>& numbers, std::ptrdiff_t stride, std::ptrdiff_t rows) {
    constexpr int P = kPanel<T>, L = kLanes<T>;
    const T* delta = layer.delta.get() + panel * stride * P;
    alignas(64) T gradient[P];
    for (int v = 0; v < P; v += L) store<T>(gradient + v, sum_of_rows<T>(delta + v, rows));
    const std::ptrdiff_t at = panel * P;
    double none = 0.0;
    return update_vectors<T>(rule, Penalized<T>(network), numbers, Are::others, P, L, layer.b.get() + at, gradient,
                             layer.m_b.from(at), layer.v_b.from(at), none);
}

}  // namespace deltaprop::DELTAPROP_ISA
