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

template <class T>
DELTAPROP_INLINE Vec<T> loss_of_few(std::ptrdiff_t k, T* z, const Integer<T>* labels, Vec<T> share) {
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

template <class T>
DELTAPROP_INLINE Vec<T> loss_of_many(std::ptrdiff_t k, T* z, const Integer<T>* labels, Vec<T> share) {
    constexpr int L = kLanes<T>;
    Vec<T> own{};
    for (int r = 0; r < L; ++r) own[r] = z[labels[r] * L + r];
    const Vec<T> top = largest(z, k), all = exponentials(z, k, top), by = share / all;
    for (std::ptrdiff_t j = 0; j < k; ++j) store<T>(z + j * L, load<T>(z + j * L) * by);
    for (int r = 0; r < L; ++r) z[labels[r] * L + r] -= share[r];
    return log(all) + (top - own);
}

// Takes the logits z and the targets t, leaves share * dl/dz in z, and returns l of each row.
//
// labels: of each row, where the targets are labels and the loss is cross-entropy without
// smoothing; else null, and t holds the targets class by class.
template <class T>
inline Vec<T> loss_of_rows(const NetworkPlan& plan, std::ptrdiff_t k, T* z, const T* t,
                           const Integer<T>* labels, Vec<T> share) {
    constexpr int L = kLanes<T>;
    if (plan.loss == Loss::cross_entropy && labels != nullptr)
        return k <= kFewClasses ? loss_of_few<T>(k, z, labels, share) : loss_of_many<T>(k, z, labels, share);
    Vec<T> loss{};
    if (plan.loss == Loss::cross_entropy || plan.loss == Loss::half_squared_error_softmax) {
        const bool squared = plan.loss == Loss::half_squared_error_softmax;
        const Vec<T> top = largest(z, k);
        Vec<T> below{}, mass{};
        if (!squared)
            for (std::ptrdiff_t j = 0; j < k; ++j) {
                const Vec<T> t_j = load<T>(t + j * L);
                // a class of no probability may have the logit -infinity
                below += t_j == 0 ? splat<T>(0) : t_j * (load<T>(z + j * L) - top);
                mass += t_j;
            }
        const Vec<T> all = exponentials(z, k, top), by = T(1) / all;
        if (!squared) {
            for (std::ptrdiff_t j = 0; j < k; ++j)
                store<T>(z + j * L, (load<T>(z + j * L) * by - load<T>(t + j * L)) * share);
            return mass * log(all) - below;
        }
        Vec<T> dot{};
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
    for (std::ptrdiff_t j = 0; j < k; ++j) {
        const Vec<T> z_j = load<T>(z + j * L), t_j = load<T>(t + j * L);
        Vec<T> delta{};
        switch (plan.loss) {
            case Loss::binary_cross_entropy:
                loss += t_j * softplus<T>(-z_j) + (T(1) - t_j) * softplus<T>(z_j);
                delta = sigmoid<T>(z_j) - t_j;
                break;
            case Loss::half_squared_error:
                delta = z_j - t_j;
                loss += T(0.5) * delta * delta;
                break;
            case Loss::half_squared_error_sigmoid: {
                const Vec<T> p = sigmoid<T>(z_j), difference = p - t_j;
                loss += T(0.5) * difference * difference;
                delta = difference * p * (T(1) - p);
                break;
            }
            case Loss::huber: {
                constexpr T width = 1;
                const Vec<T> difference = z_j - t_j, size = abs<T>(difference);
                const Vec<T> far = width * (size - T(0.5) * width);
                loss += size <= width ? T(0.5) * difference * difference : far;
                const Vec<T> sign = difference < 0 ? splat<T>(-width) : splat<T>(width);
                delta = size <= width ? difference : sign;
                break;
            }
            default: {  // poisson
                const Vec<T> p = exp<T>(z_j);
                loss += p - t_j * z_j;
                delta = p - t_j;
            }
        }
        store<T>(z + j * L, delta * share);
    }
    return loss;
}

}  // namespace deltaprop::DELTAPROP_ISA
