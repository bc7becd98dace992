// Defines make_panels() and make_lanes() of the instruction set that this file is compiled for.
#pragma once

#include "lanes/steps.hpp"
#include "panels/steps.hpp"

namespace deltaprop::DELTAPROP_ISA {

// Returns make.operator()<T>() for the numbers of a precision.
template <class Make> Steps* with_number(Precision precision, Make make) {
    switch (precision) {
        case Precision::float32: return make.template operator()<float>();
        case Precision::float64: return make.template operator()<double>();
        case Precision::bfloat16: break;  // is make_bfloat16's
    }
    __builtin_unreachable();
}

Steps* make_panels(const Plan& plan, int n_threads, Memory& memory) {
    return with_number(plan.precision, [&]<class T>() -> Steps* { return make_in<PanelSteps<Singles<T>>>(memory, plan, n_threads, memory); });
}

Steps* make_lanes(const Plan& plan, int n_threads, Memory& memory) {
    return with_number(plan.precision, [&]<class T>() -> Steps* { return make_in<LaneSteps<T>>(memory, plan, n_threads, memory); });
}

}  // namespace deltaprop::DELTAPROP_ISA
