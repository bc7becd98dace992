// What is to be trained, as a page describes it: a line for each thing, its name and then keywords, as in
//
//   layer kind=dense n_in=2 n_out=8 bias=true activation=tanh ...
//   network loss=cross_entropy label_smoothing=0 l2=0 l1=0
//   rule name=adam beta_1=0.9 beta_2=0.999 epsilon=1e-8
//   run batch_size=32 seed=0 shuffle=true
//
// with the keywords that Python gives (engines/kernels.py).
#pragma once

#include <string_view>
#include <vector>

#include "given.hpp"
#include "wasm/system.hpp"

namespace deltaprop {

struct Description {
    std::vector<OwnedLayer> layers;
    std::vector<LayerPlan> plans;  // the same, as the kernels read them
    Plan plan;                     // its layers are the plans
    std::uint64_t seed = 0;
    bool shuffle = true;

    Description() = default;
    Description(const Description&) = delete;
    Description& operator=(const Description&) = delete;
};

// Reads into `description`; where something does not fit, says the first such thing in `refusal`.
void read_description(std::string_view text, Description& description, Sentence& refusal);

}  // namespace deltaprop
