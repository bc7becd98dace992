// The arrays of a layer that is not dense, as records.
//
// A record holds the parameters that one block of work updates together: those of a panel of columns,
// of one embedded column, of one category. Each array has a part in it that begins on a whole vector,
// padded with zeros, so that records are updated in vectors and no thread touches another's numbers.
#pragma once

#include "math/memory.hpp"
#include "math/updates.hpp"

namespace deltaprop::DELTAPROP_ISA {

// What is an array's in a record.
struct Part {
    std::ptrdiff_t at = 0, length = 0;  // in each record; the last one may have less
    std::ptrdiff_t total = 0;           // numbers of the array, in all records
    bool penalized = false;             // by l2, l1 and weight decay
    double rate = 1.0;                  // what eta is multiplied by
};

struct Records {
    Part parts[4];
    int n_parts = 0;
    std::ptrdiff_t n = 0, size = 0;  // records, and the numbers of each
};

// The arrays stand in the flat vector in the same order as the parts.
template <class T> Records records_of(const LayerPlan& plan) {
    Records records;
    const auto add = [&](std::ptrdiff_t length, std::ptrdiff_t total, bool penalized) {
        records.parts[records.n_parts] = {records.size, length, total, penalized, plan.rates[records.n_parts]};
        ++records.n_parts;
        records.size += (length + kLanes<T> - 1) / kLanes<T> * kLanes<T>;
        records.n = (total + length - 1) / length;
    };
    switch (plan.kind) {
        case Kind::dense: break;
        case Kind::scaling:
        case Kind::parametric_activation: add(kPanel<T>, plan.n_in, false); break;
        case Kind::layer_norm:  // g and b
            add(kPanel<T>, plan.n_in, false);
            add(kPanel<T>, plan.n_in, false);
            break;
        case Kind::periodic_embedding: {
            const std::ptrdiff_t columns = plan.n_columns, waves = plan.n_waves, mixtures = plan.n_mixtures;
            add(waves, columns * waves, false);                        // omega
            add(waves, columns * waves, false);                        // phi
            add(waves * mixtures, columns * waves * mixtures, true);   // V
            add(mixtures, columns * mixtures, false);                  // v
            break;
        }
        case Kind::category_embedding: {
            const std::ptrdiff_t passed = plan.n_out - plan.n_groups * plan.dimension;
            add(plan.dimension, (plan.n_in - passed) * plan.dimension, true);
            break;
        }
    }
    return records;
}

inline std::ptrdiff_t numbers_of(const Records& records) {
    std::ptrdiff_t n = 0;
    for (int p = 0; p < records.n_parts; ++p) n += records.parts[p].total;
    return n;
}

// each(i, place): number i of the flat vector, and where it stands in the records.
template <class Each> void each_number(const Records& records, Each each) {
    std::ptrdiff_t i = 0;
    for (int p = 0; p < records.n_parts; ++p) {
        const Part& part = records.parts[p];
        for (std::ptrdiff_t k = 0; k < part.total; ++k, ++i)
            each(i, k / part.length * records.size + part.at + k % part.length);
    }
}

// Updates one record from its gradient; returns 0 in every lane if all gradients were finite. `penalty`
// grows by what the penalized numbers cost before the step.
template <class T>
Vec<T> update_record(const NetworkPlan& network, Rule rule, const Records& records, const StepNumbers<T>& numbers,
                     T* W, const T* gradient, T* m, T* v, double& penalty) {
    const Penalized<T> penalized(network);
    const auto at = [](T* array, std::ptrdiff_t i) { return array ? array + i : nullptr; };
    Vec<T> check{};
    for (int p = 0; p < records.n_parts; ++p) {
        const Part& part = records.parts[p];
        check += update_vectors<T>(rule, penalized, at_rate(numbers, part.rate),
                                   part.penalized ? Are::weights : Are::others, part.length, kLanes<T>, W + part.at,
                                   gradient + part.at, at(m, part.at), at(v, part.at), penalty);
    }
    return check;
}

}  // namespace deltaprop::DELTAPROP_ISA
