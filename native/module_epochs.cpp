// Training as Python asks for it. Whatever crosses this border is measured here before compiled code
// reads or writes by it: what somebody may have given wrongly has its sentence in Python before.
#include <atomic>
#include <exception>
#include <limits>
#include <memory>

#include "module.hpp"
#include "team.hpp"

namespace deltaprop {
namespace {

using Flat = nb::ndarray<double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using ReadFlat = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Whole = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Places = nb::ndarray<const std::int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Anything = nb::ndarray<nb::ro, nb::device::cpu>;
using Packed = nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>;

// Whether all of them are in [0, below).
bool all_within(const std::int32_t* numbers, std::ptrdiff_t n, std::int64_t below) {
    const auto last = static_cast<std::int32_t>(std::min<std::int64_t>(below - 1, std::numeric_limits<std::int32_t>::max()));
    std::int32_t bits = 0, greatest = -1;  // without a way out, so that several are looked at at once
    for (std::ptrdiff_t i = 0; i < n; ++i) {
        bits |= numbers[i];
        greatest = std::max(greatest, numbers[i]);
    }
    return bits >= 0 && greatest <= last;
}
bool all_within(const std::int64_t* numbers, std::ptrdiff_t n, std::int64_t below) {
    bool within = true;
    for (std::ptrdiff_t i = 0; i < n; ++i) within &= numbers[i] >= 0 && numbers[i] < below;
    return within;
}

template <class Array> std::ptrdiff_t length(const Array& array, std::size_t axis = 0) {
    return static_cast<std::ptrdiff_t>(array.shape(axis));
}

void require_parameters(const Trainer& t, std::ptrdiff_t n) {
    require(n == t.steps().n_parameters(), "A flat vector has as many numbers as the network has parameters.");
}

void require_state(const Trainer& t, int which, std::ptrdiff_t n) {
    require(t.plan().for_training && 0 <= which && which < states_of(t.plan().rule.rule), "The optimizer keeps no such state.");
    require_parameters(t, n);
}

// Rows: a matrix, or the numbers of sparse ones with their starts and columns.
struct RowsGiven {
    Anything data;
    Whole starts;
    Places columns;

    explicit RowsGiven(Keywords given) {
        given.read("data", data);
        given.read_or_none("starts", starts);
        given.read_or_none("columns", columns);
        given.end();
        require(starts.is_valid() == columns.is_valid(), "Rows have starts and columns, or neither.");
    }

    // For a network that reads so many columns, sparse ones or not.
    Rows of(const Trainer& trainer) const {
        Rows rows;
        require(starts.is_valid() == trainer.plan().sparse, "The kernels were chosen for other rows.");
        rows.data = data.data();
        if (data.dtype() == nb::dtype<float>()) rows.kind = Rows::Kind::float32;
        else if (data.dtype() == nb::dtype<double>()) rows.kind = Rows::Kind::float64;
        else if (data.dtype() == nb::dtype<std::uint8_t>()) rows.kind = Rows::Kind::uint8;
        else throw std::invalid_argument("Rows are float32, float64 or uint8.");
        if (!starts.is_valid()) {
            require(data.ndim() == 2 && (data.shape(1) <= 1 || data.stride(1) == 1), "Dense rows are a matrix with contiguous rows.");
            require(length(data, 1) == trainer.n_in() && (data.stride(0) >= 0 || data.shape(0) == 1),
                    "Dense rows have as many columns as the network has inputs.");
            rows.n = length(data);
            rows.stride = static_cast<std::ptrdiff_t>(data.stride(0));
            return rows;
        }
        rows.starts = starts.data();
        rows.columns = columns.data();
        rows.n = length(starts) - 1;
        const std::ptrdiff_t entries = length(columns);
        require(data.ndim() == 1 && (data.stride(0) == 1 || entries < 2) && length(data) == entries,
                "Sparse rows have as many numbers as columns.");
        require(rows.n >= 0 && all_within(rows.starts, rows.n + 1, entries + 1) &&
                    std::is_sorted(rows.starts, rows.starts + rows.n + 1),
                "Sparse rows lie within their numbers.");
        require(all_within(rows.columns, entries, trainer.n_in()), "Sparse rows lie within their columns.");
        return rows;
    }
};

// A Python function that is asked between steps whether to stop.
struct Question {
    nb::object should_stop;
    std::exception_ptr error;

    static bool ask(void* context, std::ptrdiff_t done) {
        Question& self = *static_cast<Question*>(context);
        const FlushSubnormals as_ever(false);
        nb::gil_scoped_acquire locked;
        try {
            return nb::cast<bool>(self.should_stop(done));
        } catch (...) {
            self.error = std::current_exception();
            return true;
        }
    }
};

// An epoch of one trainer: an array that lay otherwise in memory has become a copy, which is held here.
class EpochGiven {
public:
    explicit EpochGiven(Keywords given) {
        DELTAPROP_READ(given, trainer_, flat_, rows_, targets_);
        given.read_or_none("weights", weights_);
        DELTAPROP_READ(given, order_, learning_rates_, task_.mask_key, task_.mask_counter, task_.mask_word, task_.total, question_.should_stop);
        given.end();
        measure();
    }

