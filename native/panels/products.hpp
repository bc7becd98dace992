// The three products of a step, on tiles that stay in registers.
//
// Everything is stored in panels: kPanel<T> columns side by side, row after row, then the next
// panel. An array of n rows and m columns takes panels(m) * n * kPanel<T> numbers; the columns past
// m are zero. A row of a panel is read from one or two cache lines, and no two rows of a tile ever
// fall on each other in the cache, whatever the widths.
//
// Of pairs (operands.hpp) a row of a panel of a has half as many elements, and b half as many rows.
//
// Every sum runs over k = 0, 1, 2, ... in this order, one fused multiply-add each (of a pair, two at once), whatever tile
// it is part of. So the bits of a result do not depend on how the rows are shared out.
#pragma once

#include <bit>

#include "panels/operands.hpp"

namespace deltaprop::DELTAPROP_ISA {

template <class T> constexpr std::ptrdiff_t panels(std::ptrdiff_t columns) {
    return (columns + kPanel<T> - 1) / kPanel<T>;
}

template <class T> constexpr std::ptrdiff_t panel_size(std::ptrdiff_t rows, std::ptrdiff_t columns) {
    return panels<T>(columns) * rows * kPanel<T>;
}

// sums[r][v] = sum over k of a[row r][k] * b[k][vector v], for R rows and V vectors; k counts elements.
//
// a: the first row of the tile in the first panel of an array of `a_rows` rows; b: one panel, K rows.
template <class C, int R, int V, class T = typename C::Number, class Element = typename C::Element>
DELTAPROP_INLINE void multiply(Vec<T> (&sums)[R][V], const Element* a, std::ptrdiff_t a_rows, const Element* b,
                               std::ptrdiff_t K) {
    constexpr int P = kPanel<T>, L = kLanes<T>, Q = P / C::kNumbers;
    const auto add = [&](std::ptrdiff_t k, const Element* b_k) {
        Vec<Element> loaded[V];
        DELTAPROP_UNROLL for (int v = 0; v < V; ++v) loaded[v] = load<Element>(b_k + v * L);
        DELTAPROP_UNROLL for (int r = 0; r < R; ++r) {
            const Vec<Element> one = splat<Element>(a[r * Q + k]);
            DELTAPROP_UNROLL for (int v = 0; v < V; ++v) C::add(sums[r][v], one, loaded[v]);
        }
    };
    for (; K >= Q; K -= Q, a += a_rows * Q, b += Q * P) {
        DELTAPROP_UNROLL_FOUR for (int k = 0; k < Q; ++k) add(k, b + k * P);
    }
    for (std::ptrdiff_t k = 0; k < K; ++k) add(k, b + k * P);
}

// Sums of a tile at c, one row of a panel after another: from 0, or from where they stand.
template <class T, int R, int V> DELTAPROP_INLINE void begin(Vec<T> (&sums)[R][V], const T* c, bool more) {
    constexpr int P = kPanel<T>, L = kLanes<T>;
    DELTAPROP_UNROLL for (int i = 0; i < R * V; ++i) sums[i / V][i % V] = Vec<T>{};
    if (more) {
        DELTAPROP_UNROLL for (int i = 0; i < R * V; ++i)
            sums[i / V][i % V] = load<T>(c + i / V * P + i % V * L);
    }
}
template <class T, int R, int V> DELTAPROP_INLINE void finish(const Vec<T> (&sums)[R][V], T* c) {
    constexpr int P = kPanel<T>, L = kLanes<T>;
    DELTAPROP_UNROLL for (int i = 0; i < R * V; ++i) store<T>(c + i / V * P + i % V * L, sums[i / V][i % V]);
}

// c[r][:] (+)= sum over k of a[r][k] * b[k][:], for the rows of a tile and one panel of columns.
template <class C, int R, int V, class T = typename C::Number, class Element = typename C::Element>
DELTAPROP_APART void tile(const Element* a, std::ptrdiff_t a_rows, const Element* b, std::ptrdiff_t K, T* c, bool more) {
    Vec<T> sums[R][V];
    begin<T, R, V>(sums, c, more);
    multiply<C, R, V>(sums, a, a_rows, b, K);
    finish<T, R, V>(sums, c);
}

// The heights of tiles that there are: each is compiled. What is left at the end takes a few of them.
constexpr int next_height(int rows) { return static_cast<int>(std::bit_floor(static_cast<unsigned>(rows - 1))); }
constexpr int tile_rows(std::ptrdiff_t left) {
    return left >= kTileRows ? kTileRows : next_height(static_cast<int>(left) + 1);
}

template <class C, int V, int R = kTileRows, class T = typename C::Number, class Element = typename C::Element>
inline void tile_of(int rows, const Element* a, std::ptrdiff_t a_rows, const Element* b, std::ptrdiff_t K, T* c,
                    bool more) {
    if constexpr (R == 1) {
        tile<C, 1, V>(a, a_rows, b, K, c, more);
    } else {
        if (rows == R) tile<C, R, V>(a, a_rows, b, K, c, more);
        else tile_of<C, V, next_height(R)>(rows, a, a_rows, b, K, c, more);
    }
}

// sums[r][v] = sum over rows n of a[n][r] * d[n][vector v]: a tile of a^T d, for the weight gradient.
//
// a: a column of the first row; d: one panel. Both have n rows of elements, each of kNumbers rows.
template <class C, int R, int V, class T = typename C::Number, class Element = typename C::Element>
DELTAPROP_INLINE void multiply_transposed(Vec<T> (&sums)[R][V], const Element* a, const Element* d,
                                          std::ptrdiff_t n) {
    constexpr int P = kPanel<T>, L = kLanes<T>;
    DELTAPROP_UNROLL_FOUR for (std::ptrdiff_t row = 0; row < n; ++row) {
        Vec<Element> loaded[V];
        DELTAPROP_UNROLL for (int v = 0; v < V; ++v) loaded[v] = load<Element>(d + row * P + v * L);
        DELTAPROP_UNROLL for (int r = 0; r < R; ++r) {
            const Vec<Element> one = splat<Element>(a[row * P + r]);
            DELTAPROP_UNROLL for (int v = 0; v < V; ++v) C::add(sums[r][v], one, loaded[v]);
        }
    }
}

}  // namespace deltaprop::DELTAPROP_ISA
