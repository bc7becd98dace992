// From logits in panels to delta^L in their place, with the loss of each row.
#pragma once

#include "math/losses.hpp"
#include "math/memory.hpp"
#include "panels/transpose.hpp"

namespace deltaprop::DELTAPROP_ISA {

template <class T> class Output {
    static constexpr int P = kPanel<T>, L = kLanes<T>;

public:
    // For n_out outputs; each thread has one of its own.
    Output(Memory& memory, std::ptrdiff_t n_out)
        : k_(n_out), z_(memory, transposed_size<T>(n_out)), t_(memory, transposed_size<T>(n_out)) {}

    // Works on n rows of a batch of `batch_rows`: `order` says which rows of the table they are.
    void compute_loss(const NetworkPlan& network, const Targets& targets, const std::int64_t* order,
              std::ptrdiff_t n, std::ptrdiff_t batch_rows, T* logits, std::ptrdiff_t stride,
              double* losses) {
        for (std::ptrdiff_t start = 0; start < n; start += L) {
            const int rows = static_cast<int>(n - start < L ? n - start : L);
            T* at = logits + start * P;
            to_columns(rows, at, stride, k_, z_.get());
            const Doubles<T> loss = compute_loss(network, targets, order + start, rows, batch_rows, z_.get());
            std::memcpy(losses + start, loss.part, static_cast<std::size_t>(rows) * sizeof(double));
            // what pads a row is 0
            for (std::ptrdiff_t i = k_ * L; i < z_.size(); ++i) z_[i] = 0;
            to_rows(rows, z_.get(), k_, at, stride);
        }
    }

    // The same for one group of rows that lie in the lanes of vectors, one vector for each output: puts
    // delta^L in the place of the logits. The lanes past `rows` hold any rows; their share is 0.
    // Returns the losses of the rows, weighed by their shares.
    Doubles<T> compute_loss(const NetworkPlan& network, const Targets& targets, const std::int64_t* order, int rows,
                    std::ptrdiff_t batch_rows, T* z) {
        const bool by_label = targets.labels != nullptr && network.loss == Loss::cross_entropy &&
                              network.label_smoothing == 0.0;
        const double even = 1.0 / static_cast<double>(batch_rows);
        Integer<T> labels[L];
        double shares[L];
        if (by_label && targets.weights == nullptr) {  // as most are
            for (int r = 0; r < L; ++r) labels[r] = static_cast<Integer<T>>(targets.labels[order[r < rows ? r : 0]]);
            const Vec<T> share = first_lanes<T>(rows, static_cast<T>(even));
            const Vec<T> loss = loss_of_rows<T>(network.loss, k_, z, nullptr, labels, share);
            for (double& each : shares) each = even;
            return in_double<T>(first_lanes<T>(rows, loss), shares);
        }
        bool all = rows == L;
        for (int r = 0; r < L; ++r) {
            const std::int64_t of = order[r < rows ? r : 0];
            shares[r] = r >= rows ? 0.0 : targets.weights ? targets.weights[of] * even : even;
            all = all && shares[r] != 0.0;
            if (by_label) labels[r] = static_cast<Integer<T>>(targets.labels[of]);
            else read_targets(network, targets, of, r);
        }
        Vec<T> share;
        for (int r = 0; r < L; ++r) share[r] = static_cast<T>(shares[r]);
        Vec<T> loss = loss_of_rows<T>(network.loss, k_, z, t_.get(), by_label ? labels : nullptr, share);
        // a row of no weight leaves nothing, not even 0 times infinity
        for (int r = 0; r < L && !all; ++r) {
            if (shares[r] != 0.0) continue;
            loss[r] = 0;
            for (std::ptrdiff_t j = 0; j < k_; ++j) z[j * L + r] = 0;
        }
        return in_double<T>(loss, shares);
    }

private:
    // The targets of a row, one to a vector.
    void read_targets(const NetworkPlan& network, const Targets& targets, std::int64_t of, int r) {
        const double e = network.label_smoothing;
        const double rest = e / (targets_of(network.loss) == TargetsAre::distribution ? static_cast<double>(k_) : 2.0);
        for (std::ptrdiff_t j = 0; j < k_; ++j) {
            double t = targets.dense ? targets.dense[of * k_ + j]
                       : k_ == 1     ? static_cast<double>(targets.labels[of])
                                     : static_cast<double>(j == targets.labels[of]);
            if (e > 0.0) t = (1.0 - e) * t + rest;
            t_[j * L + r] = static_cast<T>(t);
        }
    }

    std::ptrdiff_t k_;
    Buffer<T> z_, t_;
};

}  // namespace deltaprop::DELTAPROP_ISA
