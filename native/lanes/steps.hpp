// The steps of a small network, a row in every lane (lanes.hpp).
//
// A batch is cut into chunks that stay in the second cache, and the chunks into at most kSlots runs.
// Each run leaves the sum of its gradients in a slot of its own, and the slots are added in their
// order; who worked on which does not change a bit.
#pragma once

#include <algorithm>

#include "lanes/lanes.hpp"
#include "math/activations.hpp"
#include "math/memory.hpp"
#include "math/updates.hpp"
#include "panels/output.hpp"

namespace deltaprop::DELTAPROP_ISA {

template <class T> class LaneSteps final : public Steps {
    static constexpr int L = kLanes<T>;
    static constexpr std::ptrdiff_t kChunkBytes = 256 * 1024, kMostGroups = 32, kSlots = 64;
    static constexpr std::ptrdiff_t kChunkProducts = 500'000;  // multiply-adds: enough for a thread
    static constexpr std::ptrdiff_t kRowsAhead = kGroupsAtOnce * L;  // fetched before their turn

    struct LaneLayer {
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
        Output<T> output;
        Buffer<T> room;
        Buffer<T> rows;  // the deltas of a layer, row by row
    };

public:
    LaneSteps(const Plan& plan, int n_threads, Memory& memory)
        : network_(plan.network), rule_(plan.rule), batch_(plan.batch_size), n_layers_(plan.network.n_layers),
          layers_(memory, n_layers_) {
        std::ptrdiff_t place = 0;
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l) {
            const LayerPlan& given = network_.layers[l];
            LaneLayer& layer = layers_[l];
            layer.n_in = given.n_in;
            layer.n_out = given.n_out;
            layer.bias = given.bias;
            layer.activation = given.activation;
            layer.keeps_slope = !slope_from_value(layer.activation);
            layer.by_rows_up_to = groups_by_rows<T>(given.n_in, given.n_out);
            layer.start = n_parameters_;
            n_parameters_ += (given.n_in + given.bias) * given.n_out;
            layer.W = place;
            layer.b = place + whole(given.n_in * given.n_out);
            place = layer.b + (given.bias ? whole(given.n_out) : 0);
        }
        n_numbers_ = place;
        w_ = Buffer<T>(memory, place);
        if (plan.for_training) chunk_ = groups_of_a_chunk(batch_);
        place_rooms(plan.for_training);
        if (!plan.for_training) return;
        m_ = Buffer<T>(memory, states_of(rule_.rule) > 0 ? place : 0);
        v_ = Buffer<T>(memory, states_of(rule_.rule) > 1 ? place : 0);
        const std::ptrdiff_t n_slots = slots(batch_);
        gradients_ = Buffer<T>(memory, n_slots * place);
        losses_ = Buffer<double>(memory, 2 * n_slots);
        if (network_.l1 > 0 || network_.l2 > 0) penalties_ = Buffer<double>(memory, place / L);
        own_ = Buffer<Own>(memory, std::min<std::ptrdiff_t>(n_threads, n_slots));
        for (std::ptrdiff_t t = 0; t < own_.size(); ++t)
            own_[t] = {Output<T>(memory, layers_[n_layers_ - 1].n_out), Buffer<T>(memory, room_size_),
                       Buffer<T>(memory, chunk_ * L * widest_)};
    }

    std::ptrdiff_t n_parameters() const override { return n_parameters_; }
    void set(Numbers which, const double* flat) override {
        each_number(which, [&](std::ptrdiff_t i, T& number) { number = static_cast<T>(flat[i]); });
    }
    void get(Numbers which, double* flat) const override {
        each_number(which, [&](std::ptrdiff_t i, T number) { flat[i] = static_cast<double>(number); });
    }
    bool parameters_are_finite() const override { return all_finite(w_); }

    int most_threads() const override { return std::max(1, static_cast<int>(own_.size())); }
    void begin(const EpochTask& task, Memory&) override { task_ = &task; }
    void share_out(int n_threads) override { n_sharing_ = n_threads; }

