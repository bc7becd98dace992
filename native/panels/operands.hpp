// What products read: elements, of one number each or of a pair of bfloat16 numbers.
//
// A pair holds two numbers that follow each other in the sum, the first in the lower half. Products
// of pairs are added in float32; both numbers have been rounded to the nearest bfloat16, ties to
// even: the upper 16 bits of a float32, 8 of them for the digits.
#pragma once

#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

#include "math/memory.hpp"

namespace deltaprop::DELTAPROP_ISA {

template <class T> struct Singles {
    using Number = T;
    using Element = T;
    static constexpr int kNumbers = 1;  // in a element

    static DELTAPROP_INLINE void add(Vec<T>& sum, Vec<T> one, Vec<T> other) { sum += one * other; }
};

struct Pairs {
    using Number = float;
    using Element = std::int32_t;
    static constexpr int kNumbers = 2;

    static DELTAPROP_INLINE void add(Vec<float>& sum, Vec<Element> one, Vec<Element> other) {
#if defined(__AVX512BF16__)
        __m512bh a, b;
        std::memcpy(&a, &one, sizeof a);
        std::memcpy(&b, &other, sizeof b);
        sum = _mm512_dpbf16_ps(sum, a, b);
#else
        // half a float32 with nothing in its lower half is one
        sum += from_bits<float>(one & kUpper) * from_bits<float>(other & kUpper);
        sum += from_bits<float>(one << 16) * from_bits<float>(other << 16);
#endif
    }

    // The bits of float32 numbers that were rounded to bfloat16; NaN stays NaN.
    static DELTAPROP_INLINE Vec<Element> rounded(Vec<float> x) {
        const Vec<Element> b = bits<float>(x), number = x == x ? b : Vec<Element>{};  // a NaN could overflow
        const Vec<Element> nearest = number + (0x7FFF + ((number >> 16) & 1));
        return (x == x ? nearest : (b | 0x400000)) & kUpper;
    }
    static DELTAPROP_INLINE Vec<Element> pair(Vec<float> first, Vec<float> second) {
        return rounded(second) | ((rounded(first) >> 16) & 0xFFFF);
    }
    static Element pair(float first, float second) { return pair(splat(first), splat(second))[0]; }

private:
    static constexpr Element kUpper = static_cast<Element>(0xFFFF0000u);
};

// Elements of so many numbers along a sum.
template <class C> constexpr std::ptrdiff_t elements(std::ptrdiff_t numbers) {
    return (numbers + C::kNumbers - 1) / C::kNumbers;
}

// Some rows of a batch as operands of products. Singles are read where the numbers lie, in panels;
// pairs are rounded copies of them, of neighbours in a row for the products with W and W^T, and of a
// row and the next one for the gradient.
template <class C> class Operand {
    using T = typename C::Number;
    using Element = typename C::Element;
    static constexpr int P = kPanel<T>, L = kLanes<T>, Q = P / C::kNumbers;

public:
    Operand() = default;
    // For `stride` rows of so many columns.
    Operand([[maybe_unused]] Memory& memory, std::ptrdiff_t stride, std::ptrdiff_t columns)
        : stride_(stride), n_panels_((columns + P - 1) / P) {
        if constexpr (C::kNumbers == 1) return;
        along_ = Buffer<Element>(memory, n_panels_ * stride * Q);
        across_ = Buffer<Element>(memory, n_panels_ * elements<C>(stride) * P);
    }

    // n rows from row r0 on have been written at `numbers`; r0 is a multiple of kNumbers.
    void take(const T* numbers, std::ptrdiff_t r0, std::ptrdiff_t n) const { take(numbers, r0, n, n_panels_ * P); }
    void take([[maybe_unused]] const T* numbers, [[maybe_unused]] std::ptrdiff_t r0,
              [[maybe_unused]] std::ptrdiff_t n, [[maybe_unused]] std::ptrdiff_t columns) const {
        if constexpr (C::kNumbers == 2) {
            for (std::ptrdiff_t p = 0; p * P < columns; ++p) {
                const T* from = numbers + (p * stride_ + r0) * P;
                Element* along = along_.get() + (p * stride_ + r0) * Q;
                Element* across = across_.get() + (p * elements<C>(stride_) + r0 / 2) * P;
                for (std::ptrdiff_t r = 0; r < n; r += 2, from += 2 * P, along += 2 * Q, across += P) {
                    const bool two = r + 1 < n;
                    for (int v = 0; v < P; v += L) {
                        const Vec<T> one = load<T>(from + v), other = two ? load<T>(from + P + v) : Vec<T>{};
                        store<Element>(across + v, C::pair(one, other));
                        halve(one, along + v / 2);
                        if (two) halve(other, along + Q + v / 2);
                    }
                }
            }
        }
    }

    // From row r0 on; `numbers` is where they lie.
    const Element* along(const T* numbers, std::ptrdiff_t r0) const {
        if constexpr (C::kNumbers == 1) return numbers + r0 * P;
        else return along_.get() + r0 * Q;
    }
    const Element* across(const T* numbers) const {
        if constexpr (C::kNumbers == 1) return numbers;
        else return across_.get();
    }

private:
    // The numbers of a vector in half as many elements.
    static DELTAPROP_INLINE void halve(Vec<T> x, Element* to) {
        const Several<std::uint16_t, L> halves =
            __builtin_convertvector((C::rounded(x) >> 16) & 0xFFFF, Several<std::uint16_t, L>);
        std::memcpy(to, &halves, sizeof halves);
    }

    std::ptrdiff_t stride_ = 0, n_panels_ = 0;
    Buffer<Element> along_, across_;
};

}  // namespace deltaprop::DELTAPROP_ISA
