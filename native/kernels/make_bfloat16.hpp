// Defines make_bfloat16() of the instruction set that this file is compiled for.
#pragma once

#include "../trainers.hpp"
#include "trainer.hpp"

namespace deltaprop::DELTAPROP_ISA {

Trainer* make_bfloat16(const TrainerSettings& s) { return new TrainerOf<Pairs>(s); }

}  // namespace deltaprop::DELTAPROP_ISA
