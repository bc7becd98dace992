// exp, log1p, log, tanh and the normal distribution on whole vectors.
//
// Polynomials fitted for least relative error (worked out for this file). The error is below 3 units in
// the last place, of most functions near 1; of the normal distribution in double below 4, and in float
// up to 100 in its tail, where x^2 / 2 has been rounded (tests/native/test_vector_math.py). Of a zero only
// tanh keeps the sign.
#pragma once

#include "math/simd.hpp"

namespace deltaprop::DELTAPROP_ISA {

// c[0] x^(n-1) + ... + c[n-1]
template <class T, std::size_t n> DELTAPROP_INLINE Vec<T> polynomial(Vec<T> x, const T (&c)[n]) {
    Vec<T> p = splat(c[0]);
    DELTAPROP_UNROLL for (std::size_t i = 1; i < n; ++i) p = p * x + c[i];
    return p;
}

// What exp is made of.
template <class T> struct Exponential;
template <> struct Exponential<float> {
    static constexpr float kToWhole = 12582912.0f;  // adding 1.5 * 2^23 rounds to a whole number
    static constexpr float kTwos = 1.44269504f;     // 1 / ln 2
    static constexpr float kLn2[] = {0.693359375f, -2.12194440e-4f};  // in two parts, n times the first exact
    static constexpr int kDigits = 23;              // below the exponent
    static constexpr float kLeast = -87.33654f, kGreatest = 88.72283f;  // of a normal result
    // (exp(r) - 1 - r) / r^2
    static constexpr float kRest[] = {0.00139517193f, 0.00836959821f, 0.0416661873f, 0.166665129f, 0.50000001f};
};
template <> struct Exponential<double> {
    static constexpr double kToWhole = 6755399441055744.0;  // 1.5 * 2^52
    static constexpr double kTwos = 1.4426950408889634;
    static constexpr double kLn2[] = {0.6931471805598903, 5.497923018708371e-14};
    static constexpr int kDigits = 52;
    static constexpr double kLeast = -708.3964185322641, kGreatest = 709.782712893384;
    static constexpr double kRest[] = {2.5053774238128313e-08, 2.762607417458944e-07, 2.755740763983233e-06,
                                       2.4801505187235742e-05, 0.00019841269718810501, 0.0013888888931632365,
                                       0.008333333333389672,   0.04166666666657656,   0.16666666666666588,
                                       0.5000000000000006};
};

// x = n ln 2 + rest; `power` is n where a number has its exponent: unsigned, for it may be anything where
// x is out of range.
template <class T> using Power = Several<std::make_unsigned_t<Integer<T>>, kLanes<T>>;
template <class T> struct Reduced {
    Vec<T> rest;
    Power<T> power;
};
template <class T> DELTAPROP_INLINE Reduced<T> reduce(Vec<T> x) {
    using Of = Exponential<T>;
    const Vec<T> shifted = x * Of::kTwos + Of::kToWhole;  // n stands in the lowest bits
    const Vec<T> n = shifted - Of::kToWhole;
    return {(x - n * Of::kLn2[0]) - n * Of::kLn2[1], (Power<T>)shifted << Of::kDigits};
}

// y 2^n. The exponent is added, not multiplied by: 2^n of the largest results is itself too large.
template <class T> DELTAPROP_INLINE Vec<T> raised(Vec<T> y, Power<T> power) { return (Vec<T>)((Power<T>)y + power); }

// exp(r) - 1 for |r| a little above ln(2) / 2
template <class T> DELTAPROP_INLINE Vec<T> small_expm1(Vec<T> r) {
    return r + r * r * polynomial<T>(r, Exponential<T>::kRest);
}

// exp(x), where x has been reduced already.
template <class T> DELTAPROP_INLINE Vec<T> exp(Vec<T> x, const Reduced<T>& r) {
    Vec<T> y = raised<T>(small_expm1<T>(r.rest) + T(1), r.power);
    y = x > Exponential<T>::kGreatest ? splat(std::numeric_limits<T>::infinity()) : y;
    y = x < Exponential<T>::kLeast ? splat<T>(0) : y;
    return x == x ? y : x;
}

// What is smaller than the smallest normal number becomes 0; NaN stays NaN.
template <class T> DELTAPROP_INLINE Vec<T> exp(Vec<T> x) { return exp<T>(x, reduce<T>(x)); }

// exp(x) - 1, for x <= 0.
template <class T> DELTAPROP_INLINE Vec<T> expm1_of_negative(Vec<T> x) {
    const Reduced<T> r = reduce<T>(x < -40 ? splat<T>(-40) : x);
    const Vec<T> scale = raised<T>(splat<T>(1), r.power);
    return small_expm1<T>(r.rest) * scale + (scale - T(1));
}

// log(1 + u) for 0 <= u <= 1.
DELTAPROP_INLINE Vec<float> log1p_of_share(Vec<float> u) {
    constexpr float c[] = {0.140122295f, 0.139995705f, 0.200108495f, 0.333332066f};
    const Vec<float> s = u / (u + 2.0f), z = s * s;
    return 2.0f * (s + s * z * polynomial<float>(z, c));
}
DELTAPROP_INLINE Vec<double> log1p_of_share(Vec<double> u) {
    constexpr double c[] = {0.17010791941402603, 0.08344428444222474, 0.12105065457380307, 0.13301106638479362,
                            0.15386549474843217, 0.18181744430330027, 0.22222223954966314, 0.28571428548097894,
                            0.40000000000155267, 0.6666666666666631};
    // 2 atanh(s) = 2s + s R(s^2), and 2s = u - s u: what is rounded of s counts for little
    const Vec<double> s = u / (u + 2.0), z = s * s;
    return u - s * (u - z * polynomial<double>(z, c));
}

// ln x for normal x > 0, infinity and NaN.
DELTAPROP_INLINE Vec<float> log(Vec<float> x) {
    // x = 2^n m with m from sqrt(1/2) to sqrt(2), ln m = 2 atanh((m - 1) / (m + 1))
    constexpr float c[] = {0.140122295f, 0.139995705f, 0.200108495f, 0.333332066f};
    const Vec<std::int32_t> b = bits<float>(x) - 0x3F3504F3;
    const Vec<std::int32_t> n = b >> 23;
    const Vec<float> m = from_bits<float>((b & 0x7FFFFF) + 0x3F3504F3);
    const Vec<float> s = (m - 1.0f) / (m + 1.0f), z = s * s;
    const Vec<float> whole = __builtin_convertvector(n, Vec<float>);
    const Vec<float> y = whole * 0.693147181f + 2.0f * (s + s * z * polynomial<float>(z, c));
    return x < std::numeric_limits<float>::infinity() ? y : x;
}
DELTAPROP_INLINE Vec<double> log(Vec<double> x) {
    constexpr double c[] = {0.1479563079694522,  0.15314084139475526, 0.18183562944382767, 0.22222198601121063,
                            0.28571428742102273, 0.3999999999941602,  0.6666666666666734};
    constexpr std::uint64_t kRoot = 0x3FE6A09E667F3BCD;  // of 1/2
    constexpr std::uint64_t kBias = 1023, kOf2To52 = 0x4330000000000000;
    // kBias is kept in n + kBias, so that it is not negative: then 2^52 + n + kBias has it in its lowest bits.
    // The bits of NaN less a constant are beyond signed numbers.
    const Vec<std::uint64_t> b = (Vec<std::uint64_t>)bits<double>(x) - (kRoot - (kBias << 52));
    const Vec<std::uint64_t> whole = (b >> 52) & 0x7FF;
    const Vec<double> n = from_bits<double>((Vec<std::int64_t>)(whole | kOf2To52)) - (4503599627370496.0 + kBias);
    const Vec<double> m = from_bits<double>((Vec<std::int64_t>)((b & 0xFFFFFFFFFFFFF) + kRoot));
    const Vec<double> f = m - 1.0, s = f / (m + 1.0), z = s * s;
    const Vec<double> rest = s * (f - z * polynomial<double>(z, c)) - n * 5.497923018708371e-14;
    const Vec<double> y = n * 0.6931471805598903 + (f - rest);
    return x < std::numeric_limits<double>::infinity() ? y : x;
}

template <class T> DELTAPROP_INLINE Vec<T> tanh(Vec<T> x) {
    constexpr Integer<T> kSign = std::numeric_limits<Integer<T>>::min();
    const Vec<T> e = expm1_of_negative<T>(T(-2) * abs<T>(x)), size = e / (e + T(2));
    return from_bits<T>((bits<T>(size) & ~kSign) | (bits<T>(x) & kSign));
}

// 1 / (1 + exp(-x)), without overflow.
template <class T> DELTAPROP_INLINE Vec<T> sigmoid(Vec<T> x) {
    const Vec<T> e = exp<T>(-abs<T>(x));
    const Vec<T> above = x < 0 ? e : splat<T>(1);
    return above / (e + T(1));
}

// log(1 + exp(x)), without overflow.
template <class T> DELTAPROP_INLINE Vec<T> softplus(Vec<T> x) {
    return (x < 0 ? splat<T>(0) : x) + log1p_of_share(exp<T>(-abs<T>(x)));
}

// Phi(x) and phi(x), the normal distribution and its density.
template <class T> struct Normal {
    Vec<T> distribution, density;
};
DELTAPROP_INLINE Normal<float> normal(Vec<float> x) {
    constexpr float c[] = {-0.0553134628f, 0.265813102f, -0.447266987f, 0.230884262f, 0.00713938424f,
                           0.187739362f,   0.247091342f, 0.281790515f,  0.282122452f};
    const Vec<float> half = exp<float>(-0.5f * x * x);
    const Vec<float> y = abs<float>(x) * 0.707106781f;
    const Vec<float> t = 1.0f / (y * 0.5f + 1.0f);
    // erfc(y) exp(y^2) / t, from 0 to 6.5
    const Vec<float> tail = 0.5f * polynomial<float>(t, c) * t * half;
    return {x < 0.0f ? tail : 1.0f - tail, half * 0.398942280f};
}
DELTAPROP_APART inline Normal<double> normal(Vec<double> x) {
    constexpr double c[] = {
        0.004163599719008317,  0.0019971765865593708, -0.011243132642828816, -0.006557112630490009,
        0.019668654936561804,  0.013793963817832568,  -0.03338401471947333,  -0.023374973413685725,
        0.06423343763090338,   0.027663690690847852,  -0.13953199561738738,  0.023955151339495388,
        0.2918612158798343,    -0.367299421249614,    -0.24057183020206208,  1.4703051913929996,
        -2.73896795498144,     3.4125154323963898,    -3.261435771912737,    2.5191166396838485,
        -1.6105665056657958,   0.8607598605188377};
    // x^2 in two parts, the first of them exact: in the tail exp makes much of its last digit
    const Vec<double> large = from_bits<double>(bits<double>(x) & ~std::int64_t{0x7FFFFFF});
    const Vec<double> exact = -0.5 * large * large;
    Reduced<double> r = reduce<double>(exact);
    r.rest += -0.5 * (x - large) * (x + large);
    const Vec<double> half = exp<double>(exact, r);
    // Phi(-y) exp(y^2 / 2) (y + 5) by the powers of y / (y + 5) - 7/16, from 0 to 40
    const Vec<double> y = abs<double>(x), capped = y > 40.0 ? splat(40.0) : y, by = 1.0 / (capped + 5.0);
    const Vec<double> tail = polynomial<double>(capped * by - 0.4375, c) * by * half;
    return {x < 0.0 ? tail : 1.0 - tail, half * 0.3989422804014327};
}

}  // namespace deltaprop::DELTAPROP_ISA
