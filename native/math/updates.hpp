// What an optimizer does to a vector of parameters, given their gradient.
#pragma once

#include "math/simd.hpp"
#include "steps.hpp"

namespace deltaprop::DELTAPROP_ISA {

// The numbers of one step, the same for all parameters.
template <class T> struct StepNumbers {
    T rate = 0;           // eta; of Adam eta / (1 - beta_1^t)
    T shrink = 0;         // eta weight_decay
    T by_root = 1;        // of Adam 1 / sqrt(1 - beta_2^t)
    T first = 0, first_rest = 0;    // momentum, or beta_1 and 1 - beta_1
    T second = 0, second_rest = 0;  // decay or beta_2, and 1 minus it
    T epsilon = 0;
};

template <class T> StepNumbers<T> step_numbers(const RulePlan& rule, double eta, const Step& step) {
    StepNumbers<T> n;
    n.rate = static_cast<T>(eta);
    n.shrink = static_cast<T>(eta * rule.weight_decay);
    n.epsilon = static_cast<T>(rule.epsilon);
    switch (rule.rule) {
        case Rule::gradient_descent: break;
        case Rule::momentum:
        case Rule::nesterov: n.first = static_cast<T>(rule.momentum); break;
        case Rule::rmsprop:
            n.second = static_cast<T>(rule.decay);
            n.second_rest = static_cast<T>(1.0 - rule.decay);
            break;
        case Rule::adam:
        case Rule::adamw:
            n.rate = static_cast<T>(eta / (1.0 - step.beta_1_power));
            n.by_root = static_cast<T>(1.0 / std::sqrt(1.0 - step.beta_2_power));
            [[fallthrough]];
        case Rule::lion:
            n.first = static_cast<T>(rule.beta_1);
            n.first_rest = static_cast<T>(1.0 - rule.beta_1);
            n.second = static_cast<T>(rule.beta_2);
            n.second_rest = static_cast<T>(1.0 - rule.beta_2);
            break;
    }
    return n;
}

// The same for an array whose eta is multiplied by a factor.
template <class T> DELTAPROP_INLINE StepNumbers<T> at_rate(StepNumbers<T> numbers, double factor) {
    numbers.rate = static_cast<T>(numbers.rate * factor);
    numbers.shrink = static_cast<T>(numbers.shrink * factor);
    return numbers;
}

// a / (sqrt(v) by + epsilon). In float by estimates that are refined once: a few units in the last
// place off, several times faster than square root and quotient.
template <class T> DELTAPROP_INLINE Vec<T> over_root(Vec<T> a, Vec<T> v, T by, T epsilon) {
    return a / (sqrt<T>(v) * by + epsilon);
}
#if defined(__AVX512F__)
DELTAPROP_INLINE Vec<float> nearly_by_root(Vec<float> v) { return _mm512_maskz_rsqrt14_ps(0xFFFF, v); }
DELTAPROP_INLINE Vec<float> nearly_by(Vec<float> v) { return _mm512_maskz_rcp14_ps(0xFFFF, v); }
#elif defined(__AVX2__)
DELTAPROP_INLINE Vec<float> nearly_by_root(Vec<float> v) { return _mm256_rsqrt_ps(v); }
DELTAPROP_INLINE Vec<float> nearly_by(Vec<float> v) { return _mm256_rcp_ps(v); }
#endif
#if defined(__AVX512F__) || defined(__AVX2__)
template <> DELTAPROP_INLINE Vec<float> over_root(Vec<float> a, Vec<float> v, float by, float epsilon) {
    v = v < 1e-37f ? splat(1e-37f) : v;
    Vec<float> r = nearly_by_root(v);
    r = r * (1.5f - 0.5f * v * r * r);
    const Vec<float> below = v * r * by + epsilon;
    Vec<float> q = nearly_by(below);
    q = q * (2.0f - below * q);
    return a * q;
}
#endif

template <class T> DELTAPROP_INLINE Vec<T> sign_of(Vec<T> x) {
    return x > 0 ? splat<T>(1) : (x < 0 ? splat<T>(-1) : Vec<T>{});
}

template <class T, Rule R>
DELTAPROP_INLINE Vec<T> updated(const StepNumbers<T>& n, Vec<T> w, Vec<T> g, T* m_at, T* v_at) {
    if constexpr (R == Rule::gradient_descent) {
        return w - n.rate * g;
    } else if constexpr (R == Rule::momentum || R == Rule::nesterov) {
        const Vec<T> v = n.first * load<T>(m_at) - n.rate * g;
        store<T>(m_at, v);
        if constexpr (R == Rule::momentum) return w + v;
        else return w + (n.first * v - n.rate * g);
    } else if constexpr (R == Rule::rmsprop) {
        const Vec<T> s = n.second * load<T>(m_at) + n.second_rest * (g * g);
        store<T>(m_at, s);
        return w - over_root<T>(n.rate * g, s, T(1), n.epsilon);
    } else if constexpr (R == Rule::lion) {
        const Vec<T> m = load<T>(m_at);
        store<T>(m_at, n.second * m + n.second_rest * g);
        return w - n.rate * sign_of<T>(n.first * m + n.first_rest * g);
    } else {
        static_assert(R == Rule::adam || R == Rule::adamw);
        const Vec<T> m = n.first * load<T>(m_at) + n.first_rest * g;
        const Vec<T> v = n.second * load<T>(v_at) + n.second_rest * (g * g);
        store<T>(m_at, m);
        store<T>(v_at, v);
        return w - over_root<T>(n.rate * m, v, n.by_root, n.epsilon);
    }
}

// lambda of both penalties.
template <class T> struct Penalized {
    double l2, l1;
    bool any;

    explicit Penalized(const NetworkPlan& network) : l2(network.l2), l1(network.l1), any(l2 > 0 || l1 > 0) {}

    // l2 / 2 sum of w^2 + l1 sum of |w|
    DELTAPROP_APART double value(Vec<T> w) const {
        T each[kLanes<T>];
        store(each, w);
        double squares = 0.0, sizes = 0.0;
        for (T x : each) {
            squares += double(x) * double(x);
            sizes += x < 0 ? -double(x) : double(x);
        }
        return l2 / 2 * squares + l1 * sizes;
    }
    Vec<T> gradient(Vec<T> w) const {
        return static_cast<T>(l2) * w + static_cast<T>(l1) * sign_of<T>(w);
    }
};

// Updates a vector of weights, which penalties and decay concern; returns 0 in every lane if all
// gradients were finite. `penalty` grows by what the weights cost before the step.
//
// The numbers should be the caller's own: what is stored might otherwise be one of them, for all that
// the compiler knows, and each would be read again for every vector.
template <class T, Rule R>
DELTAPROP_INLINE Vec<T> update_weight(const Penalized<T>& penalized, const StepNumbers<T>& numbers, T* W,
                                      Vec<T> g, T* m, T* v, double& penalty) {
    Vec<T> w = load<T>(W);
    if (penalized.any) {
        penalty += penalized.value(w);
        g += penalized.gradient(w);
    }
    if constexpr (decays(R)) w -= numbers.shrink * w;
    store<T>(W, updated<T, R>(numbers, w, g, m, v));
    return g - g;
}

// What the numbers of an array are to an update: whether penalties and decay concern them.
enum class Are { weights, others };

// Returns work.operator()<R>() of the rule.
template <class Work> DELTAPROP_INLINE auto with_rule(Rule rule, Work work) {
    switch (rule) {
#define DELTAPROP_RULE(name, ...) \
    case Rule::name: return work.template operator()<Rule::name>();
#include "names.def"
    }
    __builtin_unreachable();
}

// The vectors at 0, step, 2 step, ... below n of an array and its gradient; returns and adds as above.
template <class T>
DELTAPROP_APART Vec<T> update_vectors(Rule rule, const Penalized<T>& penalty_of, const StepNumbers<T>& given, Are are,
                                      std::ptrdiff_t n, std::ptrdiff_t step, T* W, const T* gradient, T* m, T* v,
                                      double& penalty) {
    return with_rule(rule, [=, &penalty_of, &given, &penalty]<Rule R>() {
        const Penalized<T> penalized = penalty_of;
        const StepNumbers<T> numbers = given;
        Vec<T> check{};
        for (std::ptrdiff_t i = 0; i < n; i += step) {
            const Vec<T> g = load<T>(gradient + i);
            T *m_at = states_of(R) > 0 ? m + i : nullptr, *v_at = states_of(R) > 1 ? v + i : nullptr;
            if (are == Are::weights) {
                check += update_weight<T, R>(penalized, numbers, W + i, g, m_at, v_at, penalty);
            } else {
                check += g - g;
                store<T>(W + i, updated<T, R>(numbers, load<T>(W + i), g, m_at, v_at));
            }
        }
        return check;
    });
}

}  // namespace deltaprop::DELTAPROP_ISA
