// Vectors of the widest kind that this translation unit is compiled for.
//
// Every file of math/, panels/ and lanes/ is compiled once for each instruction set, in a namespace of its own
// (DELTAPROP_ISA), so that no function compiled for one machine is ever linked into another's path.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace deltaprop::DELTAPROP_ISA {

#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64;
inline constexpr int kTileRows = 14;  // 14 x 2 sums, 2 loads and 1 broadcast fill 32 registers
#elif defined(__AVX2__)
inline constexpr int kVectorBytes = 32;
inline constexpr int kTileRows = 6;  // 6 x 2 sums, 2 loads and 1 broadcast fill 16 registers
#else
inline constexpr int kVectorBytes = 16;
inline constexpr int kTileRows = 6;
#endif

#define DELTAPROP_INLINE inline __attribute__((always_inline))
// What is called from many places and does much for a call: compiled once, not in each of them.
#define DELTAPROP_APART __attribute__((noinline))
// Before a loop over an array that has to stay in registers: unrolled whole, or it would be indexed.
#if defined(DELTAPROP_ROLLED)
#define DELTAPROP_UNROLL
#define DELTAPROP_UNROLL_FOUR
#elif defined(__clang__)
#define DELTAPROP_UNROLL _Pragma("unroll")
#define DELTAPROP_UNROLL_FOUR _Pragma("unroll 4")
#else
#define DELTAPROP_UNROLL _Pragma("GCC unroll 64")
#define DELTAPROP_UNROLL_FOUR _Pragma("GCC unroll 4")
#endif

template <class T> struct IntegerOf;
template <> struct IntegerOf<float> { using type = std::int32_t; };
template <> struct IntegerOf<double> { using type = std::int64_t; };
template <class T> using Integer = typename IntegerOf<T>::type;

template <class T> struct VectorOf {
    typedef T type __attribute__((vector_size(kVectorBytes)));
};
template <class T> using Vec = typename VectorOf<T>::type;

// Numbers in a vector, and in a panel: the columns that a tile covers.
template <class T> inline constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));
template <class T> inline constexpr int kPanel = 2 * kLanes<T>;

// n numbers of any kind; to be converted to or from a vector, or counted in.
template <class S, int n> struct SeveralOf {
    typedef S type __attribute__((vector_size(n * sizeof(S))));
};
template <class S, int n> using Several = typename SeveralOf<S, n>::type;

// A double for each lane, in whole vectors: one of twice a vector's size would be taken apart on the stack.
template <class T> struct Doubles {
    static constexpr int kParts = kLanes<T> / kLanes<double>;
    Vec<double> part[kParts] = {};

    DELTAPROP_INLINE Doubles& operator+=(const Doubles& other) {
        DELTAPROP_UNROLL for (int i = 0; i < kParts; ++i) part[i] += other.part[i];
        return *this;
    }
};

template <class T> DELTAPROP_INLINE Vec<T> load(const T* p) {
    Vec<T> v;
    std::memcpy(&v, p, sizeof v);
    return v;
}

template <class T> DELTAPROP_INLINE void store(T* p, Vec<T> v) { std::memcpy(p, &v, sizeof v); }

template <class T> DELTAPROP_INLINE Vec<T> splat(T x) { return x - Vec<T>{}; }

template <class T> DELTAPROP_INLINE Vec<T> select(Vec<Integer<T>> mask, Vec<T> yes, Vec<T> no) {
    return mask ? yes : no;
}

// Whether a mask, as comparisons give it, holds in any lane.
template <class T> DELTAPROP_INLINE bool any(Vec<Integer<T>> mask) {
#if defined(__AVX512F__)
    return _mm512_test_epi64_mask((__m512i)mask, (__m512i)mask) != 0;
#elif defined(__AVX2__)
    return !_mm256_testz_si256((__m256i)mask, (__m256i)mask);
#else
    std::uint64_t parts[kVectorBytes / 8], all = 0;
    std::memcpy(parts, &mask, sizeof parts);
    for (std::uint64_t part : parts) all |= part;
    return all != 0;
#endif
}

