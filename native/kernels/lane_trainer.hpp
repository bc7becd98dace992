// The training of a small network, a row in every lane (lanes.hpp).
//
// A batch is cut into chunks that stay in the second cache, and the chunks into at most kSlots runs.
// Each run leaves the sum of its gradients in a slot of its own, and the slots are added in their
// order; who worked on which does not change a bit. Two barriers a step, as in trainer.hpp.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>

#include "../team.hpp"
#include "../team_size.hpp"
#include "../trainers.hpp"
#include "activations.hpp"
#include "lanes.hpp"
#include "memory.hpp"
#include "output.hpp"
#include "progress.hpp"
#include "updates.hpp"

namespace deltaprop::DELTAPROP_ISA {

template <class T> class LaneTrainer final : public Trainer {
    static constexpr int L = kLanes<T>;
    static constexpr std::ptrdiff_t kChunkBytes = 256 * 1024, kMostGroups = 32, kSlots = 64;
    static constexpr std::ptrdiff_t kChunkProducts = 500'000;  // multiply-adds: enough for a thread
    static constexpr std::ptrdiff_t kRowsAhead = kGroupsAtOnce * L;  // fetched before their turn
    static constexpr std::ptrdiff_t kLine = 64;  // bytes: what threads write stands apart

    struct Stage {
        std::ptrdiff_t n_in = 0, n_out = 0;
        bool bias = false, keeps_slope = false;
        Activation activation = Activation::identity;
        std::ptrdiff_t by_rows_up_to = 0;  // groups of rows whose gradient is summed row by row
        std::ptrdiff_t start = 0;     // of W in the flat vector; b follows
        std::ptrdiff_t W = 0, b = 0;  // where they are here: each begins with a vector of its own
        std::ptrdiff_t a = 0, delta = 0, slope = 0;  // in a thread's room: what it reads, dL/dz, f'(z)
    };

    // What each thread has for itself.
    struct Own {
        Output<T> output{0};
        Buffer<T> room;
        Buffer<T> rows;  // the deltas of a layer, row by row
    };

public:
    explicit LaneTrainer(const TrainerSettings& settings)
        : settings_(settings), network_(settings.network), rule_(settings.rule), batch_(settings.batch_size),
          n_layers_(settings.network.n_layers), stages_(new Stage[static_cast<std::size_t>(n_layers_)]) {
        std::ptrdiff_t start = 0, place = 0;
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l) {
            const LayerPlan& plan = network_.layers[l];
            Stage& stage = stages_[l];
            stage.n_in = plan.n_in;
            stage.n_out = plan.n_out;
            stage.bias = plan.bias;
            stage.activation = l + 1 == n_layers_ ? Activation::identity : plan.activation;
            stage.keeps_slope = !slope_from_value(stage.activation);
            stage.by_rows_up_to = groups_by_rows<T>(plan.n_in, plan.n_out);
            stage.start = start;
            start += plan.n_in * plan.n_out + (plan.bias ? plan.n_out : 0);
            stage.W = place;
            stage.b = place + whole(plan.n_in * plan.n_out);
            place = stage.b + (plan.bias ? whole(plan.n_out) : 0);
        }
        n_numbers_ = place;
        w_ = Buffer<T>(place);
        if (settings.for_training) chunk_ = groups_of_a_chunk(batch_);
        place_rooms(settings.for_training);
        if (!settings.for_training) return;
        m_ = Buffer<T>(n_states() > 0 ? place : 0);
        v_ = Buffer<T>(n_states() > 1 ? place : 0);
        const std::ptrdiff_t n_slots = slots(batch_);
        team_size_ = TeamSize(
            static_cast<int>(std::min<std::ptrdiff_t>(worthwhile_threads(settings, batch_), n_slots)), settings.lost_share);
        gradients_ = Buffer<T>(n_slots * place);
        losses_ = Buffer<double>(2 * n_slots);
        if (network_.l1 > 0 || network_.l2 > 0) penalties_ = Buffer<double>(place / L);
    }

    int n_states() const override { return states_of(rule_.rule); }
    int n_threads() const override { return team_size_.threads(); }

    void set_parameters(const double* flat) override { scatter(flat, w_); }
    void get_parameters(double* flat) const override { collect(flat, w_); }
    void set_state(int which, const double* flat) override { scatter(flat, which ? v_ : m_); }
    void get_state(int which, double* flat) const override { collect(flat, which ? v_ : m_); }
    void set_steps(std::int64_t steps) override { steps_ = steps; }
    std::int64_t steps() const override { return steps_; }

