// Defines make() of the instruction set that this file is compiled for.
#pragma once

#include "../trainers.hpp"
#include "trainer.hpp"

namespace deltaprop::DELTAPROP_ISA {

Trainer* make(const TrainerSettings& s) {
    if (s.float64) return new TrainerOf<double>(s);
    return new TrainerOf<float>(s);
}

}  // namespace deltaprop::DELTAPROP_ISA
