// What is to be trained, as plain data: the same for every instruction set.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace deltaprop {

enum class Activation {
#define DELTAPROP_ACTIVATION(name) name,
#include "names.def"
};

enum class Loss {
#define DELTAPROP_LOSS(name, targets) name,
#include "names.def"
};

// What a row of targets is: numbers that sum to 1, each in [0, 1], any, or none below 0.
enum class TargetsAre { distribution, unit, real, count };
inline constexpr TargetsAre kTargetsAre[] = {
#define DELTAPROP_LOSS(name, targets) TargetsAre::targets,
#include "names.def"
};
constexpr TargetsAre targets_of(Loss loss) { return kTargetsAre[static_cast<int>(loss)]; }

enum class Rule {
#define DELTAPROP_RULE(name, ...) name,
#include "names.def"
};

// Numbers an optimizer keeps for each parameter, and whether weight decay is one of its settings.
inline constexpr int kStates[] = {
#define DELTAPROP_RULE(name, states, ...) states,
#include "names.def"
};
constexpr int states_of(Rule rule) { return kStates[static_cast<int>(rule)]; }
inline constexpr bool kDecays[] = {
#define DELTAPROP_RULE(name, states, ...) std::string_view(#__VA_ARGS__).find("weight_decay") != std::string_view::npos,
#include "names.def"
};
constexpr bool decays(Rule rule) { return kDecays[static_cast<int>(rule)]; }

// What a layer does; the files of src/deltaprop/model/layers say it in full.
enum class Kind {
#define DELTAPROP_KIND(name, ...) name,
#include "names.def"
};

struct LayerPlan {
    std::ptrdiff_t n_in = 0, n_out = 0;
    bool bias = true;
    Activation activation = Activation::identity;  // of a hidden layer; the last has none, for the loss brings it
    std::uint32_t drop_threshold = 0;  // how many of 2^32 draws drop what enters the layer
    double drop_probability = 0.0;     // what is kept is divided by 1 minus it
    Kind kind = Kind::dense;
    double scale = 1.0;                  // of a dense layer's products; in NTK parametrization 1 / sqrt(n_in)
    double rates[4] = {1.0, 1.0, 1.0, 1.0};       // what eta is multiplied by, for each of its arrays
    Activation function = Activation::identity;  // f of a parametric activation
    double epsilon = 0.0;                        // of layer normalization
    std::ptrdiff_t n_columns = 0, n_waves = 0, n_mixtures = 0;   // of a periodic embedding
    std::ptrdiff_t n_groups = 0, dimension = 0;  // of a category embedding
    const std::ptrdiff_t* group_sizes = nullptr;  // its columns in each group
};

struct NetworkPlan {
    const LayerPlan* layers = nullptr;
    std::ptrdiff_t n_layers = 0;
    Loss loss = Loss::cross_entropy;
    double label_smoothing = 0.0, l2 = 0.0, l1 = 0.0;
};

struct RulePlan {
    Rule rule = Rule::gradient_descent;
    double momentum = 0.0, decay = 0.0, beta_1 = 0.0, beta_2 = 0.0, epsilon = 0.0, weight_decay = 0.0;
};

// What a number is. bfloat16: the products round to it what they read; all else is float32.
enum class Precision { float32, float64, bfloat16 };

// A network with what is to be made of it.
struct Plan {
    NetworkPlan network;
    RulePlan rule;
    std::ptrdiff_t batch_size = 1;
    int n_threads = 1;  // of a step, at most
    Precision precision = Precision::float32;
    bool for_training = true;
    bool sparse = false;  // the rows will be
};

// Rows as they lie in memory: dense with a row stride, or compressed sparse rows.
struct Rows {
    enum class Kind { float32, float64, uint8 } kind = Kind::float32;
    const void* data = nullptr;
    std::ptrdiff_t n = 0, stride = 0;       // stride in numbers
    const std::int64_t* starts = nullptr;   // sparse: where each row starts
    const std::int32_t* columns = nullptr;  // sparse: null for dense rows
};

struct Targets {
    const std::int64_t* labels = nullptr;  // one class a row
    const double* dense = nullptr;         // or one row of numbers each
    const double* weights = nullptr;       // null: 1 for every row
};

// One pass over the rows.
struct EpochTask {
    Rows rows;
    Targets targets;
    const std::int64_t* order = nullptr;
    std::ptrdiff_t n = 0;
    const double* learning_rates = nullptr;                // one for each step
    std::array<std::uint64_t, 2> mask_key{};  // of the dropout generator
    std::array<std::uint64_t, 4> mask_counter{};
    std::ptrdiff_t mask_word = 0;  // of the stream: with which the first mask begins
    double total = 0.0;            // what the losses of the epoch's steps before came to, added up over their rows
};

}  // namespace deltaprop