    EpochResult epoch(const EpochTask& task) override {
        const std::ptrdiff_t n_steps = (task.n + batch_ - 1) / batch_;
        Progress progress(task);
        over_ = n_steps == 0;
        for (Powers powers(rule_, steps_); !over_;) powers = some_steps(task, n_steps, powers, progress);
        EpochResult result = progress.result();
        steps_ += result.steps;
        if (result.diverged == 0 && !all_finite(w_)) result.diverged = 3;
        return result;
    }

    void logits(const Rows& rows, double* out) const override {
        constexpr std::ptrdiff_t n = kGroupsAtOnce * L;  // rows at a time
        const std::ptrdiff_t parts = (rows.n + n - 1) / n, k = network_.layers[n_layers_ - 1].n_out;
        const int n_threads = static_cast<int>(std::min<std::ptrdiff_t>(
            worthwhile_threads(settings_, rows.n), std::max<std::ptrdiff_t>(1, parts)));
        const std::unique_ptr<Own[]> own = rooms(n_threads);
        run_team(n_threads, [&](int me) {
            const FlushSubnormals flush;
            std::int64_t order[n];
            for (std::ptrdiff_t part = parts * me / n_threads; part < parts * (me + 1) / n_threads; ++part) {
                const std::ptrdiff_t first = part * n, count = std::min(n, rows.n - first);
                for (std::ptrdiff_t r = 0; r < count; ++r) order[r] = first + r;
                forward(rows, order, count, 0, own[me].room.get(), false);
                const T* z = own[me].room.get() + stages_[n_layers_ - 1].delta;
                for (std::ptrdiff_t r = 0; r < count; ++r)
                    for (std::ptrdiff_t j = 0; j < k; ++j)
                        out[(first + r) * k + j] = static_cast<double>(z[(r / L * k + j) * L + r % L]);
            }
        });
    }

private:
    // Steps of the epoch, from where `progress` stands to the last or to where the team should be
    // another; returns the powers after them.
    Powers some_steps(const EpochTask& task, std::ptrdiff_t n_steps, const Powers& before, Progress& progress) {
        const std::ptrdiff_t start = progress.steps();
        const int n_threads = team_size_.threads();
        Barrier barrier(n_threads);
        given_up_.store(false, std::memory_order_relaxed);
        const std::unique_ptr<Own[]> own = rooms(n_threads);
        bad_ = Buffer<unsigned char>(n_threads * kLine);
        Powers after = before;
        const bool watched = team_size_.can_change();
        team_size_.begin();
        run_team(n_threads, [&](int me) {
            const FlushSubnormals flush;
            Powers powers = before;
            for (std::ptrdiff_t s = start; s < n_steps; ++s) {
                const std::ptrdiff_t first = s * batch_, rows = std::min(batch_, task.n - first);
                const std::ptrdiff_t n_slots = slots(rows);
                const auto goes_on = [&] {  // until its weights change, a step can be left undone
                    if (me == 0 && progress.gives_up()) stop();
                    return !given_up_.load(std::memory_order_relaxed);
                };
                if (me == 0 && s > start) {
                    if (judge(progress, task, s - 1)) stop();
                    else if (watched && team_size_.should_change(barrier.lost(), progress.last_look())) give_up();
                }
                for (std::ptrdiff_t slot = n_slots * me / n_threads; slot < n_slots * (me + 1) / n_threads; ++slot)
                    if (!fill(task, first, rows, slot, n_slots, s % 2, own[me], goes_on)) break;
                barrier.wait();
                if (given_up_.load(std::memory_order_relaxed)) break;
                powers.step(rule_);
                bad_[me * kLine] = update(me, n_threads, n_slots,
                                          step_numbers<T>(rule_, task.learning_rates[s], powers));
                barrier.wait();
                if (me == 0 && s + 1 == n_steps) {
                    judge(progress, task, s);
                    over_ = true;
                }
            }
            if (me == 0) after = powers;
        });
        team_size_.end(barrier.lost());
        return after;
    }

    static std::ptrdiff_t whole(std::ptrdiff_t n) { return (n + L - 1) / L * L; }

