// A network that a page trains: itself, its rows, and where its training stands.
#pragma once

#include <memory>

#include "wasm/description.hpp"
#include "wasm/table.hpp"
#include "wasm/trace.hpp"

namespace deltaprop {

// Points origin + column across + row down of a plane through the inputs, row by row.
struct Plane {
    const double *origin = nullptr, *across = nullptr, *down = nullptr;
    std::ptrdiff_t columns = 0, rows = 0;
};

// Where a training stands: before step `step` of epoch `epoch`, both from 0.
struct Position {
    double epoch = 0, step = 0, steps_of_epoch = 0, steps_done = 0, rate = 0;
    double batch_loss = 0;       // of the last step, before it
    double epoch_loss = 0;       // the mean over the rows that this epoch has visited
    double last_epoch_loss = 0;  // the same of the epoch that ended last
    double diverged = 0;         // what of the step that comes is not finite, 1: the loss, 2: a gradient, 3: a parameter
};

class Network final : Watch {
public:
    // Says in `refusal` why there is none.
    static std::unique_ptr<Network> make(std::string_view description, Sentence& refusal);

    const Plan& plan() const { return description_->plan; }
    std::ptrdiff_t n_in() const { return plan().network.layers[0].n_in; }
    std::ptrdiff_t n_out() const { return plan().network.layers[plan().network.n_layers - 1].n_out; }
    std::ptrdiff_t n_parameters() const { return steps_->n_parameters(); }
    int n_states() const { return states_of(plan().rule.rule); }
    const Table& table(bool validation) const { return validation ? validation_ : training_; }
    Position position() const;

    void set(Numbers which, const double* flat);
    void get(Numbers which, double* flat) const { steps_->get(which, flat); }
    void set_rate(double rate);
    // Rows to learn from, or to judge by. As many of the former as before: the epoch goes on with them.
    bool take(bool validation, Given given, Sentence& refusal);

    // At most so many steps, and none beyond the end of the epoch: those done. Where the next cannot be done, it stands
    // before that one.
    std::ptrdiff_t run(std::ptrdiff_t most);

    // All that decides what comes next; a network of the same description goes on from it with the same bits.
    std::ptrdiff_t snapshot_size() const { return kHead + n_parameters() * (1 + n_states()); }
    void snapshot(double* to) const;
    bool restore(const double* from, std::ptrdiff_t n, Sentence& refusal);

    // The trace of the batch that comes next, or of rows of a table as a batch without masks; how many rows it has.
    std::ptrdiff_t trace_next();
    std::ptrdiff_t trace_rows(bool validation, const std::int32_t* rows, std::ptrdiff_t n, Sentence& refusal);
    // What those rows cost at other parameters, with the same masks.
    bool cost_at(const double* parameters, Cost& cost, Sentence& refusal);
    const Trace& trace() const { return *trace_; }
    const Cost& cost() const { return cost_; }
    const double* losses() const { return losses_.get(); }      // of each of its rows
    const std::int64_t* traced() const { return traced_.get(); }  // which rows they are

    // What is kept of a layer, for other rows.
    void predict(const double* x, std::ptrdiff_t n, Kept kept, std::ptrdiff_t layer, double* out);
    // The mean loss over a table, without penalties; `outputs`, where it is not null, takes the outputs of its rows.
    double evaluate(bool validation, double* outputs);
    // a of every neuron of some layers over a plane, neuron by neuron.
    void field(const Plane& plane, std::ptrdiff_t first_layer, std::ptrdiff_t last_layer, float* out);

private:
    static constexpr std::ptrdiff_t kHead = 11;

    Network() = default;
    bool goes_on(int) override { return true; }

    void begin_epoch(std::int64_t epoch);
    Step step_from(std::ptrdiff_t number) const;
    bool step();
    std::ptrdiff_t step_by_step(std::ptrdiff_t most);
    Trace& tracer();
    Cost go_forward(double* losses);
    template <class Each> void forward_by_parts(std::ptrdiff_t n, Each each);

    std::unique_ptr<Description> description_;
    PageMemory memory_;
    Steps* steps_ = nullptr;
    Table training_, validation_;
    double rate_ = 0.0;

    EpochTask task_;  // of the epoch that runs
    std::vector<std::int64_t> order_;
    std::vector<double> rates_;
    Step next_;
    std::int64_t epoch_ = 0, steps_done_ = 0;
    double total_ = 0.0, batch_loss_ = 0.0, last_epoch_loss_ = 0.0;
    std::ptrdiff_t rows_done_ = 0;
    int diverged_ = 0;
    std::vector<double> before_;  // a snapshot to come back to

    Trace* trace_ = nullptr;  // made when it is first asked for
    bool trace_is_old_ = true;
    Cost cost_;
    // What was traced last: how many rows of which table, and perhaps the masks of which step.
    struct Traced {
        const Table* table = nullptr;
        std::ptrdiff_t n = 0;
        bool has_masks = false;
        EpochTask task;
        Step step;
    } last_;
    Block<double> losses_;
    Block<std::int64_t> traced_;
};

}  // namespace deltaprop
