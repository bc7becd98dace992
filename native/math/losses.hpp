// The loss of some rows and their delta^L, from logits.
//
// As many rows as a vector has lanes are worked on at once: scratch arrays hold them class by class,
// one vector of rows each.
#pragma once

#include "plan.hpp"
#include "math/vector_math.hpp"

namespace deltaprop::DELTAPROP_ISA {

template <class T> DELTAPROP_INLINE Vec<T> largest(const T* z, std::ptrdiff_t k) {
    Vec<T> top = load<T>(z);
    for (std::ptrdiff_t j = 1; j < k; ++j) top = max<T>(load<T>(z + j * kLanes<T>), top);
    return top;
}

// Puts exp(z - top) in place of z and returns its sum over the classes.
template <class T> DELTAPROP_INLINE Vec<T> exponentials(T* z, std::ptrdiff_t k, Vec<T> top) {
    Vec<T> all{};
    for (std::ptrdiff_t j = 0; j < k; ++j) {
        const Vec<T> e = exp<T>(load<T>(z + j * kLanes<T>) - top);
        store<T>(z + j * kLanes<T>, e);
        all += e;
    }
    return all;
}

// Cross-entropy of labels. Of a few classes each is compared with the label of every row at once; of
// many the own one is looked up.
inline constexpr std::ptrdiff_t kFewClasses = 32;

template <class T> DELTAPROP_INLINE Vec<T> loss_of_few(std::ptrdiff_t k, T* z, const Integer<T>* labels, Vec<T> share) {
    constexpr int L = kLanes<T>;
    Vec<Integer<T>> label;
    std::memcpy(&label, labels, sizeof label);
    Vec<T> top = load<T>(z), own = top;  // a label that is none of the others is 0
    for (std::ptrdiff_t j = 1; j < k; ++j) {
        const Vec<T> z_j = load<T>(z + j * L);
        top = max<T>(z_j, top);
        own = label == static_cast<Integer<T>>(j) ? z_j : own;
    }
    const Vec<T> all = exponentials(z, k, top), by = share / all;
    for (std::ptrdiff_t j = 0; j < k; ++j) {
        const Vec<T> t_j = label == static_cast<Integer<T>>(j) ? share : Vec<T>{};
        store<T>(z + j * L, load<T>(z + j * L) * by - t_j);
    }
    return log(all) + (top - own);
}

template <class T> DELTAPROP_INLINE Vec<T> loss_of_many(std::ptrdiff_t k, T* z, const Integer<T>* labels, Vec<T> share) {
    constexpr int L = kLanes<T>;
    Vec<T> own{};
    for (int r = 0; r < L; ++r) own[r] = z[labels[r] * L + r];
    const Vec<T> top = largest(z, k), all = exponentials(z, k, top), by = share / all;
    for (std::ptrdiff_t j = 0; j < k; ++j) store<T>(z + j * L, load<T>(z + j * L) * by);
    for (int r = 0; r < L; ++r) z[labels[r] * L + r] -= share[r];
    return log(all) + (top - own);
}

// Cross-entropy of rows of probabilities.
template <class T> DELTAPROP_INLINE Vec<T> loss_of_distributions(std::ptrdiff_t k, T* z, const T* t, Vec<T> share) {
    constexpr int L = kLanes<T>;
    const Vec<T> top = largest(z, k);
    Vec<T> below{}, mass{};
    for (std::ptrdiff_t j = 0; j < k; ++j) {
        const Vec<T> t_j = load<T>(t + j * L);
        // a class of no probability may have the logit -infinity
        below += t_j == 0 ? splat<T>(0) : t_j * (load<T>(z + j * L) - top);
        mass += t_j;
    }
    const Vec<T> all = exponentials(z, k, top), by = T(1) / all;
    for (std::ptrdiff_t j = 0; j < k; ++j)
        store<T>(z + j * L, (load<T>(z + j * L) * by - load<T>(t + j * L)) * share);
    return mass * log(all) - below;
}

template <class T> DELTAPROP_INLINE Vec<T> squared_error_of_softmax(std::ptrdiff_t k, T* z, const T* t, Vec<T> share) {
    constexpr int L = kLanes<T>;
    const Vec<T> top = largest(z, k), all = exponentials(z, k, top), by = T(1) / all;
    Vec<T> loss{}, dot{};
    for (std::ptrdiff_t j = 0; j < k; ++j) {
        const Vec<T> p = load<T>(z + j * L) * by, difference = p - load<T>(t + j * L);
        loss += T(0.5) * difference * difference;
        dot += p * difference;
    }
    for (std::ptrdiff_t j = 0; j < k; ++j) {
        const Vec<T> p = load<T>(z + j * L) * by;
        store<T>(z + j * L, p * (p - load<T>(t + j * L) - dot) * share);
    }
    return loss;
}

// Of a loss that takes each output by itself: what one adds to the loss of its row, and dl/dz.
template <class T> struct Term {
    Vec<T> loss, delta;
};
template <class T> DELTAPROP_INLINE Term<T> binary_cross_entropy(Vec<T> z, Vec<T> t) {
    return {t * softplus<T>(-z) + (T(1) - t) * softplus<T>(z), sigmoid<T>(z) - t};
}
template <class T> DELTAPROP_INLINE Term<T> half_squared_error(Vec<T> z, Vec<T> t) {
    const Vec<T> difference = z - t;
    return {T(0.5) * difference * difference, difference};
}
template <class T> DELTAPROP_INLINE Term<T> half_squared_error_sigmoid(Vec<T> z, Vec<T> t) {
    const Vec<T> p = sigmoid<T>(z), difference = p - t;
    return {T(0.5) * difference * difference, difference * p * (T(1) - p)};
}
template <class T> DELTAPROP_INLINE Term<T> huber(Vec<T> z, Vec<T> t) {
    constexpr T threshold = 1;
    const Vec<T> difference = z - t, size = abs<T>(difference), far = threshold * (size - T(0.5) * threshold);
    const Vec<T> bound = difference < 0 ? splat<T>(-threshold) : splat<T>(threshold);
    return {size <= threshold ? T(0.5) * difference * difference : far, size <= threshold ? difference : bound};
}
template <class T> DELTAPROP_INLINE Term<T> poisson(Vec<T> z, Vec<T> t) {
    const Vec<T> p = exp<T>(z);
    return {p - t * z, p - t};
}
template <class T, Term<T> of(Vec<T>, Vec<T>)>
DELTAPROP_INLINE Vec<T> sum_of_terms(std::ptrdiff_t k, T* z, const T* t, Vec<T> share) {
    Vec<T> loss{};
    for (std::ptrdiff_t i = 0; i < k * kLanes<T>; i += kLanes<T>) {
        const Term<T> one = of(load<T>(z + i), load<T>(t + i));
        loss += one.loss;
        store<T>(z + i, one.delta * share);
    }
    return loss;
}

// Takes the logits z and the targets t, leaves share * dl/dz in z, and returns l of each row.
//
// labels: of each row, where the targets are labels and the loss is cross-entropy without
// smoothing; else null, and t holds the targets class by class.
template <class T> inline Vec<T> loss_of_rows(Loss loss, std::ptrdiff_t k, T* z, const T* t,
                                              const Integer<T>* labels, Vec<T> share) {
    switch (loss) {
        case Loss::cross_entropy:
            if (labels == nullptr) return loss_of_distributions<T>(k, z, t, share);
            return k <= kFewClasses ? loss_of_few<T>(k, z, labels, share) : loss_of_many<T>(k, z, labels, share);
        case Loss::half_squared_error_softmax: return squared_error_of_softmax<T>(k, z, t, share);
        case Loss::binary_cross_entropy: return sum_of_terms<T, binary_cross_entropy<T>>(k, z, t, share);
        case Loss::half_squared_error: return sum_of_terms<T, half_squared_error<T>>(k, z, t, share);
        case Loss::half_squared_error_sigmoid: return sum_of_terms<T, half_squared_error_sigmoid<T>>(k, z, t, share);
        case Loss::huber: return sum_of_terms<T, huber<T>>(k, z, t, share);
        case Loss::poisson: return sum_of_terms<T, poisson<T>>(k, z, t, share);
    }
    __builtin_unreachable();
}

}  // namespace deltaprop::DELTAPROP_ISA