    void rows_part(const Step& step, int me, Watch& watch) override {
        const std::ptrdiff_t n_slots = slots(step.n);
        for (std::ptrdiff_t slot = n_slots * me / n_sharing_; slot < n_slots * (me + 1) / n_sharing_; ++slot)
            if (!fill(step, slot, n_slots, me, watch)) return;
    }

    // Updates this thread's share of every W and b.
    bool weights_part(const Step& step, int me) override {
        const StepNumbers<T> numbers = step_numbers<T>(rule_, task_->learning_rates[step.number], step);
        return with_rule(rule_.rule, [&]<Rule R>() { return update_by<R>(me, slots(step.n), numbers); });
    }

    double loss_of(const Step& step) const override {
        double loss = 0.0;
        for (std::ptrdiff_t slot = 0; slot < slots(step.n); ++slot) loss += losses_of(step)[slot];
        for (std::ptrdiff_t i = 0; i < penalties_.size(); ++i) loss += penalties_[i];
        return loss;
    }

    std::ptrdiff_t predicted_at_once(std::ptrdiff_t) const override { return kGroupsAtOnce * L; }
    void* prediction_room(std::ptrdiff_t, Memory& memory) const override { return Buffer<T>(memory, room_size_).get(); }
    void predict(const Rows& rows, std::ptrdiff_t first, std::ptrdiff_t n, void* room, double* out) const override {
        std::int64_t order[kGroupsAtOnce * L];
        for (std::ptrdiff_t r = 0; r < n; ++r) order[r] = first + r;
        forward(rows, order, n, 0, static_cast<T*>(room), false);
        const LaneLayer& last = layers_[n_layers_ - 1];
        const T* z = static_cast<T*>(room) + last.delta;
        const std::ptrdiff_t k = last.n_out;
        for (std::ptrdiff_t r = 0; r < n; ++r)
            for (std::ptrdiff_t j = 0; j < k; ++j)
                out[(first + r) * k + j] = static_cast<double>(z[(r / L * k + j) * L + r % L]);
    }

private:
    static std::ptrdiff_t whole(std::ptrdiff_t n) { return (n + L - 1) / L * L; }

