// What each build of the kernels makes of a network: its steps and its logits, on the memory and the
// threads of others. Kernels neither allocate nor throw nor start threads, so that the same sources
// compile to WebAssembly.
#pragma once

#include "plan.hpp"

namespace deltaprop {

// Where kernels get memory: each time some bytes that are 0, on cache lines of their own. It is taken
// when a network is made or an epoch begins, never in a step.
class Memory {
public:
    virtual void* take(std::size_t bytes) = 0;

protected:
    ~Memory() = default;
};

// Asked in the middle of a step: false, until whose weights change, leaves it as if it had not begun.
class Watch {
public:
    virtual bool goes_on(int thread) = 0;

protected:
    ~Watch() = default;
};

// Rows order[first], ..., order[first + n - 1] of an epoch; beta_1 and beta_2 to the power of its number,
// counted from the first step of all.
struct Step {
    std::ptrdiff_t number = 0, first = 0, n = 0;
    double beta_1_power = 1.0, beta_2_power = 1.0;
};

// What there is of each parameter: itself, and what the optimizer keeps.
enum class Numbers { parameters = -1, first_state, second_state };
#define DELTAPROP_RULE(name, states, ...) static_assert(states <= 2, "the kernels keep no third state of " #name);
#include "names.def"

// A network: parameters, optimizer state and room for one batch. It has no destructor; its memory is
// taken back as a whole.
class Steps {
public:
    virtual std::ptrdiff_t n_parameters() const = 0;
    virtual void set(Numbers which, const double* flat) = 0;
    virtual void get(Numbers which, double* flat) const = 0;
    virtual bool parameters_are_finite() const = 0;

    virtual int most_threads() const = 0;
    // The task and the memory stay until the epoch has ended.
    virtual void begin(const EpochTask& task, Memory& memory) = 0;
    virtual void share_out(int n_threads) = 0;  // a step; called before its threads begin
    // A step has two parts, and every thread has done the first before one begins the second.
    virtual void rows_part(const Step& step, int thread, Watch& watch) = 0;
    virtual bool weights_part(const Step& step, int thread) = 0;  // returns whether a gradient was not finite
    // Of a step that is done, while its successor's first part may run.
    virtual double loss_of(const Step& step) const = 0;

    // How many rows are predicted at a time, of so many; room for them; their logits, row by row.
    virtual std::ptrdiff_t predicted_at_once(std::ptrdiff_t rows) const = 0;
    virtual void* prediction_room(std::ptrdiff_t at_once, Memory& memory) const = 0;
    virtual void predict(const Rows& rows, std::ptrdiff_t first, std::ptrdiff_t n, void* room, double* out) const = 0;

protected:
    ~Steps() = default;
};

// The builds, each in a namespace of its own: no function compiled for one machine runs on another.
using MakeSteps = Steps*(const Plan& plan, int n_threads, Memory& memory);
#define DELTAPROP_BUILD(isa) \
    namespace isa {          \
    MakeSteps make_panels, make_lanes, make_bfloat16; \
    }
DELTAPROP_BUILD(avx512)
DELTAPROP_BUILD(avx512bf16)
DELTAPROP_BUILD(avx2)
DELTAPROP_BUILD(portable)
#undef DELTAPROP_BUILD

}  // namespace deltaprop
