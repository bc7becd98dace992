// The way of some rows through one layer: forward to a = f(z), and back from delta to delta.
#pragma once

#include <algorithm>

#include "panels/layer.hpp"
#include "panels/rows.hpp"

namespace deltaprop::DELTAPROP_ISA {

inline constexpr std::ptrdiff_t kDepth = 256;  // rows of a panel of weights that are kept near
template <class T>  // rows that are kept near meanwhile
inline constexpr std::ptrdiff_t kNearRows = 256 * 1024 / (kDepth * static_cast<std::ptrdiff_t>(sizeof(T)));

// What follows when the tile of n rows from row r on in a panel is complete.
struct Done {
    void (*call)(const void* context, std::ptrdiff_t panel, std::ptrdiff_t r, int n);
    const void* context;

    template <class F>
    explicit Done(const F& f)
        : call([](const void* context, std::ptrdiff_t panel, std::ptrdiff_t r, int n) {
              (*static_cast<const F*>(context))(panel, r, n);
          }),
          context(&f) {}
};

// out = a B for n rows, tile by tile.
//
// a: n rows of K elements in panels of `stride` rows; B: K rows of `columns` columns in panels.
template <class C, class T = typename C::Number, class Element = typename C::Element>
DELTAPROP_APART void product(const Element* a, const Element* B, std::ptrdiff_t K, std::ptrdiff_t columns,
                             std::ptrdiff_t stride, std::ptrdiff_t n, T* out, const Done& done) {
    constexpr int P = kPanel<T>, Q = P / C::kNumbers;
    const std::ptrdiff_t n_panels = panels<T>(columns), parts = (n + kNearRows<T> - 1) / kNearRows<T>;
    for (std::ptrdiff_t part = 0; part < parts; ++part) {
        const std::ptrdiff_t first = n * part / parts, end = n * (part + 1) / parts;
        for (std::ptrdiff_t k = 0; k < K; k += kDepth) {
            const std::ptrdiff_t depth = std::min(kDepth, K - k);
            for (std::ptrdiff_t j = 0; j < n_panels; ++j) {
                const Element* panel = B + (j * K + k) * P;
                const bool half = columns - j * P <= kLanes<T>;
                Ahead next(j + 1 < n_panels ? panel + K * P : nullptr, depth * P);
                const std::ptrdiff_t lines = next.lines * kTileRows / (end - first) + 1;
                for (std::ptrdiff_t r = first; r < end;) {
                    const int rows = tile_rows(end - r);
                    const Element* from = a + k / Q * stride * Q + r * Q;
                    T* to = out + j * stride * P + r * P;
                    next.fetch(lines);
                    if (half) tile_of<C, 1>(rows, from, stride, panel, depth, to, k > 0);
                    else tile_of<C, 2>(rows, from, stride, panel, depth, to, k > 0);
                    if (k + depth == K) done.call(done.context, j, r, rows);
                    r += rows;
                }
            }
        }
    }
}

// What pads a row must be 0, and f(0) may be something else.
template <class C, class T = typename C::Number>
void clear_padding(const Layer<C>& layer, std::ptrdiff_t stride, std::ptrdiff_t n, T* out) {
    constexpr int P = kPanel<T>;
    if (!layer.lifts_padding) return;
    T* last = out + (panels<T>(layer.n_out) - 1) * stride * P;
    for (std::ptrdiff_t r = 0; r < n; ++r)
        for (std::ptrdiff_t j = layer.n_out % P; j < P; ++j) last[r * P + j] = 0;
}

// A tile of products times the layer's scale.
template <class C, class T = typename C::Number>
DELTAPROP_INLINE void scale_tile(const Layer<C>& layer, std::ptrdiff_t rows, T* tile) {
    if (!layer.scaled) return;
    for (std::ptrdiff_t i = 0; i < rows * kPanel<T>; i += kLanes<T>)
        store<T>(tile + i, load<T>(tile + i) * layer.scale);
}

// dL/dz of the layer below from its dL/da, for some rows of panel j; `at` is where they begin, as
// numbers from row r0 of the batch on.
template <class C, class T = typename C::Number>
DELTAPROP_INLINE void apply_slope(const Layer<C>& layer, const Layer<C>& below, std::ptrdiff_t j,
                                  std::ptrdiff_t r0, std::ptrdiff_t at, int rows, T* delta) {
    at += r0 * kPanel<T>;
    if (layer.slope) multiply_vectors<T>(2 * rows, delta, layer.slope.get() + at);
    else slope_tile<T>(below.activation, rows, below.is_half(j) ? 1 : 2, delta, layer.in.get() + at);
}

// out = f(scale in W + b); `slope`, where it is not null, takes f'(z).
template <class C>
void forward(const Layer<C>& layer, const typename C::Element* in, std::ptrdiff_t stride,
             std::ptrdiff_t n, typename C::Number* out, typename C::Number* slope) {
    using T = typename C::Number;
    const auto activate = [&](std::ptrdiff_t j, std::ptrdiff_t r, int rows) {
        const std::ptrdiff_t at = (j * stride + r) * kPanel<T>;
        scale_tile(layer, rows, out + at);
        activate_tile<T>(layer.activation, rows, layer.is_half(j) ? 1 : 2, out + at, layer.bias_of(j), slope ? slope + at : nullptr);
    };
    product<C>(in, layer.weights(), elements<C>(layer.n_in), layer.n_out, stride, n, out, Done(activate));
    clear_padding(layer, stride, n, out);
}

// Panels of a row that are summed at once, so that an entry of a sparse row is read for all of them.
inline constexpr std::ptrdiff_t kSparsePanels = 4;

// to[p][:] (+)= sum over k of x[k] W[p][columns[k]][:], for a row of N panels; W: of `height` rows, to: of `stride`.
template <class T, int N>
DELTAPROP_APART void sum_entries(const T* x, const std::int32_t* columns, std::ptrdiff_t n, const T* W,
                                 std::ptrdiff_t height, T* to, std::ptrdiff_t stride, bool more) {
    constexpr int P = kPanel<T>, L = kLanes<T>;
    Vec<T> sums[N][2] = {};
    if (more) {
        DELTAPROP_UNROLL for (int i = 0; i < 2 * N; ++i) sums[i / 2][i % 2] = load<T>(to + i / 2 * stride * P + i % 2 * L);
    }
    for (std::ptrdiff_t k = 0; k < n; ++k) {
        const Vec<T> one = splat<T>(x[k]);
        const T* w = W + columns[k] * static_cast<std::ptrdiff_t>(P);
        DELTAPROP_UNROLL for (int i = 0; i < 2 * N; ++i)
            sums[i / 2][i % 2] += one * load<T>(w + i / 2 * height * P + i % 2 * L);
    }
    DELTAPROP_UNROLL for (int i = 0; i < 2 * N; ++i) store<T>(to + i / 2 * stride * P + i % 2 * L, sums[i / 2][i % 2]);
}

template <class T, int N = kSparsePanels, class... Arguments>
void sum_entries_of(std::ptrdiff_t n_panels, Arguments... arguments) {
    if (n_panels == N) sum_entries<T, N>(arguments...);
    else if constexpr (N > 1) sum_entries_of<T, N - 1>(n_panels, arguments...);
}

// The same for sparse rows: only the rows of W that a number meets are read, and never in pairs.
template <class C>
void forward_sparse(const Layer<C>& layer, const Rows& rows, const std::int64_t* order,
                    std::ptrdiff_t stride, std::ptrdiff_t n, typename C::Number* out, typename C::Number* slope) {
    using T = typename C::Number;
    constexpr std::ptrdiff_t P = kPanel<T>;
    const std::ptrdiff_t n_panels = panels<T>(layer.n_out);
    for (std::ptrdiff_t j = 0; j < n_panels; j += kSparsePanels) {
        const std::ptrdiff_t together = std::min(kSparsePanels, n_panels - j);
        const T* W = layer.W.get() + j * layer.n_in * P;
        for (std::ptrdiff_t r = 0; r < n; ++r)
            each_part<T>(rows, order[r], [&](const T* x, const std::int32_t* columns, std::ptrdiff_t some, bool more) {
                sum_entries_of<T>(together, x, columns, some, W, layer.n_in, out + (j * stride + r) * P, stride, more);
            });
    }
    for (std::ptrdiff_t j = 0; j < n_panels; ++j) {
        const std::ptrdiff_t at = j * stride * P;
        scale_tile(layer, n, out + at);
        activate_tile<T>(layer.activation, static_cast<int>(n), layer.is_half(j) ? 1 : 2, out + at, layer.bias_of(j),
                         slope ? slope + at : nullptr);
    }
    clear_padding(layer, stride, n, out);
}

// delta of the layer below, (scale delta W^T) f'(z), for n rows from row r0 of the batch on.
template <class C, class T = typename C::Number>
void backward(const Layer<C>& layer, const Layer<C>& below, std::ptrdiff_t stride, std::ptrdiff_t r0,
              std::ptrdiff_t n) {
    constexpr int P = kPanel<T>;
    T* out = below.delta.get() + r0 * P;
    const auto bend = [&](std::ptrdiff_t j, std::ptrdiff_t r, int rows) {
        const std::ptrdiff_t at = (j * stride + r) * P;
        scale_tile(layer, rows, out + at);
        apply_slope(layer, below, j, r0, at, rows, out + at);
    };
    product<C>(layer.deltas.along(layer.delta.get(), r0), layer.transposed.get(), elements<C>(layer.n_out), layer.n_in,
               stride, n, out, Done(bend));
}

}  // namespace deltaprop::DELTAPROP_ISA
