// What is to be trained, as plain data: the same for every instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace deltaprop {

enum class Activation {
#define DELTAPROP_ACTIVATION(name) name,
#include "names.def"
};

enum class Loss {
#define DELTAPROP_LOSS(name) name,
#include "names.def"
};

enum class Rule {
#define DELTAPROP_RULE(name, states) name,
#include "names.def"
};

// Numbers an optimizer keeps for each parameter.
constexpr int states_of(Rule rule) {
    switch (rule) {
#define DELTAPROP_RULE(name, states) \
    case Rule::name: return states;
#include "names.def"
    }
    return 0;
}

// What a layer does; the files of src/deltaprop/model/layers say it in full.
enum class Kind {
#define DELTAPROP_KIND(name) name,
#include "names.def"
};

struct LayerPlan {
    std::ptrdiff_t n_in = 0, n_out = 0;
    bool bias = true;
    Activation activation = Activation::identity;  // of a hidden layer; the loss brings the last
    std::uint32_t drop_threshold = 0;  // how many of 2^32 draws drop what enters the layer
    double drop_probability = 0.0;     // what is kept is divided by 1 minus it
    Kind kind = Kind::dense;
    double scale = 1.0;                  // of a dense layer's products; in NTK parametrization 1 / sqrt(n_in)
    double rates[4] = {1.0, 1.0, 1.0, 1.0};       // what eta is multiplied by, for each of its arrays
    Activation function = Activation::identity;  // f of a parametric activation
    std::ptrdiff_t n_columns = 0, n_waves = 0, n_mixtures = 0;   // of a periodic embedding
    std::ptrdiff_t first_group = 0, n_groups = 0, dimension = 0;  // of a category embedding
};

struct NetworkPlan {
    const LayerPlan* layers = nullptr;
    std::ptrdiff_t n_layers = 0;
    const std::ptrdiff_t* group_sizes = nullptr;  // columns of each group of categories, of all layers
    Loss loss = Loss::cross_entropy;
    double huber_width = 1.0, label_smoothing = 0.0, l2 = 0.0, l1 = 0.0;
};

struct RulePlan {
    Rule rule = Rule::adam;
    double momentum = 0.0, decay = 0.0, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-8,
           weight_decay = 0.0;
};

// Rows as they lie in memory: dense with a row stride, or compressed sparse rows.
struct Rows {
    enum class Kind { float32, float64, uint8 } kind = Kind::float32;
    const void* data = nullptr;
    std::ptrdiff_t n = 0, stride = 0;  // stride in numbers
    double scale = 1.0;                // what a number is multiplied by
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
    const double* learning_rates = nullptr;         // one for each step
    std::uint64_t mask_key[2] = {}, mask_counter[4] = {};  // of the dropout generator
    // told the rows done so far; true: stop. It does not throw.
    bool (*pulse)(void* context, std::ptrdiff_t done) = nullptr;
    void* pulse_context = nullptr;
};

struct EpochResult {
    double loss = 0.0;         // mean over the rows visited, each before its step
    std::ptrdiff_t steps = 0;  // done
    int diverged = 0;          // 1: the loss, 2: a gradient, 3: a parameter was not finite
};

// A network being trained: parameters, optimizer state and room for one batch.
class Trainer {
public:
    virtual ~Trainer() = default;
    virtual void set_parameters(const double* flat) = 0;
    virtual void get_parameters(double* flat) const = 0;
    virtual int n_states() const = 0;
    virtual int n_threads() const = 0;  // of a step, as things are now
    virtual void set_state(int which, const double* flat) = 0;
    virtual void get_state(int which, double* flat) const = 0;
    virtual void set_steps(std::int64_t steps) = 0;
    virtual std::int64_t steps() const = 0;
    virtual EpochResult epoch(const EpochTask& task) = 0;
    // several threads may ask at once, while nothing else is done
    virtual void logits(const Rows& rows, double* out) const = 0;
};

}  // namespace deltaprop
