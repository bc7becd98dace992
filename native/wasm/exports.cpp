// The C interface of the kernels in a page: src/deltaprop/studio/page/engine.js is its other side. Numbers that come back
// negative, and networks that are null, have a sentence in dp_message().
#include "wasm/network.hpp"

#define DELTAPROP_EXPORT(name) extern "C" __attribute__((export_name(#name)))

using namespace deltaprop;

namespace {

Sentence message;

Sentence& refusal() {
    message.clear();
    return message;
}
bool has_rows(const Network& network, bool validation) {
    if (network.table(validation).rows().n > 0) return true;
    refusal() << "The network has no rows for that yet.";
    return false;
}

}  // namespace

// What the kernels know, a line for each: its kind, its name, and what there is to know of it.
DELTAPROP_EXPORT(dp_names) const char* dp_names() {
    return ""
#define DELTAPROP_ACTIVATION(name) "activation " #name "\n"
#define DELTAPROP_LOSS(name, targets) "loss " #name " " #targets "\n"
#define DELTAPROP_KIND(name, ...) "layer " #name " " #__VA_ARGS__ "\n"
#define DELTAPROP_RULE(name, ...) "optimizer " #name " " #__VA_ARGS__ "\n"
#include "names.def"
        ;
}
DELTAPROP_EXPORT(dp_message) const char* dp_message() { return message.text(); }

// Memory for what is handed over; null where there is none.
DELTAPROP_EXPORT(dp_alloc) void* dp_alloc(std::size_t bytes) { return std::malloc(bytes == 0 ? 1 : bytes); }
DELTAPROP_EXPORT(dp_free) void dp_free(void* block) { std::free(block); }

DELTAPROP_EXPORT(dp_create) Network* dp_create(const char* description, std::size_t length) {
    return Network::make({description, length}, refusal()).release();
}
DELTAPROP_EXPORT(dp_destroy) void dp_destroy(Network* network) { delete network; }
DELTAPROP_EXPORT(dp_parameters) int dp_parameters(const Network* network) {
    return static_cast<int>(network->n_parameters());
}
DELTAPROP_EXPORT(dp_states) int dp_states(const Network* network) { return network->n_states(); }
DELTAPROP_EXPORT(dp_rows) int dp_rows(const Network* network, int validation) {
    return static_cast<int>(network->table(validation).rows().n);
}

// which: -1 parameters, 0 and 1 what the optimizer keeps.
DELTAPROP_EXPORT(dp_set) void dp_set(Network* network, int which, const double* flat) {
    network->set(static_cast<Numbers>(which), flat);
}
DELTAPROP_EXPORT(dp_get) void dp_get(const Network* network, int which, double* flat) {
    network->get(static_cast<Numbers>(which), flat);
}
DELTAPROP_EXPORT(dp_set_rate) void dp_set_rate(Network* network, double rate) { network->set_rate(rate); }

// Takes the arrays, which dp_alloc gave; labels or targets, and weights, may be null.
DELTAPROP_EXPORT(dp_take_rows) int dp_take_rows(Network* network, int validation, int n, double* x, std::int32_t* labels,
                                                double* targets, double* weights) {
    Given given;
    given.n = n;
    given.x.reset(x);
    given.labels.reset(labels);
    given.targets.reset(targets);
    given.weights.reset(weights);
    return network->take(validation, std::move(given), refusal()) ? 0 : -1;
}

DELTAPROP_EXPORT(dp_run) int dp_run(Network* network, int most) {
    if (!has_rows(*network, false)) return -1;
    return static_cast<int>(network->run(most));
}
DELTAPROP_EXPORT(dp_position) void dp_position(const Network* network, Position* to) { *to = network->position(); }

DELTAPROP_EXPORT(dp_snapshot_size) int dp_snapshot_size(const Network* network) {
    return static_cast<int>(network->snapshot_size());
}
DELTAPROP_EXPORT(dp_snapshot) void dp_snapshot(const Network* network, double* to) { network->snapshot(to); }
DELTAPROP_EXPORT(dp_restore) int dp_restore(Network* network, const double* from, int n) {
    return network->restore(from, n, refusal()) ? 0 : -1;
}

// Returns how many rows are traced: those of the step that comes, or the ones that are named.
DELTAPROP_EXPORT(dp_trace_next) int dp_trace_next(Network* network) {
    if (!has_rows(*network, false)) return -1;
    return static_cast<int>(network->trace_next());
}
DELTAPROP_EXPORT(dp_trace_rows) int dp_trace_rows(Network* network, int validation, const std::int32_t* rows, int n) {
    return static_cast<int>(network->trace_rows(validation, rows, n, refusal()));
}
DELTAPROP_EXPORT(dp_traced) void dp_traced(const Network* network, int kept, int layer, double* out) {
    network->trace().get(static_cast<Kept>(kept), layer, out);
}
DELTAPROP_EXPORT(dp_traced_gradient) void dp_traced_gradient(const Network* network, int with_penalties, double* flat) {
    network->trace().get_gradient(with_penalties, flat);
}
DELTAPROP_EXPORT(dp_traced_cost) void dp_traced_cost(const Network* network, Cost* to) { *to = network->cost(); }
DELTAPROP_EXPORT(dp_traced_losses) const double* dp_traced_losses(const Network* network) { return network->losses(); }
DELTAPROP_EXPORT(dp_traced_rows) const std::int64_t* dp_traced_rows(const Network* network) { return network->traced(); }
DELTAPROP_EXPORT(dp_cost_at) int dp_cost_at(Network* network, const double* parameters, Cost* to) {
    return network->cost_at(parameters, *to, refusal()) ? 0 : -1;
}

DELTAPROP_EXPORT(dp_predict) void dp_predict(Network* network, const double* x, int n, int kept, int layer, double* out) {
    network->predict(x, n, static_cast<Kept>(kept), layer, out);
}
DELTAPROP_EXPORT(dp_evaluate) int dp_evaluate(Network* network, int validation, double* loss, double* outputs) {
    if (!has_rows(*network, validation)) return -1;
    *loss = network->evaluate(validation, outputs);
    return 0;
}
DELTAPROP_EXPORT(dp_field) void dp_field(Network* network, const double* origin, const double* across, const double* down,
                                         int columns, int rows, int first_layer, int last_layer, float* out) {
    network->field({origin, across, down, columns, rows}, first_layer, last_layer, out);
}
