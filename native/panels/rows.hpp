// Rows as a user has them, dense or sparse, into panels; sparse ones also column by column.
#pragma once

#include <algorithm>

#include "plan.hpp"
#include "math/memory.hpp"
#include "panels/products.hpp"

namespace deltaprop::DELTAPROP_ISA {

inline constexpr std::ptrdiff_t kRowsAhead = 4;  // that are fetched before their turn

// Calls work(x, columns, n, more) for the entries of a sparse row, some at a time: n numbers and their
// columns, and whether there were others before. Of a row without entries once, with none.
template <class T, class Work> void each_part(const Rows& rows, std::ptrdiff_t row, Work work) {
    const std::int64_t start = rows.starts[row], end = rows.starts[row + 1];
    with_numbers(rows, [&]<class S>(const S* numbers) {
        if constexpr (std::is_same_v<S, T>) {
            work(numbers + start, rows.columns + start, end - start, false);
        } else {
            constexpr std::int64_t kMost = 128;
            T x[kMost];
            std::int64_t k = start;
            do {
                const std::int64_t n = std::min(end - k, kMost);
                for (std::int64_t i = 0; i < n; ++i) x[i] = static_cast<T>(numbers[k + i]);
                work(x, rows.columns + k, n, k > start);
                k += n;
            } while (k < end);
        }
    });
}

template <class T, class S>
void copy_row(const S* from, const S* ahead, std::ptrdiff_t width, T* to, std::ptrdiff_t stride) {
    constexpr int P = kPanel<T>;
    for (std::ptrdiff_t p = 0; p < width; p += P, to += stride * P) {
        // rows are visited in any order, so the processor cannot guess the next one
        const std::ptrdiff_t n = std::min<std::ptrdiff_t>(P, width - p);
        for (std::ptrdiff_t line = 0; line < n * static_cast<std::ptrdiff_t>(sizeof(S)); line += 64)
            __builtin_prefetch(reinterpret_cast<const char*>(ahead + p) + line);
        if (n == P) {
            for (int j = 0; j < P; ++j) to[j] = static_cast<T>(from[p + j]);
            continue;
        }
        std::ptrdiff_t j = 0;
        for (; j + 4 <= n; j += 4)
            for (int i = 0; i < 4; ++i) to[j + i] = static_cast<T>(from[p + j + i]);
        for (; j < n; ++j) to[j] = static_cast<T>(from[p + j]);
    }
}

template <class T>
void spread_row(const Rows& rows, std::ptrdiff_t row, std::ptrdiff_t width, T* to, std::ptrdiff_t stride) {
    constexpr int P = kPanel<T>;
    for (std::ptrdiff_t p = 0; p < panels<T>(width); ++p)
        std::memset(static_cast<void*>(to + p * stride * P), 0, P * sizeof(T));
    each_part<T>(rows, row, [&](const T* x, const std::int32_t* columns, std::ptrdiff_t n, bool) {
        for (std::ptrdiff_t k = 0; k < n; ++k) to[columns[k] / P * stride * P + columns[k] % P] += x[k];
    });
}

// n rows in the order they are visited, into panels of `stride` rows.
template <class T>
void gather(const Rows& rows, const std::int64_t* order, std::ptrdiff_t n, std::ptrdiff_t width, T* to,
            std::ptrdiff_t stride) {
    for (std::ptrdiff_t r = 0; r < n; ++r, to += kPanel<T>) {
        const std::ptrdiff_t row = order[r], next = order[std::min(r + kRowsAhead, n - 1)];
        if (rows.columns) spread_row<T>(rows, row, width, to, stride);
        else with_numbers(rows, [&]<class S>(const S* numbers) {
            copy_row(numbers + row * rows.stride, numbers + next * rows.stride, width, to, stride);
        });
    }
}

// Sparse rows of a batch, sorted by column: the weights of a column need only its own numbers.
template <class T> class ByColumn {
public:
    ByColumn() = default;
    // Room for the largest batch of a pass.
    ByColumn(Memory& memory, const Rows& rows, const std::int64_t* order, std::ptrdiff_t n, std::ptrdiff_t batch,
             std::ptrdiff_t width)
        : width_(width), starts_(memory, width + 2) {
        std::int64_t most = 0;
        for (std::ptrdiff_t first = 0; first < n; first += batch) {
            std::int64_t found = 0;
            for (std::ptrdiff_t r = first; r < std::min(first + batch, n); ++r)
                found += rows.starts[order[r] + 1] - rows.starts[order[r]];
            most = std::max(most, found);
        }
        rows_ = Buffer<std::int32_t>(memory, most);
        values_ = Buffer<T>(memory, most);
    }

    void sort(const Rows& rows, const std::int64_t* order, std::ptrdiff_t n) {
        std::int64_t* next = starts_.get() + 1;  // becomes the starts of the columns after
        std::fill_n(starts_.get(), width_ + 2, std::int64_t{0});
        for (std::ptrdiff_t r = 0; r < n; ++r)
            for (std::int64_t k = rows.starts[order[r]]; k < rows.starts[order[r] + 1]; ++k)
                ++next[rows.columns[k] + 1];
        for (std::ptrdiff_t i = 1; i <= width_; ++i) next[i] += next[i - 1];
        for (std::ptrdiff_t r = 0; r < n; ++r)
            each_part<T>(rows, order[r], [&](const T* x, const std::int32_t* columns, std::ptrdiff_t some, bool) {
                for (std::ptrdiff_t k = 0; k < some; ++k) {
                    const std::int64_t at = next[columns[k]]++;
                    rows_[at] = static_cast<std::int32_t>(r);
                    values_[at] = x[k];
                }
            });
    }

    // sum over the rows of x[row][column] * d[row][:], for one panel of d.
    void sum(std::ptrdiff_t column, const T* d, T* to) const {
        constexpr int P = kPanel<T>, L = kLanes<T>;
        Vec<T> sums[2] = {};
        for (std::int64_t k = starts_[column]; k < starts_[column + 1]; ++k) {
            const Vec<T> x = splat<T>(values_[k]);
            const T* row = d + rows_[k] * static_cast<std::ptrdiff_t>(P);
            for (int v = 0; v < 2; ++v) sums[v] += x * load<T>(row + v * L);
        }
        for (int v = 0; v < 2; ++v) store<T>(to + v * L, sums[v]);
    }

private:
    std::ptrdiff_t width_ = 0;
    Buffer<std::int64_t> starts_;
    Buffer<std::int32_t> rows_;
    Buffer<T> values_;
};

}  // namespace deltaprop::DELTAPROP_ISA
