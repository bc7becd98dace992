// The steps of an epoch: which rows they take, and what the optimizer counts.
#pragma once

#include <algorithm>
#include <cmath>

#include "steps.hpp"

namespace deltaprop {

// beta^t by pow every so many steps and products between: a function of t alone, so that a step has the same bits
// in whichever epoch it is taken, and the next one costs a product.
inline constexpr std::int64_t kProducts = 64;
inline double next_power(double power, double beta, std::int64_t t) {
    return t % kProducts == 0 ? std::pow(beta, static_cast<double>(t)) : power * beta;
}
inline double power(double beta, std::int64_t t) {
    double found = std::pow(beta, static_cast<double>(t - t % kProducts));
    for (std::int64_t left = t % kProducts; left > 0; --left) found *= beta;
    return found;
}

// Step `number` of an epoch of n rows, when so many steps have been done before it, in all epochs.
inline Step step_of(const Plan& plan, std::ptrdiff_t n, std::ptrdiff_t number, std::int64_t done) {
    const std::ptrdiff_t first = number * plan.batch_size;
    return {number, first, std::min(plan.batch_size, n - first), power(plan.rule.beta_1, done + 1),
            power(plan.rule.beta_2, done + 1)};
}
// The one after a step; of no rows behind the last one.
inline Step step_after(const Plan& plan, std::ptrdiff_t n, const Step& step, std::int64_t done) {
    const std::ptrdiff_t first = step.first + step.n;
    return {step.number + 1, first, std::min(plan.batch_size, n - first),
            next_power(step.beta_1_power, plan.rule.beta_1, done + 1),
            next_power(step.beta_2_power, plan.rule.beta_2, done + 1)};
}

}  // namespace deltaprop
