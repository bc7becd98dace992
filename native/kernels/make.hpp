// Defines make_panels() and make_lanes() of the instruction set that this file is compiled for.
#pragma once

#include "../trainers.hpp"
#include "lane_trainer.hpp"
#include "trainer.hpp"

namespace deltaprop::DELTAPROP_ISA {

Trainer* make_panels(const TrainerSettings& s) {
    if (s.precision == Precision::float64) return new TrainerOf<Singles<double>>(s);
    return new TrainerOf<Singles<float>>(s);
}

Trainer* make_lanes(const TrainerSettings& s) {
    if (s.precision == Precision::float64) return new LaneTrainer<double>(s);
    return new LaneTrainer<float>(s);
}

}  // namespace deltaprop::DELTAPROP_ISA