    // From `flat` to `flat`, which stays as it was where no step was done, or the epoch went wrong.
    void run() noexcept {
        try {
            Steps& steps = trainer().steps();
            steps.set(Numbers::parameters, flat_.data());
            result_ = trainer().epoch(task_, {&Question::ask, &question_});
            if (!result_.diverged && result_.steps > 0 && !question_.error) steps.get(Numbers::parameters, flat_.data());
        } catch (...) {
            error_ = std::current_exception();
        }
    }

    EpochResult result() const {
        if (question_.error) std::rethrow_exception(question_.error);
        if (error_) std::rethrow_exception(error_);
        return result_;
    }

private:
    Trainer& trainer() const { return *nb::inst_ptr<Trainer>(trainer_); }

    void measure() {
        require(nb::isinstance<Trainer>(trainer_) && nb::isinstance<RowsGiven>(rows_), "An epoch has a Trainer and Rows.");
        const Plan& plan = trainer().plan();
        const std::ptrdiff_t n_out = trainer().n_out();
        require(plan.for_training, "This trainer was made to predict.");
        require_parameters(trainer(), length(flat_));
        task_.rows = nb::inst_ptr<RowsGiven>(rows_)->of(trainer());
        const std::ptrdiff_t n = task_.rows.n;
        require(targets_.ndim() >= 1 && length(targets_) == n, "There is a target for each row.");
        if (targets_.dtype() == nb::dtype<std::int64_t>()) {
            task_.targets.labels = static_cast<const std::int64_t*>(targets_.data());
            require(targets_.ndim() == 1 && all_within(task_.targets.labels, n, n_out), "Labels number the outputs.");
        } else {
            task_.targets.dense = static_cast<const double*>(targets_.data());
            require(targets_.dtype() == nb::dtype<double>(), "Targets are int64 labels or float64 rows.");
            require(targets_.ndim() == 2 && length(targets_, 1) == n_out, "Targets have a number for each output.");
        }
        require(!weights_.is_valid() || length(weights_) == n, "There is a weight for each row.");
        if (weights_.is_valid()) task_.targets.weights = weights_.data();
        task_.order = order_.data();
        task_.n = length(order_);
        require(all_within(task_.order, task_.n, n), "The order numbers the rows.");
        task_.learning_rates = learning_rates_.data();
        require(length(learning_rates_) >= (task_.n + plan.batch_size - 1) / plan.batch_size, "There is a learning rate for each step.");
    }

    nb::object trainer_, rows_;
    Flat flat_;
    Packed targets_;
    ReadFlat weights_, learning_rates_;
    Whole order_;
    Question question_;
    EpochTask task_;
    EpochResult result_;
    std::exception_ptr error_;
};

// An epoch of each, on so many threads at most, whose every one takes an epoch and then the next.
std::vector<EpochResult> train_epochs(const nb::list& given, int n_threads) {
    std::vector<EpochGiven*> epochs;
    for (nb::handle each : given) epochs.push_back(&nb::cast<EpochGiven&>(each));
    {
        nb::gil_scoped_release released;
        std::atomic<std::size_t> next{0};
        run_team(static_cast<int>(std::min<std::size_t>(epochs.size(), static_cast<std::size_t>(n_threads))), [&](int) {
            for (std::size_t i; (i = next.fetch_add(1)) < epochs.size();) epochs[i]->run();
        });
    }
    std::vector<EpochResult> results;
    for (const EpochGiven* epoch : epochs) results.push_back(epoch->result());
    return results;
}

}  // namespace

void bind_epochs(nb::module_& m) {
    nb::class_<Trainer>(m, "Trainer", "A network being trained in native code.")
        .def("__init__", [](Trainer* self, const nb::kwargs& given) {
            new (self) Trainer(settings_of(Keywords("Trainer", given)));
        })
        .def("set_parameters", [](Trainer& t, const ReadFlat& flat) {
            require_parameters(t, length(flat));
            t.steps().set(Numbers::parameters, flat.data());
        })
        .def("set_state", [](Trainer& t, int which, const ReadFlat& flat) {
            require_state(t, which, length(flat));
            t.steps().set(static_cast<Numbers>(which), flat.data());
        })
        .def("get_state", [](const Trainer& t, int which, const Flat& flat) {
            require_state(t, which, length(flat));
            t.steps().get(static_cast<Numbers>(which), flat.data());
        }, nb::arg("which"), nb::arg("flat").noconvert())
        .def_rw("steps", &Trainer::steps_done)
        .def("logits", [](const Trainer& t, const RowsGiven& given, nb::ndarray<double, nb::ndim<2>, nb::c_contig> out) {
            const Rows rows = given.of(t);
            require(length(out) == rows.n && length(out, 1) == t.n_out(), "There is room for as many logits as the rows have.");
            nb::gil_scoped_release released;
            t.logits(rows, out.data());
        }, nb::arg("rows"), nb::arg("out").noconvert());

    from_keywords<RowsGiven>(m, "Rows", "Rows as they lie in memory.");
    from_keywords<EpochGiven>(m, "Epoch", "One pass over the rows, for one trainer.");
    nb::class_<EpochResult>(m, "Outcome", "What an epoch came to.")
        .def_ro("total", &EpochResult::total)
        .def_ro("steps", &EpochResult::steps)
        .def_ro("diverged", &EpochResult::diverged);
    m.def("train_epochs", &train_epochs, nb::arg("epochs"), nb::arg("n_threads"),
          "Run an epoch of each, several at once; return what each came to.");
}

}  // namespace deltaprop
