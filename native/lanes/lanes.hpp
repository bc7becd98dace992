// The products of a step for small networks: every lane of a vector is a row of its own.
//
// An array of m columns is stored in groups of kLanes rows: column after column, a vector of rows
// each, then the next group. Weights lie as in the flat vector, row after row, and are broadcast. So
// no width need be a multiple of anything, losses and activations work on whole vectors, and what a
// few rows leave behind stays in the first cache until their gradient has been taken.
#pragma once

#include <algorithm>

#include "plan.hpp"
#include "math/simd.hpp"

namespace deltaprop::DELTAPROP_ISA {

#if defined(__AVX512F__)
inline constexpr int kLaneSums = 24, kGradientTall = 4;
#else
inline constexpr int kLaneSums = 12, kGradientTall = 2;
#endif
inline constexpr int kGroupsAtOnce = 4;   // that share what is loaded of the weights
inline constexpr int kMostOutputs = 6;    // of a tile
inline constexpr int kGradientWide = 4;

// Outputs of a tile of V groups: their sums have to stay in registers.
template <int V> inline constexpr int kOutputs = kLaneSums / V < kMostOutputs ? kLaneSums / V : kMostOutputs;

// out[j] = b[j] + sum over k of w(k, j) a[k] for J columns j of V groups. w(k, j) = W[k * step + j],
// or, transposed, W[k + j * step].
template <class T, int J, int V, bool Transposed>
inline void lane_tile(const T* W, std::ptrdiff_t step, const T* b, const T* a, std::ptrdiff_t K,
                      T* out, std::ptrdiff_t columns) {
    constexpr int L = kLanes<T>;
    Vec<T> sums[J][V];
    DELTAPROP_UNROLL for (int i = 0; i < J * V; ++i) sums[i / V][i % V] = b ? splat<T>(b[i / V]) : Vec<T>{};
    for (std::ptrdiff_t k = 0; k < K; ++k) {
        Vec<T> loaded[V];
        DELTAPROP_UNROLL for (int v = 0; v < V; ++v) loaded[v] = load<T>(a + (v * K + k) * L);
        DELTAPROP_UNROLL for (int j = 0; j < J; ++j) {
            const Vec<T> w = splat<T>(Transposed ? W[k + j * step] : W[k * step + j]);
            DELTAPROP_UNROLL for (int v = 0; v < V; ++v) sums[j][v] += w * loaded[v];
        }
    }
    DELTAPROP_UNROLL for (int i = 0; i < J * V; ++i)
        store<T>(out + (i % V * columns + i / V) * L, sums[i / V][i % V]);
}

template <class T, int V, bool Transposed, int J = kOutputs<V>>
inline void lane_tile_of(int outputs, const T* W, std::ptrdiff_t step, const T* b, const T* a,
                         std::ptrdiff_t K, T* out, std::ptrdiff_t columns) {
    if (outputs == J) lane_tile<T, J, V, Transposed>(W, step, b, a, K, out, columns);
    else if constexpr (J > 1) lane_tile_of<T, V, Transposed, J - 1>(outputs, W, step, b, a, K, out, columns);
}

// out = b + a W of V groups (a: K columns, out: `columns`); transposed, out = a W^T.
template <class T, int V, bool Transposed>
void lane_product(const T* W, const T* b, const T* a, std::ptrdiff_t K, T* out, std::ptrdiff_t columns) {
    std::ptrdiff_t tiles = (columns + kOutputs<V> - 1) / kOutputs<V>;
    for (std::ptrdiff_t j = 0; tiles > 0; --tiles) {
        const int outputs = static_cast<int>((columns - j + tiles - 1) / tiles);  // of about the same size
        lane_tile_of<T, V, Transposed>(outputs, Transposed ? W + j * K : W + j, Transposed ? K : columns, b ? b + j : nullptr,
                                   a, K, out + j * kLanes<T>, columns);
        j += outputs;
    }
}

// The same for `groups` groups of at most kGroupsAtOnce.
template <class T, bool Transposed>
void lane_products(std::ptrdiff_t groups, const T* W, const T* b, const T* a, std::ptrdiff_t K, T* out,
                   std::ptrdiff_t columns) {
    if (groups == 4) return lane_product<T, 4, Transposed>(W, b, a, K, out, columns);
    if (groups & 2) {
        lane_product<T, 2, Transposed>(W, b, a, K, out, columns);
        a += 2 * K * kLanes<T>;
        out += 2 * columns * kLanes<T>;
    }
    if (groups & 1) lane_product<T, 1, Transposed>(W, b, a, K, out, columns);
}

// Lane i of the result is the sum of the lanes of v[i].
template <class T, int D, int... I>
DELTAPROP_INLINE void add_pairs(Vec<T> (&v)[kLanes<T>], std::integer_sequence<int, I...>) {
    constexpr int N = kLanes<T>;
    DELTAPROP_UNROLL for (int i = 0; i < N; i += 2 * D) {
        const Vec<T> a = v[i], b = v[i + D];
        v[i] = shuffle<T, low_lane<D, I, N>()...>(a, b) + shuffle<T, high_lane<D, I, N>()...>(a, b);
    }
}
template <class T, int D = 1> DELTAPROP_INLINE Vec<T> sums_of(Vec<T> (&v)[kLanes<T>]) {
    if constexpr (D < kLanes<T>) {
        add_pairs<T, D>(v, std::make_integer_sequence<int, kLanes<T>>{});
        return sums_of<T, 2 * D>(v);
    } else {
        return v[0];
    }
}

// to[i][j] (+)= sum over the rows of a[i] d[j], for I x J weights of a layer of m x columns.
template <class T, int I, int J>
inline void lane_gradient_tile(std::ptrdiff_t groups, const T* a, std::ptrdiff_t m, const T* d,
                               std::ptrdiff_t columns, T* to, bool more) {
    constexpr int L = kLanes<T>, N = I * kGradientWide, kTrees = (N + L - 1) / L;
    Vec<T> sums[I][J] = {};
    for (std::ptrdiff_t g = 0; g < groups; ++g, a += m * L, d += columns * L) {
        Vec<T> loaded[J];
        DELTAPROP_UNROLL for (int j = 0; j < J; ++j) loaded[j] = load<T>(d + j * L);
        DELTAPROP_UNROLL for (int i = 0; i < I; ++i) {
            const Vec<T> one = load<T>(a + i * L);
            DELTAPROP_UNROLL for (int j = 0; j < J; ++j) sums[i][j] += one * loaded[j];
        }
    }
    alignas(64) T each[kTrees * L];
    DELTAPROP_UNROLL for (int t = 0; t < kTrees; ++t) {
        Vec<T> v[L];
        DELTAPROP_UNROLL for (int r = 0; r < L; ++r) {
            const int n = t * L + r, i = n / kGradientWide, j = n % kGradientWide;
            v[r] = i < I && j < J ? sums[i < I ? i : 0][j < J ? j : 0] : Vec<T>{};
        }
        store<T>(each + t * L, sums_of<T>(v));
    }
    DELTAPROP_UNROLL for (int i = 0; i < I; ++i)
        DELTAPROP_UNROLL for (int j = 0; j < J; ++j) {
            T* at = to + i * columns + j;
            *at = more ? *at + each[i * kGradientWide + j] : each[i * kGradientWide + j];
        }
}

template <class T, int I>
inline void lane_gradient_tiles(std::ptrdiff_t groups, const T* a, std::ptrdiff_t m, const T* d,
                                std::ptrdiff_t columns, T* to, bool more) {
    std::ptrdiff_t j = 0;
    for (; j + kGradientWide <= columns; j += kGradientWide)
        lane_gradient_tile<T, I, kGradientWide>(groups, a, m, d + j * kLanes<T>, columns, to + j, more);
    d += j * kLanes<T>;
    to += j;
    switch (columns - j) {
        case 1: return lane_gradient_tile<T, I, 1>(groups, a, m, d, columns, to, more);
        case 2: return lane_gradient_tile<T, I, 2>(groups, a, m, d, columns, to, more);
        case 3: return lane_gradient_tile<T, I, 3>(groups, a, m, d, columns, to, more);
    }
}

// to[i][:] (+)= sums[i][:], of which only the first `left` numbers are wanted, for `tall` rows.
template <class T>
DELTAPROP_APART void add_rows(const T* sums, int tall, std::ptrdiff_t wide, std::ptrdiff_t left, T* to,
                              std::ptrdiff_t columns, bool more) {
    constexpr int L = kLanes<T>;
    const std::ptrdiff_t n = std::min(wide, left);
    for (int i = 0; i < tall; ++i, sums += wide, to += columns) {
        std::ptrdiff_t j = 0;
        for (; j + L <= n; j += L) store<T>(to + j, more ? load<T>(to + j) + load<T>(sums + j) : load<T>(sums + j));
        DELTAPROP_UNROLL for (int k = 0; k < L - 1; ++k) {  // what is left is less than a vector
            if (j + k >= n) break;
            to[j + k] = more ? to[j + k] + sums[j + k] : sums[j + k];
        }
    }
}

// The same by rows: to[i][:] (+)= sum over the rows r of a[r][i] d[r][:], where d lies row by row,
// each `wide` numbers, a multiple of the lanes. Nothing is summed over lanes.
template <class T, int I, int V>
inline void row_gradient_tile(std::ptrdiff_t groups, const T* a, std::ptrdiff_t m, const T* d,
                              std::ptrdiff_t wide, std::ptrdiff_t left, T* to, std::ptrdiff_t columns, bool more) {
    constexpr int L = kLanes<T>;
    Vec<T> sums[I][V] = {};
    for (std::ptrdiff_t g = 0; g < groups; ++g, a += m * L, d += L * wide)
        DELTAPROP_UNROLL_FOUR for (int r = 0; r < L; ++r) {
            Vec<T> loaded[V];
            DELTAPROP_UNROLL for (int v = 0; v < V; ++v) loaded[v] = load<T>(d + r * wide + v * L);
            DELTAPROP_UNROLL for (int i = 0; i < I; ++i) {
                const Vec<T> one = splat<T>(a[i * L + r]);
                DELTAPROP_UNROLL for (int v = 0; v < V; ++v) sums[i][v] += one * loaded[v];
            }
        }
    if (left >= V * L) {
        DELTAPROP_UNROLL for (int i = 0; i < I * V; ++i) {
            T* at = to + i / V * columns + i % V * L;
            store<T>(at, more ? load<T>(at) + sums[i / V][i % V] : sums[i / V][i % V]);
        }
        return;
    }
    alignas(64) T each[I * V * L];
    DELTAPROP_UNROLL for (int i = 0; i < I * V; ++i) store<T>(each + i * L, sums[i / V][i % V]);
    add_rows(each, I, V * L, left, to, columns, more);
}

template <class T, int V, int I = kLaneSums / 2>
inline void row_gradient_tile_of(int tall, std::ptrdiff_t groups, const T* a, std::ptrdiff_t m, const T* d,
                                 std::ptrdiff_t wide, std::ptrdiff_t left, T* to, std::ptrdiff_t columns, bool more) {
    if (tall == I) row_gradient_tile<T, I, V>(groups, a, m, d, wide, left, to, columns, more);
    else if constexpr (I > 1) row_gradient_tile_of<T, V, I - 1>(tall, groups, a, m, d, wide, left, to, columns, more);
}

template <class T>
void row_gradient(std::ptrdiff_t groups, const T* a, std::ptrdiff_t m, const T* d, std::ptrdiff_t columns,
                  T* to, bool more) {
    constexpr std::ptrdiff_t L = kLanes<T>, most = kLaneSums / 2;
    const std::ptrdiff_t wide = (columns + L - 1) / L * L;
    std::ptrdiff_t left = m;
    for (std::ptrdiff_t tiles = (m + most - 1) / most; tiles > 0; --tiles) {
        const int tall = static_cast<int>((left + tiles - 1) / tiles);
        for (std::ptrdiff_t j = 0; j < columns; j += 2 * L) {
            if (columns - j > L)
                row_gradient_tile_of<T, 2>(tall, groups, a, m, d + j, wide, columns - j, to + j, columns, more);
            else
                row_gradient_tile_of<T, 1>(tall, groups, a, m, d + j, wide, columns - j, to + j, columns, more);
        }
        a += tall * L;
        to += tall * columns;
        left -= tall;
    }
}

// Columns of groups of rows, row by row: what row_gradient reads of deltas.
template <class T>
void rows_of(std::ptrdiff_t groups, const T* d, std::ptrdiff_t columns, T* to) {
    constexpr std::ptrdiff_t L = kLanes<T>;
    const std::ptrdiff_t wide = (columns + L - 1) / L * L;
    for (std::ptrdiff_t g = 0; g < groups; ++g, d += columns * L, to += L * wide)
        for (std::ptrdiff_t j = 0; j < columns; j += L) {
            Vec<T> v[L];
            for (std::ptrdiff_t r = 0; r < L; ++r) v[r] = j + r < columns ? load<T>(d + (j + r) * L) : Vec<T>{};
            transpose<T>(v);
            for (std::ptrdiff_t r = 0; r < L; ++r) store<T>(to + r * wide + j, v[r]);
        }
}

// Up to how many groups of rows it takes less by rows than by lanes: instructions a weight and a group,
// of one and of the other, which has the sums over lanes once.
template <class T> std::ptrdiff_t groups_by_rows(std::ptrdiff_t m, std::ptrdiff_t columns) {
    constexpr double L = kLanes<T>;
    const double filled = static_cast<double>(columns) / ((columns + kLanes<T> - 1) / kLanes<T> * L);
    const double rows = (columns > kLanes<T> ? 2.0 : 2.7) / filled + 10.0 / static_cast<double>(m);
    constexpr double lanes = 1.75, sums = 12.0;
    return rows <= lanes ? std::numeric_limits<std::ptrdiff_t>::max() : static_cast<std::ptrdiff_t>(sums / (rows - lanes));
}

// to (+)= a^T d over the rows of some groups: the gradient of a layer's m x columns weights.
template <class T>
void lane_gradient(std::ptrdiff_t groups, const T* a, std::ptrdiff_t m, const T* d, std::ptrdiff_t columns,
                   T* to, bool more) {
    std::ptrdiff_t i = 0;
    for (; i + kGradientTall <= m; i += kGradientTall)
        lane_gradient_tiles<T, kGradientTall>(groups, a + i * kLanes<T>, m, d, columns, to + i * columns, more);
    for (; i < m; ++i) lane_gradient_tiles<T, 1>(groups, a + i * kLanes<T>, m, d, columns, to + i * columns, more);
}

// to[j] (+)= sum over the rows of d[j]: the gradient of the biases.
template <class T>
void lane_bias_gradient(std::ptrdiff_t groups, const T* d, std::ptrdiff_t columns, T* to, bool more) {
    T ones[kLanes<T>];
    store<T>(ones, splat<T>(1));
    lane_gradient_tiles<T, 1>(groups, ones, 0, d, columns, to, more);
}

// As many numbers as a vector has lanes, of whatever kind.
template <class T, class S> DELTAPROP_INLINE Vec<T> load_as(const S* p) {
    Several<S, kLanes<T>> v;
    std::memcpy(&v, p, sizeof v);
    return __builtin_convertvector(v, Vec<T>);
}

// One group of rows, n of them (the rest repeat the first), K columns each.
template <class T, class S>
void gather_lanes(const S* data, const Rows& rows, const std::int64_t* order, int n, std::ptrdiff_t K, T* to) {
    constexpr int L = kLanes<T>;
    const S* at[L];
    const S* last = data;
    for (int r = 0; r < L; ++r) {
        at[r] = data + order[r < n ? r : 0] * rows.stride;
        last = std::max(last, at[r]);
    }
    const auto copy = [&](std::ptrdiff_t k, std::ptrdiff_t wide) {
        Vec<T> v[L];
        DELTAPROP_UNROLL for (int r = 0; r < L; ++r) v[r] = load_as<T, S>(at[r] + k);
        transpose<T>(v);
        for (std::ptrdiff_t j = 0; j < wide; ++j) store<T>(to + (k + j) * L, v[j]);
    };
    std::ptrdiff_t k = 0;
    for (; k + L <= K; k += L) copy(k, L);
    if (k == K) return;
    // the last columns, some of them once more; of fewer than a vector's, what is read past a row is the
    // next one's, where there is a next one
    if (K >= L || last + L <= data + (rows.n - 1) * rows.stride + K)
        return copy(std::max<std::ptrdiff_t>(K - L, 0), std::min<std::ptrdiff_t>(K, L));
    for (; k < K; ++k)
        for (int r = 0; r < L; ++r) to[k * L + r] = static_cast<T>(at[r][k]);
}

}  // namespace deltaprop::DELTAPROP_ISA
