// Defines make_bfloat16() of the instruction set that this file is compiled for.
#pragma once

#include "panels/steps.hpp"

namespace deltaprop::DELTAPROP_ISA {

Steps* make_bfloat16(const Plan& plan, int n_threads, Memory& memory) {
    return make_in<PanelSteps<Pairs>>(memory, plan, n_threads, memory);
}

}  // namespace deltaprop::DELTAPROP_ISA
