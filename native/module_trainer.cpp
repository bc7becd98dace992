// The Python face of the trainer. Whatever crosses this border is measured here before compiled code
// reads or writes by it: what somebody may have given wrongly has its sentence in Python before.
#include "module_trainer.hpp"

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <stdexcept>

#include "permutation.hpp"
#include "team.hpp"
#include "trainers.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace deltaprop {
namespace {

template <class E> E number_of(const std::string& name, std::initializer_list<const char*> names) {
    int i = 0;
    for (const char* known : names) {
        if (name == known) return static_cast<E>(i);
        ++i;
    }
    throw std::invalid_argument("The native engine knows no '" + name + "'.");
}

Activation activation_of(const std::string& name) {
    return number_of<Activation>(name, {
#define DELTAPROP_ACTIVATION(name) #name,
#include "names.def"
    });
}
Kind kind_of(const std::string& name) {
    return number_of<Kind>(name, {
#define DELTAPROP_KIND(name) #name,
#include "names.def"
    });
}
Loss loss_of(const std::string& name) {
    return number_of<Loss>(name, {
#define DELTAPROP_LOSS(name) #name,
#include "names.def"
    });
}
Rule rule_of(const std::string& name) {
    return number_of<Rule>(name, {
#define DELTAPROP_RULE(name, states) #name,
#include "names.def"
    });
}

// What the kernels know, by kind; optimizers with how many numbers they keep for each parameter.
nb::dict known_names() {
    nb::list activations, losses, layers;
    nb::dict optimizers, known;
#define DELTAPROP_ACTIVATION(name) activations.append(#name);
#define DELTAPROP_LOSS(name) losses.append(#name);
#define DELTAPROP_KIND(name) layers.append(#name);
#define DELTAPROP_RULE(name, states) optimizers[#name] = states;
#include "names.def"
    known["activations"] = activations;
    known["losses"] = losses;
    known["layers"] = layers;
    known["optimizers"] = optimizers;
    return known;
}

template <std::size_t n> void copy_words(const std::vector<std::uint64_t>& from, std::uint64_t (&to)[n]) {
    if (from.size() != n) throw std::invalid_argument("A Philox key is 2 words and a counter 4.");
    std::copy(from.begin(), from.end(), to);
}

using Flat = nb::ndarray<double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using ReadFlat = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using WholeOut = nb::ndarray<std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Whole = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Places = nb::ndarray<const std::int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

void require(bool holds, const char* what) {
    if (!holds) throw std::invalid_argument(what);
}

// A double array that is written to: itself, not a copy of it.
Flat written(nb::handle array) { return nb::cast<Flat>(array, false); }

void require_parameters(const OwnedTrainer& t, std::size_t size) {
    require(static_cast<std::ptrdiff_t>(size) == count_parameters(*t.settings),
            "A flat vector has as many numbers as the network has parameters.");
}

void require_state(const OwnedTrainer& t, int which, std::size_t size) {
    require(0 <= which && which < t.trainer->n_states(), "The optimizer keeps no such state.");
    require_parameters(t, size);
}

double get(const nb::dict& d, const char* key, double otherwise) {
    return d.contains(key) ? nb::cast<double>(d[key]) : otherwise;
}

// rows: {"data": array, "scale": float} dense, with "starts", "columns" and "n" for sparse ones.
struct RowsHeld {
    Rows rows;
    std::vector<nb::object> held;