    // each(i, number) for the numbers of the flat vector, and where they stand here.
    template <class Each> void each_number(Numbers which, Each each) const {
        const Buffer<T>& to = which == Numbers::parameters ? w_ : which == Numbers::first_state ? m_ : v_;
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l) {
            const LaneLayer& layer = layers_[l];
            const std::ptrdiff_t n = layer.n_in * layer.n_out;
            for (std::ptrdiff_t i = 0; i < n; ++i) each(layer.start + i, to[layer.W + i]);
            for (std::ptrdiff_t j = 0; layer.bias && j < layer.n_out; ++j) each(layer.start + n + j, to[layer.b + j]);
        }
    }

    // how a batch is cut, whatever the number of threads

    std::ptrdiff_t groups_of_a_chunk(std::ptrdiff_t rows) const {
        std::ptrdiff_t numbers = 0, products = 0;
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l) {
            numbers += layers_[l].n_in + layers_[l].n_out;
            products += 3 * L * layers_[l].n_in * layers_[l].n_out;
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
            LaneLayer& layer = layers_[l];
            layer.a = take(layer.n_in);
            if (for_training || l + 1 == n_layers_) layer.delta = take(layer.n_out);
            if (for_training && layer.keeps_slope) layer.slope = take(layer.n_out);
            if (for_training) widest_ = std::max(widest_, whole(layer.n_out));
        }
    }

    // The gradient of a slot's chunks, and their loss; false: the step was given up.
    bool fill(const Step& step, std::ptrdiff_t slot, std::ptrdiff_t n_slots, int me, Watch& watch) {
        Own& mine = own_[me];
        const std::ptrdiff_t n = chunks(step.n), begin = n * slot / n_slots, end = n * (slot + 1) / n_slots;
        T* gradient = gradients_.get() + slot * n_numbers_;
        Doubles<T> losses;
        for (std::ptrdiff_t chunk = begin; chunk < end; ++chunk) {
            if (!watch.goes_on(me)) return false;
            const std::ptrdiff_t r0 = chunk * chunk_ * L, count = std::min(chunk_ * L, step.n - r0);
            for (std::ptrdiff_t r = 0; r < count; r += kGroupsAtOnce * L) {
                const std::ptrdiff_t some = std::min<std::ptrdiff_t>(kGroupsAtOnce * L, count - r);
                losses += pass(step, r0 + r, some, r / L, mine);
            }
            const std::ptrdiff_t groups = (count + L - 1) / L;
            for (std::ptrdiff_t l = 0; l < n_layers_; ++l) {
                const LaneLayer& layer = layers_[l];
                const T *a = mine.room.get() + layer.a, *delta = mine.room.get() + layer.delta;
                if (groups <= layer.by_rows_up_to) {
                    rows_of<T>(groups, delta, layer.n_out, mine.rows.get());
                    row_gradient<T>(groups, a, layer.n_in, mine.rows.get(), layer.n_out, gradient + layer.W, chunk > begin);
                } else {
                    lane_gradient<T>(groups, a, layer.n_in, delta, layer.n_out, gradient + layer.W, chunk > begin);
                }
                if (layer.bias) lane_bias_gradient(groups, delta, layer.n_out, gradient + layer.b, chunk > begin);
            }
        }
        double loss = 0.0;
        for (const Vec<double>& part : losses.part) loss += sum<double>(part);
        losses_of(step)[slot] = loss;
        return true;
    }
    // Of the slots of a step: a step is judged while the others have begun with the next one's rows.
    double* losses_of(const Step& step) const { return losses_.get() + step.number % 2 * losses_.size() / 2; }

    // n rows from row r0 of the batch on, at most kGroupsAtOnce groups from group g of the room on, through
    // all layers and back.
    Doubles<T> pass(const Step& step, std::ptrdiff_t r0, std::ptrdiff_t n, std::ptrdiff_t g, Own& mine) {
        const std::int64_t* order = task_->order + step.first + r0;
        const std::ptrdiff_t left = task_->n - step.first - r0;  // rows of the epoch, these included
        T* room = mine.room.get();
        const std::ptrdiff_t groups = (n + L - 1) / L, last = n_layers_ - 1;
        // a quarter at a time: a core waits for no more lines than it has room to remember
        const auto fetch = [&](std::ptrdiff_t quarter) {
            const std::ptrdiff_t most = std::min(kRowsAhead + n, left);
            const std::ptrdiff_t from = kRowsAhead + n * quarter / 4, to = kRowsAhead + n * (quarter + 1) / 4;
            fetch_rows(order, from, std::min(to, most));
        };
        fetch(0);
        forward(task_->rows, order, n, g, room, true);
        fetch(1);
        Doubles<T> losses;
        T* logits = room + layers_[last].delta + g * layers_[last].n_out * L;
        for (std::ptrdiff_t r = 0; r < n; r += L)
            losses += mine.output.compute_loss(network_, task_->targets, order + r,
                                       static_cast<int>(std::min<std::ptrdiff_t>(L, n - r)), step.n,
                                       logits + r * layers_[last].n_out);
        fetch(2);
        for (std::ptrdiff_t l = last; l > 0; --l) {
            const LaneLayer &layer = layers_[l], &below = layers_[l - 1];
            T* out = room + below.delta + g * below.n_out * L;
            lane_products<T, true>(groups, w_.get() + layer.W, nullptr, room + layer.delta + g * layer.n_out * L,
                                   layer.n_out, out, layer.n_in);
            const std::ptrdiff_t vectors = groups * layer.n_in, at = g * layer.n_in * L;
            if (below.keeps_slope) multiply_vectors<T>(vectors, out, room + below.slope + at);
            else slope_tile<T>(below.activation, 1, vectors, out, room + layer.a + at);
        }
        fetch(3);
        return losses;
    }

    // Rows are visited in any order, so the processor cannot guess the next ones.
    void fetch_rows(const std::int64_t* order, std::ptrdiff_t from, std::ptrdiff_t to) const {
        with_numbers(task_->rows, [&](const auto* numbers) {
            const std::ptrdiff_t bytes = layers_[0].n_in * static_cast<std::ptrdiff_t>(sizeof *numbers);
            for (std::ptrdiff_t r = from; r < to; ++r) {
                if (task_->targets.labels) __builtin_prefetch(task_->targets.labels + order[r]);
                const char* row = reinterpret_cast<const char*>(numbers + order[r] * task_->rows.stride);
                for (std::ptrdiff_t line = 0; line < bytes; line += 64) __builtin_prefetch(row + line);
            }
        });
    }

    void forward(const Rows& rows, const std::int64_t* order, std::ptrdiff_t n, std::ptrdiff_t g, T* room,
                 bool for_training) const {
        const std::ptrdiff_t groups = (n + L - 1) / L;
        for (std::ptrdiff_t r = 0; r < n; r += L)
            gather(rows, order + r, std::min<std::ptrdiff_t>(L, n - r),
                   room + layers_[0].a + (g + r / L) * layers_[0].n_in * L);
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l) {
            const LaneLayer& layer = layers_[l];
            const bool last = l + 1 == n_layers_;
            T* out = room + (last ? layer.delta : layers_[l + 1].a) + g * layer.n_out * L;
            lane_products<T, false>(groups, w_.get() + layer.W, layer.bias ? w_.get() + layer.b : nullptr,
                                    room + layer.a + g * layer.n_in * L, layer.n_in, out, layer.n_out);
            T* slope = for_training && layer.keeps_slope ? room + layer.slope + g * layer.n_out * L : nullptr;
            if (!last) activate_vectors<T>(layer.activation, groups * layer.n_out, out, slope);
        }
    }

    void gather(const Rows& rows, const std::int64_t* order, std::ptrdiff_t n, T* to) const {
        const std::ptrdiff_t K = layers_[0].n_in;
        with_numbers(rows, [&](const auto* numbers) { gather_lanes<T>(numbers, rows, order, static_cast<int>(n), K, to); });
    }

    // the second part: weights

    template <Rule R>
    bool update_by(int me, std::ptrdiff_t n_slots, const StepNumbers<T> numbers) {
        const std::ptrdiff_t vectors = n_numbers_ / L;
        const std::ptrdiff_t from = vectors * me / n_sharing_ * L, to = vectors * (me + 1) / n_sharing_ * L;
        const Penalized<T> penalized(network_);
        T *w = w_.get(), *m = m_.get(), *v = v_.get();
        Vec<T> check{};
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l) {
            const LaneLayer& layer = layers_[l];
            const std::ptrdiff_t end = layer.b + (layer.bias ? whole(layer.n_out) : 0);
            for (std::ptrdiff_t i = std::max(from, layer.W); i < std::min(to, layer.b); i += L) {
                double penalty = 0.0;
                check += update_weight<T, R>(penalized, numbers, w + i, summed(i, n_slots), m + i, v + i, penalty);
                if (penalized.any) penalties_[i / L] = penalty;
            }
            for (std::ptrdiff_t i = std::max(from, layer.b); i < std::min(to, end); i += L) {
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

    const NetworkPlan& network_;  // outlives this
    const RulePlan& rule_;
    const std::ptrdiff_t batch_, n_layers_;
    int n_sharing_ = 1;  // a step: threads
    Buffer<LaneLayer> layers_;
    std::ptrdiff_t n_parameters_ = 0, n_numbers_ = 0;  // the latter with what pads them
    std::ptrdiff_t chunk_ = kGroupsAtOnce;  // groups of a chunk
    std::ptrdiff_t room_size_ = 0, widest_ = 0;  // numbers in a thread's room, and of a row of deltas
    Buffer<T> w_, m_, v_;
    Buffer<T> gradients_;       // slot by slot
    Buffer<double> losses_;     // of each slot, for this step and the one before
    Buffer<double> penalties_;  // of each vector of weights
    Buffer<Own> own_;           // of each thread
    const EpochTask* task_ = nullptr;  // of the epoch that runs
};

}  // namespace deltaprop::DELTAPROP_ISA
