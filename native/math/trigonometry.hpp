// Cosine and sine on whole vectors.
//
// x = n pi/2 + r with |r| <= pi/4: pi/2 is taken away in three parts, the first two with so few digits
// that n times them is exact (Cody and Waite). Then polynomials of r^2, fitted for least error (worked
// out for this file), and the quarter of the circle that n says. The error is about 1e-7 for float and
// 4e-16 for double; lanes farther out than n may be are left to the standard library.
#pragma once

#include "math/simd.hpp"

namespace deltaprop::DELTAPROP_ISA {

template <class T> struct Wave {
    Vec<T> cosine, sine;
};

template <class T> struct Circle;
template <> struct Circle<float> {
    static constexpr float kFarthest = 12'000.0f;         // n has 13 bits
    static constexpr float kToWhole = 12582912.0f;        // adding 1.5 * 2^23 rounds to a whole number
    static constexpr float kQuarters = 0.636619772f;      // in one radian
    static constexpr float kQuarter[3] = {1.5703125f, 4.837512969970703125e-4f, 7.54978995e-8f};

    // (sin r - r) / r^3 and (cos r - 1 + u/2) / u^2 of u = r^2
    static DELTAPROP_INLINE Vec<float> sine(Vec<float> u) {
        return (splat(-1.94942637e-4f) * u + 8.33196785e-3f) * u - 0.166666505f;
    }
    static DELTAPROP_INLINE Vec<float> cosine(Vec<float> u) {
        return (splat(2.44370079e-5f) * u - 1.38873554e-3f) * u + 0.0416666466f;
    }
};
template <> struct Circle<double> {
    static constexpr double kFarthest = 1e6;              // n has 20 bits
    static constexpr double kToWhole = 6755399441055744.0;  // 1.5 * 2^52
    static constexpr double kQuarters = 0.63661977236758134308;
    static constexpr double kQuarter[3] = {1.57079632673412561416626, 6.077100506303965976595549e-11,
                                           2.022266248795950732399685e-21};

    static DELTAPROP_INLINE Vec<double> sine(Vec<double> u) {
        Vec<double> p = splat(1.5887906793402095618e-10);
        p = p * u - 2.5050588176567763611e-8;
        p = p * u + 2.7557312464415069323e-6;
        p = p * u - 1.9841269825487682673e-4;
        p = p * u + 8.3333333333161421134e-3;
        return p * u - 0.16666666666666598765;
    }
    static DELTAPROP_INLINE Vec<double> cosine(Vec<double> u) {
        Vec<double> p = splat(-1.1359227252327069199e-11);
        p = p * u + 2.0875715420247752999e-9;
        p = p * u - 2.7557314296671048029e-7;
        p = p * u + 2.4801587289297339489e-5;
        p = p * u - 1.3888888888873841484e-3;
        return p * u + 0.04166666666666659793;
    }
};

// `near`, but for the lanes of x that are far out. Not inline, so that the usual case stays in registers.
template <class T, bool kSine>
__attribute__((noinline)) Vec<T> far_out(Vec<T> x, Vec<Integer<T>> far, Vec<T> near) {
    for (int i = 0; i < kLanes<T>; ++i)
        if (far[i]) {
            const double angle = static_cast<double>(x[i]);
            near[i] = static_cast<T>(kSine ? std::sin(angle) : std::cos(angle));
        }
    return near;
}

template <class T> DELTAPROP_INLINE Wave<T> wave(Vec<T> x) {
    using Of = Circle<T>;
    using Whole = Integer<T>;
    constexpr int kSign = 8 * sizeof(T) - 2;  // to the sign from the second lowest bit
    const Vec<T> shifted = x * Of::kQuarters + Of::kToWhole, n = shifted - Of::kToWhole;
    const Vec<Whole> quarter = bits<T>(shifted);  // n in the lowest bits
    const Vec<T> r = ((x - n * Of::kQuarter[0]) - n * Of::kQuarter[1]) - n * Of::kQuarter[2], u = r * r;
    const Vec<T> s = r + r * u * Of::sine(u), c = (T(1) - T(0.5) * u) + u * u * Of::cosine(u);
    const Vec<Whole> odd = (quarter & 1) != 0;
    Wave<T> y{from_bits<T>(bits<T>(select<T>(odd, s, c)) ^ (((quarter + 1) & 2) << kSign)),
              from_bits<T>(bits<T>(select<T>(odd, c, s)) ^ ((quarter & 2) << kSign))};
    const Vec<Whole> far = ~(x * x <= Of::kFarthest * Of::kFarthest);  // NaN is far, too
    if (__builtin_expect(any<T>(far), 0)) y = {far_out<T, false>(x, far, y.cosine), far_out<T, true>(x, far, y.sine)};
    return y;
}

}  // namespace deltaprop::DELTAPROP_ISA