    // for a network that reads so many columns, sparse ones or not
    RowsHeld(const nb::dict& d, const TrainerSettings& settings) {
        const std::ptrdiff_t n_columns = settings.layers.front().n_in;
        require(d.contains("starts") == settings.sparse, "The kernels were chosen for other rows.");
        const auto array = nb::cast<nb::ndarray<nb::ro, nb::device::cpu>>(d["data"]);
        held.push_back(nb::object(d["data"]));
        rows.data = array.data();
        if (array.dtype() == nb::dtype<float>()) rows.kind = Rows::Kind::float32;
        else if (array.dtype() == nb::dtype<double>()) rows.kind = Rows::Kind::float64;
        else if (array.dtype() == nb::dtype<std::uint8_t>()) rows.kind = Rows::Kind::uint8;
        else throw std::invalid_argument("Rows are float32, float64 or uint8.");
        rows.scale = get(d, "scale", 1.0);
        if (d.contains("starts")) {
            const auto starts = nb::cast<Whole>(d["starts"], false);
            const auto columns = nb::cast<Places>(d["columns"], false);
            held.push_back(nb::object(d["starts"]));
            held.push_back(nb::object(d["columns"]));
            rows.n = nb::cast<std::ptrdiff_t>(d["n"]);
            rows.starts = starts.data();
            rows.columns = columns.data();
            const auto entries = static_cast<std::ptrdiff_t>(columns.shape(0));
            require(array.ndim() == 1 && (array.stride(0) == 1 || entries < 2) && static_cast<std::ptrdiff_t>(array.shape(0)) == entries,
                    "Sparse rows have as many numbers as columns.");
            require(rows.n >= 0 && static_cast<std::ptrdiff_t>(starts.shape(0)) == rows.n + 1,
                    "Sparse rows have a start for each row, and an end.");
            require(all_within(rows.starts, rows.n + 1, entries + 1) &&
                        std::is_sorted(rows.starts, rows.starts + rows.n + 1),
                    "Sparse rows lie within their numbers.");
            require(all_within(rows.columns, entries, n_columns),
                    "Sparse rows lie within their columns.");
        } else {
            if (array.ndim() != 2 || (array.shape(1) > 1 && array.stride(1) != 1))
                throw std::invalid_argument("Dense rows are a matrix with contiguous rows.");
            require(static_cast<std::ptrdiff_t>(array.shape(1)) == n_columns && (array.stride(0) >= 0 || array.shape(0) == 1),
                    "Dense rows have as many columns as the network has inputs.");
            rows.n = static_cast<std::ptrdiff_t>(array.shape(0));
            rows.stride = static_cast<std::ptrdiff_t>(array.stride(0));
        }
    }
};

LayerPlan layer_of(const nb::dict& layer, std::vector<std::ptrdiff_t>& group_sizes) {
    LayerPlan plan;
    plan.kind = kind_of(nb::cast<std::string>(layer["kind"]));
    plan.n_in = nb::cast<std::ptrdiff_t>(layer["n_in"]);
    plan.n_out = nb::cast<std::ptrdiff_t>(layer["n_out"]);
    plan.bias = nb::cast<bool>(layer["bias"]);
    plan.activation = activation_of(nb::cast<std::string>(layer["activation"]));
    plan.drop_threshold = nb::cast<std::uint32_t>(layer["drop_threshold"]);
    plan.drop_probability = nb::cast<double>(layer["drop_probability"]);
    int i = 0;
    for (nb::handle rate : nb::cast<nb::list>(layer["rates"]))
        if (i < 4) plan.rates[i++] = nb::cast<double>(rate);
    plan.scale = get(layer, "scale", 1.0);
    if (layer.contains("function")) plan.function = activation_of(nb::cast<std::string>(layer["function"]));
    const auto whole = [&](const char* key) {
        return layer.contains(key) ? nb::cast<std::ptrdiff_t>(layer[key]) : std::ptrdiff_t{0};
    };
    plan.n_columns = whole("n_columns");
    plan.n_waves = whole("n_waves");
    plan.n_mixtures = whole("n_mixtures");
    plan.dimension = whole("dimension");
    if (layer.contains("sizes")) {
        const auto sizes = nb::cast<std::vector<std::ptrdiff_t>>(layer["sizes"]);
        plan.first_group = static_cast<std::ptrdiff_t>(group_sizes.size());
        plan.n_groups = static_cast<std::ptrdiff_t>(sizes.size());
        group_sizes.insert(group_sizes.end(), sizes.begin(), sizes.end());
    }
    return plan;
}

TrainerSettings settings_of(const nb::dict& network, const nb::dict& rule, std::ptrdiff_t batch_size,
                            int n_threads, const std::string& dtype, bool for_training, bool sparse,
                            const std::string& layout) {
    TrainerSettings s;
    if (!layout.empty()) s.layout = number_of<Layout>(layout, {"unset", "lanes", "panels"});
    s.sparse = sparse;
    for (nb::handle each : nb::cast<nb::list>(network["layers"])) {
        const auto layer = nb::cast<nb::dict>(each);
        s.layers.push_back(layer_of(layer, s.group_sizes));
    }
    s.network.loss = loss_of(nb::cast<std::string>(network["loss"]));
    s.network.huber_width = get(network, "huber_width", 1.0);
    s.network.label_smoothing = get(network, "label_smoothing", 0.0);
    s.network.l2 = get(network, "l2", 0.0);
    s.network.l1 = get(network, "l1", 0.0);
    if (rule.contains("name")) {
        s.rule.rule = rule_of(nb::cast<std::string>(rule["name"]));
        s.rule.momentum = get(rule, "momentum", 0.0);
        s.rule.decay = get(rule, "decay", 0.0);
        s.rule.beta_1 = get(rule, "beta_1", 0.9);
        s.rule.beta_2 = get(rule, "beta_2", 0.999);
        s.rule.epsilon = get(rule, "epsilon", 1e-8);
        s.rule.weight_decay = get(rule, "weight_decay", 0.0);
    }
    s.batch_size = batch_size;
    s.n_threads = n_threads;
    s.precision = number_of<Precision>(dtype, {"float32", "float64", "bfloat16"});
    s.for_training = for_training;
    return s;
}

// A Python function that is asked between steps whether to stop.
struct Pulse {
    nb::object function;
    std::exception_ptr error;

