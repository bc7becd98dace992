#include "wasm/network.hpp"

#include <algorithm>
#include <cmath>

#include "permutation.hpp"
#include "step_of.hpp"

namespace deltaprop {
namespace {

constexpr std::uint64_t kOrder = 1, kMasks = 2;  // as training/batches.py draws them
constexpr double kMark = 20201.0;                // with which a snapshot begins

}  // namespace

std::unique_ptr<Network> Network::make(std::string_view description, Sentence& refusal) {
    std::unique_ptr<Network> made(new Network);
    made->description_ = std::make_unique<Description>();
    Description& d = *made->description_;
    read_description(description, d, refusal);
    if (!refusal.empty()) return nullptr;
    made->steps_ = portable::make_panels(d.plan, 1, made->memory_);
    made->steps_->share_out(1);
    return made;
}

void Network::set(Numbers which, const double* flat) {
    steps_->set(which, flat);
    diverged_ = 0;
    trace_is_old_ = true;
}

void Network::set_rate(double rate) {
    rate_ = rate;
    std::fill(rates_.begin(), rates_.end(), rate);
    diverged_ = 0;
}

bool Network::take(bool validation, Given given, Sentence& refusal) {
    Table& table = validation ? validation_ : training_;
    const std::ptrdiff_t before = table.rows().n;
    if (!table.take(std::move(given), plan().network, refusal)) return false;
    last_.n = 0;
    if (validation) return true;
    diverged_ = 0;
    if (table.rows().n != before) {
        begin_epoch(epoch_);
    } else {
        task_.rows = training_.rows();
        task_.targets = training_.targets();
    }
    return true;
}

Step Network::step_from(std::ptrdiff_t number) const {
    return step_of(plan(), training_.rows().n, number, steps_done_);
}

void Network::begin_epoch(std::int64_t epoch) {
    const std::ptrdiff_t n = training_.rows().n;
    const std::uint64_t seed = description_->seed, counter[] = {0, 0, 0, static_cast<std::uint64_t>(epoch)};
    epoch_ = epoch;
    order_.resize(static_cast<std::size_t>(n));
    if (description_->shuffle) {
        const std::uint64_t key[] = {seed, kOrder};
        permutation(order_.data(), static_cast<std::size_t>(n), Philox(key, counter));
    } else {
        for (std::ptrdiff_t i = 0; i < n; ++i) order_[static_cast<std::size_t>(i)] = i;
    }
    rates_.assign(static_cast<std::size_t>((n + plan().batch_size - 1) / plan().batch_size), rate_);
    task_ = {training_.rows(), training_.targets(), order_.data(), n, rates_.data(), {seed, kMasks}, {0, 0, 0, counter[3]}};
    steps_->begin(task_, memory_);
    next_ = step_from(0);
    total_ = 0.0;
    rows_done_ = 0;
}

// One step; false where something in it was not finite: the weights are no good then.
bool Network::step() {
    steps_->rows_part(next_, 0, *this);
    const bool bad = steps_->weights_part(next_, 0);
    const double loss = steps_->loss_of(next_);
    if (!std::isfinite(loss) || bad) {
        diverged_ = std::isfinite(loss) ? 2 : 1;
        return false;
    }
    batch_loss_ = loss;
    total_ += loss * static_cast<double>(next_.n);
    rows_done_ += next_.n;
    ++steps_done_;
    next_ = step_after(plan(), training_.rows().n, next_, steps_done_);
    return true;
}

std::ptrdiff_t Network::run(std::ptrdiff_t most) {
    diverged_ = 0;
    trace_is_old_ = true;
    before_.resize(static_cast<std::size_t>(snapshot_size()));
    snapshot(before_.data());
    std::ptrdiff_t done = 0;
    while (done < most && next_.n > 0 && step()) ++done;
    if (diverged_ == 0 && steps_->parameters_are_finite()) {
        if (next_.n > 0) return done;
    } else {
        Sentence none;
        restore(before_.data(), snapshot_size(), none);
        return step_by_step(most);
    }
    last_epoch_loss_ = total_ / static_cast<double>(rows_done_);
    begin_epoch(epoch_ + 1);
    return done;
}

// The same, up to the step that cannot be done: the numbers before it come back.
std::ptrdiff_t Network::step_by_step(std::ptrdiff_t most) {
    Sentence none;
    for (std::ptrdiff_t done = 0; done < most; ++done) {
        snapshot(before_.data());
        if (step() && steps_->parameters_are_finite()) continue;
        const int why = diverged_ == 0 ? 3 : diverged_;
        restore(before_.data(), snapshot_size(), none);
        diverged_ = why;
        return done;
    }
    return most;
}

Position Network::position() const {
    Position p;
    p.epoch = static_cast<double>(epoch_);
    p.step = static_cast<double>(next_.number);
    p.steps_of_epoch = static_cast<double>(rates_.size());
    p.steps_done = static_cast<double>(steps_done_);
    p.rate = rate_;
    p.batch_loss = batch_loss_;
    p.epoch_loss = rows_done_ > 0 ? total_ / static_cast<double>(rows_done_) : 0.0;
    p.last_epoch_loss = last_epoch_loss_;
    p.diverged = diverged_;
    return p;
}

void Network::snapshot(double* to) const {
    const double head[kHead] = {kMark, static_cast<double>(n_parameters()), static_cast<double>(n_states()),
                                static_cast<double>(training_.rows().n), static_cast<double>(epoch_),
                                static_cast<double>(next_.number), static_cast<double>(steps_done_), rate_, total_,
                                batch_loss_, last_epoch_loss_};
    std::copy_n(head, kHead, to);
    for (int which = -1; which < n_states(); ++which)
        steps_->get(static_cast<Numbers>(which), to + kHead + (which + 1) * n_parameters());
}

bool Network::restore(const double* from, std::ptrdiff_t n, Sentence& refusal) {
    const auto is_whole = [](double x, double below) { return x >= 0.0 && x < below && x == std::floor(x); };
    constexpr double kMany = 9007199254740992.0;  // 2^53
    if (n != snapshot_size() || from[0] != kMark || from[1] != static_cast<double>(n_parameters()) ||
        from[2] != static_cast<double>(n_states()) || !is_whole(from[4], kMany) || !is_whole(from[6], kMany)) {
        refusal << "This is no snapshot of this network: it has " << n_parameters() << " parameters, and " << n_states()
                << " numbers that its optimizer keeps for each.";
        return false;
    }
    const std::ptrdiff_t rows = training_.rows().n, steps = (rows + plan().batch_size - 1) / plan().batch_size;
    if (from[3] != static_cast<double>(rows) || !is_whole(from[5], static_cast<double>(steps) + (rows == 0))) {
        refusal << "This snapshot was taken with other rows: there are " << rows << " to learn from now.";
        return false;
    }
    for (int which = -1; which < n_states(); ++which)
        steps_->set(static_cast<Numbers>(which), from + kHead + (which + 1) * n_parameters());
    rate_ = from[7];
    steps_done_ = static_cast<std::int64_t>(from[6]);
    begin_epoch(static_cast<std::int64_t>(from[4]));
    next_ = step_from(static_cast<std::ptrdiff_t>(from[5]));
    rows_done_ = next_.first;
    total_ = from[8];
    batch_loss_ = from[9];
    last_epoch_loss_ = from[10];
    diverged_ = 0;
    trace_is_old_ = true;
    return true;
}

Trace& Network::tracer() {
    if (trace_ == nullptr) {
        trace_ = portable::make_trace(plan().network, plan().batch_size, std::max(plan().batch_size, kTracedRows), memory_);
        const std::size_t rows = static_cast<std::size_t>(trace_->most_rows());
        losses_.reset(static_cast<double*>(std::malloc(rows * sizeof(double))));
        traced_.reset(static_cast<std::int64_t*>(std::malloc(rows * sizeof(std::int64_t))));
        if (!losses_ || !traced_) fail("A page has no memory for a trace of so many rows.");
    }
    if (trace_is_old_) {
        std::vector<double> flat(static_cast<std::size_t>(n_parameters()));
        steps_->get(Numbers::parameters, flat.data());
        trace_->set(flat.data());
        trace_is_old_ = false;
    }
    return *trace_;
}

// The rows that are traced, forward to their cost.
Cost Network::go_forward(double* losses) {
    const Rows& rows = last_.table->rows();
    if (last_.has_masks) trace_->forward(rows, traced_.get(), last_.n, &last_.task, &last_.step);
    else trace_->forward(rows, traced_.get(), last_.n);
    return trace_->loss(last_.table->targets(), traced_.get(), last_.n, losses);
}

std::ptrdiff_t Network::trace_next() {
    tracer();
    std::copy_n(order_.data() + next_.first, next_.n, traced_.get());
    last_ = {&training_, next_.n, true, task_, next_};
    cost_ = go_forward(losses_.get());
    trace_->backward();
    return next_.n;
}

std::ptrdiff_t Network::trace_rows(bool validation, const std::int32_t* rows, std::ptrdiff_t n, Sentence& refusal) {
    const Table& table = this->table(validation);
    const std::ptrdiff_t most = tracer().most_rows();
    if (n < 1 || n > most) refusal << "A trace is of 1 to " << most << " rows at a time.";
    for (std::ptrdiff_t i = 0; refusal.empty() && i < n; ++i)
        if (rows[i] < 0 || rows[i] >= table.rows().n)
            refusal << "There is no row " << rows[i] << " among " << table.rows().n << ".";
    if (!refusal.empty()) return -1;
    std::copy_n(rows, n, traced_.get());
    last_ = {&table, n, false, {}, {}};
    cost_ = go_forward(losses_.get());
    trace_->backward();
    return n;
}

bool Network::cost_at(const double* parameters, Cost& cost, Sentence& refusal) {
    if (last_.n == 0) {
        refusal << "No rows have been traced yet, or there are others now.";
        return false;
    }
    trace_->set(parameters);
    trace_is_old_ = true;
    cost = go_forward(nullptr);
    return true;
}

// Of n rows, as many at a time as a trace takes: each(first, order, n), where order numbers them from `first` on.
template <class Each> void Network::forward_by_parts(std::ptrdiff_t n, Each each) {
    const std::ptrdiff_t at_once = std::min(tracer().most_rows(), kTracedRows);
    std::int64_t order[kTracedRows];
    for (std::ptrdiff_t first = 0; first < n; first += at_once) {
        const std::ptrdiff_t some = std::min(at_once, n - first);
        for (std::ptrdiff_t i = 0; i < some; ++i) order[i] = first + i;
        each(first, order, some);
    }
}

void Network::predict(const double* x, std::ptrdiff_t n, Kept kept, std::ptrdiff_t layer, double* out) {
    const Rows rows{Rows::Kind::float64, x, n, n_in(), nullptr, nullptr};
    const std::ptrdiff_t columns = plan().network.layers[layer].n_out;
    forward_by_parts(n, [&](std::ptrdiff_t first, const std::int64_t* order, std::ptrdiff_t some) {
        trace_->forward(rows, order, some);
        trace_->get(kept, layer, out + first * columns);
    });
}

double Network::evaluate(bool validation, double* outputs) {
    const Table& table = this->table(validation);
    const std::ptrdiff_t last = plan().network.n_layers - 1;
    double total = 0.0;
    forward_by_parts(table.rows().n, [&](std::ptrdiff_t first, const std::int64_t* order, std::ptrdiff_t some) {
        trace_->forward(table.rows(), order, some);
        if (outputs) trace_->get(Kept::a, last, outputs + first * n_out());
        total += trace_->loss(table.targets(), order, table.rows().n, nullptr).data;
    });
    return total;
}

void Network::field(const Plane& plane, std::ptrdiff_t first_layer, std::ptrdiff_t last_layer, float* out) {
    std::vector<double> x(static_cast<std::size_t>(kTracedRows * n_in()));
    const Rows rows{Rows::Kind::float64, x.data(), kTracedRows, n_in(), nullptr, nullptr};
    const std::ptrdiff_t points = plane.rows * plane.columns;
    std::int64_t order[kTracedRows];
    for (std::ptrdiff_t i = 0; i < kTracedRows; ++i) order[i] = i;
    forward_by_parts(points, [&](std::ptrdiff_t first, const std::int64_t*, std::ptrdiff_t some) {
        double* to_x = x.data();
        for (std::ptrdiff_t point = first; point < first + some; ++point) {
            const double column = static_cast<double>(point % plane.columns), row = static_cast<double>(point / plane.columns);
            for (std::ptrdiff_t j = 0; j < n_in(); ++j)
                *to_x++ = plane.origin[j] + column * plane.across[j] + row * plane.down[j];
        }
        trace_->forward(rows, order, some);
        float* to = out + first;
        for (std::ptrdiff_t l = first_layer; l <= last_layer; ++l)
            for (std::ptrdiff_t j = 0; j < plan().network.layers[l].n_out; ++j, to += points) trace_->get_column(l, j, to);
    });
}

}  // namespace deltaprop
