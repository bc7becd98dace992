// exp, log1p, tanh and the normal distribution on whole vectors.
//
// float: polynomials fitted for least relative error (worked out for this file; the error of each
// is a few units in the last place). double: the standard library, lane by lane; beside that a call
// costs nothing.
#pragma once

#include "simd.hpp"

namespace deltaprop::DELTAPROP_ISA {

template <class F> DELTAPROP_INLINE Vec<double> each(Vec<double> v, F f) {
    Vec<double> r{};
    for (int i = 0; i < kLanes<double>; ++i) r[i] = f(v[i]);
    return r;
}

// exp(r) - 1 for |r| <= ln(2) / 2.
DELTAPROP_INLINE Vec<float> small_expm1(Vec<float> r) {
    Vec<float> p = splat(0.00139517193f);
    p = p * r + 0.00836959821f;
    p = p * r + 0.0416661873f;
    p = p * r + 0.166665129f;
    p = p * r + 0.50000001f;
    return r + r * r * p;
}

struct Reduced {
    Vec<float> rest;         // x - n ln 2
    Vec<std::int32_t> power;  // 2^n as the bits of a float
};

DELTAPROP_INLINE Reduced reduce(Vec<float> x) {
    // adding 1.5 * 2^23 rounds to a whole number, which then stands in the lowest bits
    const Vec<float> shifted = x * 1.44269504f + 12582912.0f;
    const Vec<float> n = shifted - 12582912.0f;
    const Vec<float> rest = (x - n * 0.693359375f) + n * 2.12194440e-4f;  // ln 2 in two parts
    const Vec<std::int32_t> whole = bits<float>(shifted) - 0x4B400000;
    return {rest, (whole + 127) << 23};
}

inline constexpr float kLeastExponent = -87.0f, kGreatestExponent = 88.0f;

// What is smaller than the smallest normal number becomes 0; NaN stays NaN.
DELTAPROP_INLINE Vec<float> exp(Vec<float> x) {
    const Vec<float> inside =
        x > kGreatestExponent ? splat(kGreatestExponent) : (x < kLeastExponent ? splat(kLeastExponent) : x);
    const Reduced r = reduce(inside);
    Vec<float> y = (small_expm1(r.rest) + 1.0f) * from_bits<float>(r.power);
    // e^88 times what is left, so that overflow comes where it belongs
    y = x > kGreatestExponent ? (x > 88.7228f ? splat(std::numeric_limits<float>::infinity())
                                              : y * (1.0f + small_expm1(x - kGreatestExponent)))
                              : y;
    return x < kLeastExponent ? splat(0.0f) : y;
}
DELTAPROP_APART inline Vec<double> exp(Vec<double> x) {
    return each(x, [](double v) { return std::exp(v); });
}

// exp(x) - 1, for x <= 0.
DELTAPROP_INLINE Vec<float> expm1_of_negative(Vec<float> x) {
    const Vec<float> inside = x < -30.0f ? splat(-30.0f) : x;
    const Reduced r = reduce(inside);
    const Vec<float> scale = from_bits<float>(r.power);
    return small_expm1(r.rest) * scale + (scale - 1.0f);
}
DELTAPROP_APART inline Vec<double> expm1_of_negative(Vec<double> x) {
    return each(x, [](double v) { return std::expm1(v); });
}

// log(1 + u) for 0 <= u <= 1.
DELTAPROP_INLINE Vec<float> log1p_of_share(Vec<float> u) {
    const Vec<float> s = u / (u + 2.0f), z = s * s;
    Vec<float> p = splat(0.140122295f);
    p = p * z + 0.139995705f;
    p = p * z + 0.200108495f;
    p = p * z + 0.333332066f;
    return 2.0f * (s + s * z * p);
}
DELTAPROP_APART inline Vec<double> log1p_of_share(Vec<double> u) {
    return each(u, [](double v) { return std::log1p(v); });
}

// ln x for normal x > 0.
DELTAPROP_INLINE Vec<float> log(Vec<float> x) {
    // x = 2^n m with m from sqrt(1/2) to sqrt(2), ln m = 2 atanh((m - 1) / (m + 1))
    const Vec<std::int32_t> b = bits<float>(x) - 0x3F3504F3;
    const Vec<std::int32_t> n = b >> 23;
    const Vec<float> m = from_bits<float>((b & 0x7FFFFF) + 0x3F3504F3);
    const Vec<float> s = (m - 1.0f) / (m + 1.0f), z = s * s;
    Vec<float> p = splat(0.140122295f);
    p = p * z + 0.139995705f;
    p = p * z + 0.200108495f;
    p = p * z + 0.333332066f;
    const Vec<float> whole = __builtin_convertvector(n, Vec<float>);
    return whole * 0.693147181f + 2.0f * (s + s * z * p);
}
DELTAPROP_APART inline Vec<double> log(Vec<double> x) {
    return each(x, [](double v) { return std::log(v); });
}

DELTAPROP_INLINE Vec<float> tanh(Vec<float> x) {
    const Vec<float> size = abs<float>(x), z = x * x;
    Vec<float> p = splat(-0.00571704495f);
    p = p * z + 0.0206505872f;
    p = p * z - 0.0537434981f;
    p = p * z + 0.133314913f;
    p = p * z - 0.333332839f;
    const Vec<float> near = x + x * z * p;
    const Vec<float> capped = size > 10.0f ? splat(10.0f) : size;
    const Vec<float> e = exp(-2.0f * capped);
    const Vec<float> far = (1.0f - e) / (1.0f + e);
    const Vec<float> signed_far = x < 0.0f ? -far : far;
    return size < 0.625f ? near : (x == x ? signed_far : x);
}
DELTAPROP_APART inline Vec<double> tanh(Vec<double> x) {
    return each(x, [](double v) { return std::tanh(v); });
}

// 1 / (1 + exp(-x)), without overflow.
template <class T> DELTAPROP_INLINE Vec<T> sigmoid(Vec<T> x) {
    const Vec<T> e = exp(-abs<T>(x));
    const Vec<T> above = x < 0 ? e : splat<T>(1);
    return above / (e + T(1));
}

// log(1 + exp(x)), without overflow.
template <class T> DELTAPROP_INLINE Vec<T> softplus(Vec<T> x) {
    return (x < 0 ? splat<T>(0) : x) + log1p_of_share(exp(-abs<T>(x)));
}

// Phi(x) and phi(x), the normal distribution and its density.
template <class T> struct Normal {
    Vec<T> distribution, density;
};
DELTAPROP_INLINE Normal<float> normal(Vec<float> x) {
    const Vec<float> half = exp(-0.5f * x * x);
    const Vec<float> y = abs<float>(x) * 0.707106781f;
    const Vec<float> t = 1.0f / (y * 0.5f + 1.0f);
    // erfc(y) exp(y^2) / t, from 0 to 6.5
    Vec<float> p = splat(-0.0553134628f);
    p = p * t + 0.265813102f;
    p = p * t - 0.447266987f;
    p = p * t + 0.230884262f;
    p = p * t + 0.00713938424f;
    p = p * t + 0.187739362f;
    p = p * t + 0.247091342f;
    p = p * t + 0.281790515f;
    p = p * t + 0.282122452f;
    const Vec<float> tail = 0.5f * p * t * half;
    return {x < 0.0f ? tail : 1.0f - tail, half * 0.398942280f};
}
DELTAPROP_APART inline Normal<double> normal(Vec<double> x) {
    return {each(x, [](double v) { return 0.5 * std::erfc(-v * 0.70710678118654752440); }),
            each(x, [](double v) { return 0.39894228040143267794 * std::exp(-0.5 * v * v); })};
}

}  // namespace deltaprop::DELTAPROP_ISA