    static bool ask(void* context, std::ptrdiff_t done) {
        Pulse& self = *static_cast<Pulse*>(context);
        const FlushSubnormals as_ever(false);
        nb::gil_scoped_acquire locked;
        try {
            return nb::cast<bool>(self.function(done));
        } catch (...) {
            self.error = std::current_exception();
            return true;
        }
    }
};

// An epoch of one trainer: (trainer, flat, rows, targets, weights, order, learning_rates, mask_key,
// mask_counter, pulse).
class Epoch {
public:
    explicit Epoch(const nb::tuple& given)
        : owned_(nb::cast<OwnedTrainer&>(given[0])), trainer_(*owned_.trainer), flat_(written(given[1])),
          rows_(nb::cast<nb::dict>(given[2]), *owned_.settings), targets_(nb::cast<Targets>(given[3], false)),
          order_(nb::cast<Whole>(given[5], false)), rates_(nb::cast<ReadFlat>(given[6], false)),
          pulse_{nb::object(given[9]), nullptr} {
        const TrainerSettings& settings = *owned_.settings;
        const auto n = static_cast<std::size_t>(rows_.rows.n);
        const std::ptrdiff_t n_out = settings.layers.back().n_out;
        require(settings.for_training, "This trainer was made to predict.");
        require_parameters(owned_, flat_.shape(0));
        task_.rows = rows_.rows;
        require(targets_.ndim() >= 1 && targets_.shape(0) == n, "There is a target for each row.");
        if (targets_.dtype() == nb::dtype<std::int64_t>()) {
            task_.targets.labels = static_cast<const std::int64_t*>(targets_.data());
            require(targets_.ndim() == 1 && all_within(task_.targets.labels, rows_.rows.n, n_out),
                    "Labels number the outputs.");
        } else if (targets_.dtype() == nb::dtype<double>()) {
            task_.targets.dense = static_cast<const double*>(targets_.data());
            require(targets_.ndim() == 2 && static_cast<std::ptrdiff_t>(targets_.shape(1)) == n_out,
                    "Targets have a number for each output.");
        } else
            throw std::invalid_argument("Targets are int64 labels or float64 rows.");
        if (!given[4].is_none()) {
            weights_ = nb::cast<ReadFlat>(given[4], false);
            require(weights_.shape(0) == n, "There is a weight for each row.");
            task_.targets.weights = weights_.data();
        }
        task_.order = order_.data();
        task_.n = static_cast<std::ptrdiff_t>(order_.shape(0));
        require(all_within(task_.order, task_.n, rows_.rows.n), "The order numbers the rows.");
        task_.learning_rates = rates_.data();
        const std::ptrdiff_t size = settings.batch_size;
        require(static_cast<std::ptrdiff_t>(rates_.shape(0)) >= (task_.n + size - 1) / size,
                "There is a learning rate for each step.");
        copy_words(nb::cast<std::vector<std::uint64_t>>(given[7]), task_.mask_key);
        copy_words(nb::cast<std::vector<std::uint64_t>>(given[8]), task_.mask_counter);
        task_.pulse = &Pulse::ask;
        task_.pulse_context = &pulse_;
    }
    Epoch(const Epoch&) = delete;  // the task knows where the pulse is
    Epoch& operator=(const Epoch&) = delete;

    // From `flat` to `flat`, which stays as it was where no step was done, or the epoch went wrong.
    void run() noexcept {
        try {
            trainer_.set_parameters(flat_.data());
            result_ = trainer_.epoch(task_);
            if (result_.diverged == 0 && result_.steps > 0 && !pulse_.error) trainer_.get_parameters(flat_.data());
        } catch (...) {
            error_ = std::current_exception();
        }
    }

    nb::tuple result() const {
        if (pulse_.error) std::rethrow_exception(pulse_.error);
        if (error_) std::rethrow_exception(error_);
        return nb::make_tuple(result_.loss, result_.steps, result_.diverged);
    }

private:
    using Targets = nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>;

