// Defines make() of the instruction set that this file is compiled for.
#pragma once

#include "../trainers.hpp"
#include "lane_trainer.hpp"
#include "trainer.hpp"

namespace deltaprop::DELTAPROP_ISA {

template <class T> Trainer* make_of(const TrainerSettings& s) {
    if (s.layout == Layout::lanes) return new LaneTrainer<T>(s);
    return new TrainerOf<Singles<T>>(s);
}

Trainer* make(const TrainerSettings& s) {
    return s.precision == Precision::float64 ? make_of<double>(s) : make_of<float>(s);
}

}  // namespace deltaprop::DELTAPROP_ISA