template <class T> DELTAPROP_INLINE Vec<T> max(Vec<T> a, Vec<T> b) { return a > b ? a : b; }
template <class T> DELTAPROP_INLINE Vec<T> min(Vec<T> a, Vec<T> b) { return a < b ? a : b; }

template <class T> DELTAPROP_INLINE Vec<T> abs(Vec<T> v) { return v < 0 ? -v : v; }

template <class T> DELTAPROP_INLINE Vec<Integer<T>> bits(Vec<T> v) {
    Vec<Integer<T>> b;
    std::memcpy(&b, &v, sizeof b);
    return b;
}

template <class T> DELTAPROP_INLINE Vec<T> from_bits(Vec<Integer<T>> b) {
    Vec<T> v;
    std::memcpy(&v, &b, sizeof v);
    return v;
}

// Each lane times a double of its own.
template <class T> DELTAPROP_INLINE Doubles<T> in_double(Vec<T> v, const double* by) {
    T lanes[kLanes<T>];
    store(lanes, v);
    Doubles<T> d;
    DELTAPROP_UNROLL for (int i = 0; i < Doubles<T>::kParts; ++i) {
        Several<T, kLanes<double>> some;
        std::memcpy(&some, lanes + i * kLanes<double>, sizeof some);
        d.part[i] = __builtin_convertvector(some, Vec<double>) * load<double>(by + i * kLanes<double>);
    }
    return d;
}

template <class T> DELTAPROP_INLINE Vec<T> sqrt(Vec<T> v) {
    Vec<T> r{};
    for (int i = 0; i < kLanes<T>; ++i) r[i] = std::sqrt(v[i]);
    return r;
}

// v in the first n lanes, 0 in the others.
template <class T> DELTAPROP_INLINE Vec<T> first_lanes(int n, Vec<T> v) {
    Vec<Integer<T>> lane{};
    DELTAPROP_UNROLL for (int i = 0; i < kLanes<T>; ++i) lane[i] = i;
    return select<T>(lane < static_cast<Integer<T>>(n), v, Vec<T>{});
}
template <class T> DELTAPROP_INLINE Vec<T> first_lanes(int n, T x) { return first_lanes<T>(n, splat<T>(x)); }

// The sum of the lanes, always in the same order.
template <class T> DELTAPROP_INLINE T sum(Vec<T> v) {
    T parts[kLanes<T>];
    store(parts, v);
    for (int n = kLanes<T> / 2; n > 0; n /= 2)
        for (int i = 0; i < n; ++i) parts[i] += parts[i + n];
    return parts[0];
}

// The lanes of a and b that have the numbers I, those of b counted on from a's.
template <class T, int... I> DELTAPROP_INLINE Vec<T> shuffle(Vec<T> a, Vec<T> b) {
#if defined(__clang__)
    return __builtin_shufflevector(a, b, I...);
#else
    return __builtin_shuffle(a, b, Vec<Integer<T>>{I...});
#endif
}

// Swaps rows and columns of as many vectors as a vector has lanes.
template <int D, int I, int N> constexpr int low_lane() { return (I & D) ? N + (I - D) : I; }
template <int D, int I, int N> constexpr int high_lane() { return (I & D) ? N + I : I + D; }

template <class T, int D, int... I>
DELTAPROP_INLINE void exchange(Vec<T> (&v)[kLanes<T>], std::integer_sequence<int, I...>) {
    constexpr int N = kLanes<T>;
    for (int i = 0; i < N; ++i) {
        if (i & D) continue;
        const Vec<T> a = v[i], b = v[i + D];
        v[i] = shuffle<T, low_lane<D, I, N>()...>(a, b);
        v[i + D] = shuffle<T, high_lane<D, I, N>()...>(a, b);
    }
}

template <class T, int D = 1> DELTAPROP_INLINE void transpose(Vec<T> (&v)[kLanes<T>]) {
    if constexpr (D < kLanes<T>) {
        exchange<T, D>(v, std::make_integer_sequence<int, kLanes<T>>{});
        transpose<T, 2 * D>(v);
    }
}

}  // namespace deltaprop::DELTAPROP_ISA