    OwnedTrainer& owned_;
    Trainer& trainer_;
    Flat flat_;  // all arrays are held here: one that lay otherwise in memory has become a copy
    RowsHeld rows_;
    Targets targets_;
    ReadFlat weights_;
    Whole order_;
    ReadFlat rates_;
    Pulse pulse_;
    EpochTask task_;
    EpochResult result_;
    std::exception_ptr error_;
};

// An epoch of each, on so many threads at most, whose every one takes an epoch and then the next.
nb::list train_epochs(const nb::list& given, int n_threads) {
    std::vector<std::unique_ptr<Epoch>> epochs;
    for (nb::handle each : given) epochs.push_back(std::make_unique<Epoch>(nb::cast<nb::tuple>(each)));
    {
        nb::gil_scoped_release released;
        std::atomic<std::size_t> next{0};
        run_team(static_cast<int>(std::min<std::size_t>(epochs.size(), static_cast<std::size_t>(n_threads))), [&](int) {
            for (std::size_t i; (i = next.fetch_add(1)) < epochs.size();) epochs[i]->run();
        });
    }
    nb::list results;
    for (const auto& epoch : epochs) results.append(epoch->result());
    return results;
}

}  // namespace

void bind_trainer(nb::module_& m) {
    m.def("instruction_sets", &instruction_sets,
          "List the builds of the kernels that this machine can run, the fastest first.");

    m.def("has_bfloat16_products", &has_bfloat16_products,
          "Return whether the processor has products of bfloat16 numbers.");

    m.def("known_names", &known_names,
          "Return the activations, losses, layers and optimizers that the kernels know, by name.");

    m.def(
        "permutation",
        [](WholeOut order, const std::vector<std::uint64_t>& key, const std::vector<std::uint64_t>& counter) {
            std::uint64_t k[2], c[4];
            copy_words(key, k);
            copy_words(counter, c);
            nb::gil_scoped_release released;
            permutation(order.data(), order.shape(0), Philox(k, c));
        },
        nb::arg("order").noconvert(), "key"_a, "counter"_a,
        "Fill order with 0, ..., n - 1, shuffled by the Philox stream of a key and a counter.");

    nb::class_<OwnedTrainer>(m, "Trainer", "A network being trained in native code.")
        .def("set_parameters", [](OwnedTrainer& t, const ReadFlat& flat) {
            require_parameters(t, flat.shape(0));
            t.trainer->set_parameters(flat.data());
        })
        .def("get_parameters", [](const OwnedTrainer& t, Flat flat) {
            require_parameters(t, flat.shape(0));
            t.trainer->get_parameters(flat.data());
        }, nb::arg("flat").noconvert())
        .def_prop_ro("layout", [](const OwnedTrainer& t) {
            return t.settings->layout == Layout::lanes ? "lanes" : "panels";
        })
        .def_prop_ro("n_threads", [](const OwnedTrainer& t) { return t.trainer->n_threads(); })
        .def_prop_ro("n_states", [](const OwnedTrainer& t) { return t.trainer->n_states(); })
        .def("set_state", [](OwnedTrainer& t, int which, const ReadFlat& flat) {
            require_state(t, which, flat.shape(0));
            t.trainer->set_state(which, flat.data());
        })
        .def("get_state", [](const OwnedTrainer& t, int which, Flat flat) {
            require_state(t, which, flat.shape(0));
            t.trainer->get_state(which, flat.data());
        }, nb::arg("which"), nb::arg("flat").noconvert())
        .def_prop_rw("steps", [](const OwnedTrainer& t) { return t.trainer->steps(); },
                     [](OwnedTrainer& t, std::int64_t steps) { t.trainer->set_steps(steps); })
        .def("logits", [](const OwnedTrainer& t, const nb::dict& rows, nb::ndarray<double, nb::ndim<2>, nb::c_contig> out) {
            RowsHeld held(rows, *t.settings);
            require(static_cast<std::ptrdiff_t>(out.shape(0)) == held.rows.n &&
                        static_cast<std::ptrdiff_t>(out.shape(1)) == t.settings->layers.back().n_out,
                    "There is room for as many logits as the rows have.");
            nb::gil_scoped_release released;
            t.trainer->logits(held.rows, out.data());
        }, nb::arg("rows"), nb::arg("out").noconvert());

    m.def("train_epochs", &train_epochs, "epochs"_a, "n_threads"_a,
          "Run an epoch of each trainer, several at once; return loss, steps and divergence of each.");

    m.def(
        "make_trainer",
        [](const nb::dict& network, const nb::dict& rule, std::ptrdiff_t batch_size, int n_threads,
           const std::string& dtype, bool for_training, bool sparse, const std::string& build,
           const std::string& layout) {
            return make_trainer(settings_of(network, rule, batch_size, n_threads, dtype, for_training,
                                            sparse, layout),
                                build);
        },
        "network"_a, "rule"_a, "batch_size"_a, "n_threads"_a, "dtype"_a, "for_training"_a, "sparse"_a,
        "build"_a = "", "layout"_a = "",
        "Return a trainer of the fastest build and layout for this, or of those named.");
}

}  // namespace deltaprop
