#include "wasm/table.hpp"

#include <algorithm>
#include <cmath>

namespace deltaprop {
namespace {

// Whether a row of targets is what a loss learns from, and that in words.
bool suits(TargetsAre are, const double* t, std::ptrdiff_t k) {
    double sum = 0.0, least = 0.0, most = 0.0;
    for (std::ptrdiff_t j = 0; j < k; ++j) {
        if (!std::isfinite(t[j])) return false;
        sum += t[j];
        least = std::min(least, t[j]);
        most = std::max(most, t[j]);
    }
    switch (are) {
        case TargetsAre::distribution: return least >= 0.0 && std::abs(sum - 1.0) <= 1e-6;
        case TargetsAre::unit: return least >= 0.0 && most <= 1.0;
        case TargetsAre::real: return true;
        case TargetsAre::count: return least >= 0.0;
    }
    return false;
}
const char* in_words(TargetsAre are) {
    switch (are) {
        case TargetsAre::distribution: return "probabilities >= 0 that sum to 1 in each row";
        case TargetsAre::unit: return "values from 0 to 1";
        case TargetsAre::real: return "finite numbers";
        case TargetsAre::count: return "finite numbers >= 0";
    }
    return "";
}

// Says what is wrong with the rows; nothing where nothing is.
void check(const Given& given, const NetworkPlan& network, Sentence& refusal) {
    const std::ptrdiff_t n_in = network.layers[0].n_in, k = network.layers[network.n_layers - 1].n_out;
    if (given.n < 1) refusal << "A table has a row at least.";
    for (std::ptrdiff_t r = 0; refusal.empty() && r < given.n; ++r) {
        for (std::ptrdiff_t j = 0; refusal.empty() && j < n_in; ++j)
            if (!std::isfinite(given.x[r * n_in + j]))
                refusal << "Row " << r << " holds something that is not a finite number in column " << j << ".";
        if (!refusal.empty()) return;
        if (given.labels && (given.labels[r] < 0 || given.labels[r] >= k))
            refusal << "The label of row " << r << " is " << given.labels[r] << "; with " << k
                    << " outputs labels run from 0 to " << k - 1 << ".";
        const TargetsAre are = targets_of(network.loss);
        if (given.targets && !suits(are, given.targets.get() + r * k, k))
            refusal << "The targets of row " << r << " do not suit the loss, which learns from " << in_words(are) << ".";
        if (given.weights && !(given.weights[r] >= 0.0 && std::isfinite(given.weights[r])))
            refusal << "The weight of row " << r << " is not a finite number >= 0.";
    }
}

// Makes the mean of weights 1, so that dividing by rows keeps what they mean: as training/checks.py does, and not once
// more; false where all are 0.
bool make_even(double* weights, std::ptrdiff_t n) {
    const auto sum = [&] {
        double all = 0.0;
        for (std::ptrdiff_t r = 0; r < n; ++r) all += weights[r];
        return all;
    };
    if (std::abs(sum() / static_cast<double>(n) - 1.0) < 1e-12) return true;
    const double most = *std::max_element(weights, weights + n);
    if (most == 0.0) return false;
    for (std::ptrdiff_t r = 0; r < n; ++r) weights[r] /= most;
    const double by = static_cast<double>(n) / sum();
    for (std::ptrdiff_t r = 0; r < n; ++r) weights[r] *= by;
    return true;
}

}  // namespace

bool Table::take(Given given, const NetworkPlan& network, Sentence& refusal) {
    check(given, network, refusal);
    if (refusal.empty() && given.weights && !make_even(given.weights.get(), given.n))
        refusal << "All weights of the rows are 0.";
    Block<std::int64_t> labels;
    if (refusal.empty() && given.labels) {
        labels.reset(static_cast<std::int64_t*>(std::malloc(static_cast<std::size_t>(given.n) * sizeof(std::int64_t))));
        if (!labels) refusal << "A page has no memory for so many rows.";
    }
    if (!refusal.empty()) return false;
    const std::ptrdiff_t n = given.n;
    for (std::ptrdiff_t r = 0; labels && r < n; ++r) labels[r] = given.labels[r];
    given.labels.reset();
    given_ = std::move(given);
    labels_ = std::move(labels);
    rows_ = {Rows::Kind::float64, given_.x.get(), n, network.layers[0].n_in, nullptr, nullptr};
    targets_ = {labels_.get(), given_.targets.get(), given_.weights.get()};
    return true;
}

}  // namespace deltaprop