    void scatter(const double* flat, const Buffer<T>& to) const {
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l) {
            const Stage& stage = stages_[l];
            const double* from = flat + stage.start;
            const std::ptrdiff_t n = stage.n_in * stage.n_out;
            for (std::ptrdiff_t i = 0; i < n; ++i) to[stage.W + i] = static_cast<T>(from[i]);
            for (std::ptrdiff_t j = 0; stage.bias && j < stage.n_out; ++j) to[stage.b + j] = static_cast<T>(from[n + j]);
        }
    }
    void collect(double* flat, const Buffer<T>& from) const {
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l) {
            const Stage& stage = stages_[l];
            double* to = flat + stage.start;
            const std::ptrdiff_t n = stage.n_in * stage.n_out;
            for (std::ptrdiff_t i = 0; i < n; ++i) to[i] = static_cast<double>(from[stage.W + i]);
            for (std::ptrdiff_t j = 0; stage.bias && j < stage.n_out; ++j) to[n + j] = static_cast<double>(from[stage.b + j]);
        }
    }

    // how a batch is cut, whatever the number of threads

    std::ptrdiff_t groups_of_a_chunk(std::ptrdiff_t rows) const {
        std::ptrdiff_t numbers = 0, products = 0;
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l) {
            numbers += stages_[l].n_in + stages_[l].n_out;
            products += 3 * L * stages_[l].n_in * stages_[l].n_out;
        }
        const std::ptrdiff_t near = kChunkBytes / (numbers * L * static_cast<std::ptrdiff_t>(sizeof(T)));
        const std::ptrdiff_t most = std::min({near, kMostGroups, (rows + L - 1) / L, kChunkProducts / products + 1});
        return std::max<std::ptrdiff_t>(1, (most + kGroupsAtOnce - 1) / kGroupsAtOnce) * kGroupsAtOnce;
    }
    std::ptrdiff_t chunks(std::ptrdiff_t rows) const { return (rows + chunk_ * L - 1) / (chunk_ * L); }
    std::ptrdiff_t slots(std::ptrdiff_t rows) const { return std::min(chunks(rows), kSlots); }

    // Where everything stands in a thread's room, for the groups of a chunk.
    void place_rooms(bool for_training) {
        const auto take = [&](std::ptrdiff_t columns) {
            const std::ptrdiff_t at = room_size_;
            room_size_ += chunk_ * columns * L;
            return at;
        };
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l) {
            Stage& stage = stages_[l];
            stage.a = take(stage.n_in);
            if (for_training || l + 1 == n_layers_) stage.delta = take(stage.n_out);
            if (for_training && stage.keeps_slope) stage.slope = take(stage.n_out);
            if (for_training) widest_ = std::max(widest_, whole(stage.n_out));
        }
    }

    // A room for each thread; all of it is had before the threads start.
    std::unique_ptr<Own[]> rooms(int n_threads) const {
        std::unique_ptr<Own[]> own(new Own[static_cast<std::size_t>(n_threads)]);
        for (int t = 0; t < n_threads; ++t)
            own[t] = {Output<T>(stages_[n_layers_ - 1].n_out), Buffer<T>(room_size_), Buffer<T>(chunk_ * L * widest_)};
        return own;
    }

    // the first part of a step: rows

    // The gradient of a slot's chunks, and their loss; false: the step was given up.
    template <class GoesOn>
    bool fill(const EpochTask& task, std::ptrdiff_t first, std::ptrdiff_t rows, std::ptrdiff_t slot,
              std::ptrdiff_t n_slots, std::ptrdiff_t turn, Own& mine, GoesOn goes_on) {
        const std::ptrdiff_t n = chunks(rows), begin = n * slot / n_slots, end = n * (slot + 1) / n_slots;
        T* gradient = gradients_.get() + slot * n_numbers_;
        Doubles<T> losses;
        for (std::ptrdiff_t chunk = begin; chunk < end; ++chunk) {
            if (!goes_on()) return false;
            const std::ptrdiff_t r0 = chunk * chunk_ * L, count = std::min(chunk_ * L, rows - r0);
            for (std::ptrdiff_t r = 0; r < count; r += kGroupsAtOnce * L) {
                const std::ptrdiff_t some = std::min<std::ptrdiff_t>(kGroupsAtOnce * L, count - r);
                losses += pass(task, task.order + first + r0 + r, some, task.n - first - r0 - r, rows, r / L, mine);
            }
            const std::ptrdiff_t groups = (count + L - 1) / L;
            for (std::ptrdiff_t l = 0; l < n_layers_; ++l) {
                const Stage& stage = stages_[l];
                const T *a = mine.room.get() + stage.a, *delta = mine.room.get() + stage.delta;
                if (groups <= stage.by_rows_up_to) {
                    rows_of<T>(groups, delta, stage.n_out, mine.rows.get());
                    row_gradient<T>(groups, a, stage.n_in, mine.rows.get(), stage.n_out, gradient + stage.W, chunk > begin);
                } else {
                    lane_gradient<T>(groups, a, stage.n_in, delta, stage.n_out, gradient + stage.W, chunk > begin);
                }
                if (stage.bias) lane_bias_gradient(groups, delta, stage.n_out, gradient + stage.b, chunk > begin);
            }
        }
        double loss = 0.0;
        for (const Vec<double>& part : losses.part) loss += sum<double>(part);
        losses_[turn * losses_.size() / 2 + slot] = loss;
        return true;
    }
    void give_up() { given_up_.store(true, std::memory_order_relaxed); }
    void stop() {
        over_ = true;
        give_up();
    }

    // n rows, at most kGroupsAtOnce groups from group g of the room on, through all layers and back.
    // `left` rows of the epoch are still to come, these included.
    Doubles<T> pass(const EpochTask& task, const std::int64_t* order, std::ptrdiff_t n, std::ptrdiff_t left,
                    std::ptrdiff_t batch_rows, std::ptrdiff_t g, Own& mine) {
        T* room = mine.room.get();
        const std::ptrdiff_t groups = (n + L - 1) / L, last = n_layers_ - 1;
        // a quarter at a time: a core waits for no more lines than it has room to remember
        const auto fetch = [&](std::ptrdiff_t quarter) {
            const std::ptrdiff_t most = std::min(kRowsAhead + n, left);
            const std::ptrdiff_t from = kRowsAhead + n * quarter / 4, to = kRowsAhead + n * (quarter + 1) / 4;
            fetch_rows(task, order, from, std::min(to, most));
        };
        fetch(0);
        forward(task.rows, order, n, g, room, true);
        fetch(1);
        Doubles<T> losses;
        T* logits = room + stages_[last].delta + g * stages_[last].n_out * L;
        for (std::ptrdiff_t r = 0; r < n; r += L)
            losses += mine.output.lose(network_, task.targets, order + r,
                                       static_cast<int>(std::min<std::ptrdiff_t>(L, n - r)), batch_rows,
                                       logits + r * stages_[last].n_out);
        fetch(2);
        for (std::ptrdiff_t l = last; l > 0; --l) {
            const Stage &stage = stages_[l], &below = stages_[l - 1];
            T* out = room + below.delta + g * below.n_out * L;
            lane_products<T, true>(groups, w_.get() + stage.W, nullptr, room + stage.delta + g * stage.n_out * L,
                                   stage.n_out, out, stage.n_in);
            const std::ptrdiff_t vectors = groups * stage.n_in, at = g * stage.n_in * L;
            if (below.keeps_slope) multiply_vectors<T>(vectors, out, room + below.slope + at);
            else slope_vectors<T>(below.activation, vectors, out, room + stage.a + at);
        }
        fetch(3);
        return losses;
    }

    // Rows are visited in any order, so the processor cannot guess the next ones.
    void fetch_rows(const EpochTask& task, const std::int64_t* order, std::ptrdiff_t from, std::ptrdiff_t to) const {
        const Rows& rows = task.rows;
        const std::ptrdiff_t number = rows.kind == Rows::Kind::uint8 ? 1 : rows.kind == Rows::Kind::float32 ? 4 : 8;
        const std::ptrdiff_t bytes = stages_[0].n_in * number;
        for (std::ptrdiff_t r = from; r < to; ++r) {
            if (task.targets.labels) __builtin_prefetch(task.targets.labels + order[r]);
            const char* row = static_cast<const char*>(rows.data) + order[r] * rows.stride * number;
            for (std::ptrdiff_t line = 0; line < bytes; line += 64) __builtin_prefetch(row + line);
        }
    }

    void forward(const Rows& rows, const std::int64_t* order, std::ptrdiff_t n, std::ptrdiff_t g, T* room,
                 bool for_training) const {
        const std::ptrdiff_t groups = (n + L - 1) / L;
        for (std::ptrdiff_t r = 0; r < n; r += L)
            gather(rows, order + r, std::min<std::ptrdiff_t>(L, n - r),
                   room + stages_[0].a + (g + r / L) * stages_[0].n_in * L);
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l) {
            const Stage& stage = stages_[l];
            const bool last = l + 1 == n_layers_;
            T* out = room + (last ? stage.delta : stages_[l + 1].a) + g * stage.n_out * L;
            lane_products<T, false>(groups, w_.get() + stage.W, stage.bias ? w_.get() + stage.b : nullptr,
                                    room + stage.a + g * stage.n_in * L, stage.n_in, out, stage.n_out);
            T* slope = for_training && stage.keeps_slope ? room + stage.slope + g * stage.n_out * L : nullptr;
            if (!last) activate_vectors<T>(stage.activation, groups * stage.n_out, out, slope);
        }
    }

    void gather(const Rows& rows, const std::int64_t* order, std::ptrdiff_t n, T* to) const {
        const std::ptrdiff_t K = stages_[0].n_in;
        const int some = static_cast<int>(n);
        switch (rows.kind) {
            case Rows::Kind::float32: return gather_lanes<T, float>(rows, order, some, K, to);
            case Rows::Kind::float64: return gather_lanes<T, double>(rows, order, some, K, to);
            case Rows::Kind::uint8: return gather_lanes<T, std::uint8_t>(rows, order, some, K, to);
        }
    }

    // the second part: weights

    // Updates this thread's share of every W and b; returns whether a gradient was not finite.
    bool update(int me, int n_threads, std::ptrdiff_t n_slots, const StepNumbers<T>& numbers) {
        switch (rule_.rule) {
#define DELTAPROP_RULE(name, states) \
    case Rule::name: return update_by<Rule::name>(me, n_threads, n_slots, numbers);
#include "../names.def"
        }
        return false;
    }

    template <Rule R>
    bool update_by(int me, int n_threads, std::ptrdiff_t n_slots, const StepNumbers<T> numbers) {
        const std::ptrdiff_t vectors = n_numbers_ / L;
        const std::ptrdiff_t from = vectors * me / n_threads * L, to = vectors * (me + 1) / n_threads * L;
        const Penalized<T> penalized(network_);
        T *w = w_.get(), *m = m_.get(), *v = v_.get();
        Vec<T> check{};
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l) {
            const Stage& stage = stages_[l];
            const std::ptrdiff_t end = stage.b + (stage.bias ? whole(stage.n_out) : 0);
            for (std::ptrdiff_t i = std::max(from, stage.W); i < std::min(to, stage.b); i += L) {
                double penalty = 0.0;
                check += update_weight<T, R>(penalized, numbers, w + i, summed(i, n_slots), m + i, v + i, penalty);
                if (penalized.any) penalties_[i / L] = penalty;
            }
            for (std::ptrdiff_t i = std::max(from, stage.b); i < std::min(to, end); i += L) {
                const Vec<T> g = summed(i, n_slots);
                check += g - g;
                store<T>(w + i, updated<T, R>(numbers, load<T>(w + i), g, m + i, v + i));
            }
        }
        return !(sum<T>(check) == 0);
    }

    Vec<T> summed(std::ptrdiff_t i, std::ptrdiff_t n_slots) const {
        Vec<T> g = load<T>(gradients_.get() + i);
        for (std::ptrdiff_t slot = 1; slot < n_slots; ++slot) g += load<T>(gradients_.get() + slot * n_numbers_ + i);
        return g;
    }

    bool judge(Progress& progress, const EpochTask& task, std::ptrdiff_t step) const {
        const std::ptrdiff_t rows = std::min(batch_, task.n - step * batch_), n_slots = slots(rows);
        double loss = 0.0;
        for (std::ptrdiff_t slot = 0; slot < n_slots; ++slot) loss += losses_[step % 2 * losses_.size() / 2 + slot];
        for (std::ptrdiff_t i = 0; i < penalties_.size(); ++i) loss += penalties_[i];
        bool bad = false;
        for (std::ptrdiff_t i = 0; i < bad_.size(); i += kLine) bad = bad || bad_[i];
        return progress.judge(rows, loss, bad);
    }

    const TrainerSettings& settings_;  // outlives this
    const NetworkPlan& network_;
    const RulePlan& rule_;
    const std::ptrdiff_t batch_, n_layers_;
    std::unique_ptr<Stage[]> stages_;
    std::ptrdiff_t n_numbers_ = 0;  // parameters, with what pads them
    std::ptrdiff_t chunk_ = kGroupsAtOnce;  // groups of a chunk
    std::ptrdiff_t room_size_ = 0, widest_ = 0;  // numbers in a thread's room, and of a row of deltas
    Buffer<T> w_, m_, v_;
    Buffer<T> gradients_;           // slot by slot
    Buffer<double> losses_;         // of each slot, for this step and the one before
    Buffer<double> penalties_;      // of each vector of weights
    Buffer<unsigned char> bad_;     // of each thread: whether a gradient was not finite
    std::int64_t steps_ = 0;
    TeamSize team_size_{1, 1.0};
    std::atomic<bool> given_up_{false};  // the step that runs is left undone
    bool over_ = false;                  // so is the rest of the epoch; known to the first thread
};

}  // namespace deltaprop::DELTAPROP_ISA
