// Defines make_panels() and make_lanes() of the instruction set that this file is compiled for.
#pragma once

#include "lanes/steps.hpp"
#include "panels/steps.hpp"

namespace deltaprop::DELTAPROP_ISA {

Steps* make_panels(const Plan& plan, int n_threads, Memory& memory) {
    if (plan.precision == Precision::float64) return make_in<PanelSteps<Singles<double>>>(memory, plan, n_threads, memory);
    return make_in<PanelSteps<Singles<float>>>(memory, plan, n_threads, memory);
}

Steps* make_lanes(const Plan& plan, int n_threads, Memory& memory) {
    if (plan.precision == Precision::float64) return make_in<LaneSteps<double>>(memory, plan, n_threads, memory);
    return make_in<LaneSteps<float>>(memory, plan, n_threads, memory);
}

}  // namespace deltaprop::DELTAPROP_ISA
