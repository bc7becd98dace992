// Between rows that lie in panels and vectors of rows, one for each column.
#pragma once

#include "panels/products.hpp"

namespace deltaprop::DELTAPROP_ISA {

// Numbers of the vectors for so many columns: they come in blocks of as many as a vector has lanes.
template <class T> constexpr std::ptrdiff_t transposed_size(std::ptrdiff_t columns) {
    return (columns + kLanes<T> - 1) / kLanes<T> * kLanes<T> * kLanes<T>;
}

// Up to kLanes rows into vectors; the lanes past them hold the first row.
template <class T> void to_columns(int rows, const T* panel, std::ptrdiff_t stride, std::ptrdiff_t columns, T* to) {
    constexpr int P = kPanel<T>, L = kLanes<T>;
    for (std::ptrdiff_t j = 0; j < columns; j += L) {
        const T* at = panel + j / P * stride * P + j % P;
        Vec<T> v[L];
        for (int r = 0; r < L; ++r) v[r] = load<T>(at + (r < rows ? r : 0) * P);
        transpose<T>(v);
        for (int r = 0; r < L; ++r) store<T>(to + (j + r) * L, v[r]);
    }
}

// And back.
template <class T> void to_rows(int rows, const T* from, std::ptrdiff_t columns, T* panel, std::ptrdiff_t stride) {
    constexpr int P = kPanel<T>, L = kLanes<T>;
    for (std::ptrdiff_t j = 0; j < columns; j += L) {
        T* at = panel + j / P * stride * P + j % P;
        Vec<T> v[L];
        for (int r = 0; r < L; ++r) v[r] = load<T>(from + (j + r) * L);
        transpose<T>(v);
        for (int r = 0; r < rows; ++r) store<T>(at + r * P, v[r]);
    }
}

}  // namespace deltaprop::DELTAPROP_ISA
