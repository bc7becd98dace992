// Rows with their targets, as a page hands them over.
#pragma once

#include <cstdlib>
#include <memory>

#include "plan.hpp"
#include "wasm/system.hpp"

namespace deltaprop {

// Owns memory that was had by std::malloc.
struct FreeIt {
    void operator()(void* block) const { std::free(block); }
};
template <class T> using Block = std::unique_ptr<T[], FreeIt>;

// Rows of float64 numbers, with labels or with rows of targets, and perhaps weights.
struct Given {
    Block<double> x;
    std::ptrdiff_t n = 0;
    Block<std::int32_t> labels;
    Block<double> targets, weights;
};

class Table {
public:
    // Takes what was given, or says why not and leaves the table as it was.
    bool take(Given given, const NetworkPlan& network, Sentence& refusal);

    const Rows& rows() const { return rows_; }
    const Targets& targets() const { return targets_; }

private:
    Given given_;
    Block<std::int64_t> labels_;
    Rows rows_;
    Targets targets_;
};

}  // namespace deltaprop
