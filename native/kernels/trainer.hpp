// The training of a network: epochs of steps, on a team of threads.
//
// A step has two parts. In the first every thread takes some rows through all layers and back, from
// x to the deltas; in the second it takes some blocks of weights, sums their gradient over all rows
// and updates them at once. Nothing is ever reduced over threads, so their number does not change a
// bit. Two barriers a step.
#pragma once

#include <algorithm>
#include <atomic>

#include "../team.hpp"
#include "../team_size.hpp"
#include "../trainers.hpp"
#include "dropout.hpp"
#include "gradients.hpp"
#include "output.hpp"
#include "passes.hpp"
#include "prediction.hpp"
#include "progress.hpp"
#include "stages.hpp"

namespace deltaprop::DELTAPROP_ISA {

template <class C> class TrainerOf final : public Trainer {
    using T = typename C::Number;
    using Cell = typename C::Cell;
    static constexpr int P = kPanel<T>, L = kLanes<T>;
    static constexpr std::ptrdiff_t kChunkBytes = 384 * 1024;  // of rows that stay near

    // What each thread has for itself.
    struct Own {
        Output<T> output{0};
        Buffer<std::uint32_t> drawn;
        Buffer<T> room;
    };

public:
    explicit TrainerOf(const TrainerSettings& settings)
        : settings_(settings), network_(settings.network), rule_(settings.rule), batch_(settings.batch_size),
          n_layers_(settings.network.n_layers),
          layers_(new Layer<C>[static_cast<std::size_t>(n_layers_)]),
          team_size_(worthwhile_threads(settings, batch_), settings.lost_share) {
        const int kept = settings.for_training ? n_states() : 0;
        std::ptrdiff_t start = 0;
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l) {
            const LayerPlan& plan = network_.layers[l];
            Layer<C>& layer = layers_[l];
            layer.plan = &plan;
            layer.n_in = plan.n_in;
            layer.n_out = plan.n_out;
            layer.bias = plan.bias;
            layer.activation = plan.activation;
            layer.drop = plan.drop_threshold;
            layer.kept = static_cast<T>(1.0 / (1.0 - plan.drop_probability));
            layer.start = start;
            if (layer.is_dense()) {
                layer.scaled = plan.scale != 1.0;
                layer.scale = static_cast<T>(plan.scale);
                start += plan.n_in * plan.n_out + (plan.bias ? plan.n_out : 0);
                layer.W = Buffer<T>(panel_size<T>(plan.n_in, plan.n_out));
                layer.b = Buffer<T>(plan.bias ? panels<T>(plan.n_out) * P : 0);
                if (settings.for_training && l > 0)
                    layer.turned = Buffer<Cell>(panel_size<T>(cells<C>(plan.n_out), plan.n_in));
                if (C::kNumbers > 1) layer.pairs = Buffer<Cell>(panel_size<T>(cells<C>(plan.n_in), plan.n_out));
            } else {
                layer.records = records_of<T>(plan);
                start += numbers_of(layer.records);
                layer.W = Buffer<T>(layer.records.n * layer.records.size);
                prepare_stage(layer, network_, settings.for_training ? batch_ : 0);
            }
            layer.m = Buffer<T>(kept > 0 ? layer.W.size() : 0);
            layer.v = Buffer<T>(kept > 1 ? layer.W.size() : 0);
            layer.m_b = Buffer<T>(kept > 0 ? layer.b.size() : 0);
            layer.v_b = Buffer<T>(kept > 1 ? layer.b.size() : 0);
        }
        if (settings.for_training) plan_blocks();
    }

    int n_states() const override { return states_of(rule_.rule); }
    int n_threads() const override { return team_size_.threads(); }

    void set_parameters(const double* flat) override {
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l) {
            pack(layers_[l], flat, layers_[l].W, layers_[l].b);
            if (layers_[l].has_copies()) copy_weights(layers_[l]);
        }
    }
    void get_parameters(double* flat) const override {
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l)
            unpack(layers_[l], flat, layers_[l].W, layers_[l].b);
    }
    void set_state(int which, const double* flat) override {
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l) {
            const Layer<C>& layer = layers_[l];
            pack(layer, flat, which ? layer.v : layer.m, which ? layer.v_b : layer.m_b);
        }
    }
    void get_state(int which, double* flat) const override {
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l) {
            const Layer<C>& layer = layers_[l];
            unpack(layer, flat, which ? layer.v : layer.m, which ? layer.v_b : layer.m_b);
        }
    }
    void set_steps(std::int64_t steps) override { steps_ = steps; }
    std::int64_t steps() const override { return steps_; }

    EpochResult epoch(const EpochTask& task) override {
        task_ = &task;
        by_column_ = task.rows.columns != nullptr && layers_[0].drop == 0 && layers_[0].is_dense();
        make_room();
        if (by_column_) columns_.make_room(task.rows, task.order, task.n, batch_, layers_[0].n_in);
        const std::ptrdiff_t n_steps = (task.n + batch_ - 1) / batch_;
        Progress progress(task);
        over_ = n_steps == 0;
        for (Powers powers(rule_, steps_); !over_;) powers = some_steps(n_steps, powers, progress);
        EpochResult result = progress.result();
        steps_ += result.steps;
        if (result.diverged == 0 && !parameters_are_finite()) result.diverged = 3;
        return result;
    }

    void logits(const Rows& rows, double* out) const override {
        Prediction<C>(network_, layers_.get()).run(rows, worthwhile_threads(settings_, rows.n), out);
    }

private:
    // Steps of the epoch, from where `progress` stands to the last or to where the team should be
    // another; returns the powers after them.
    Powers some_steps(std::ptrdiff_t n_steps, const Powers& before, Progress& progress) {
        const EpochTask& task = *task_;
        const std::ptrdiff_t start = progress.steps();
        const int n_threads = team_size_.threads();
        divide(n_threads);
        Barrier barrier(n_threads);
        given_up_.store(false, std::memory_order_relaxed);
        // all memory is had before the threads start, which could not say that there is none
        std::unique_ptr<Own[]> own(new Own[static_cast<std::size_t>(n_threads)]);
        for (int t = 0; t < n_threads; ++t)
            own[t] = {Output<T>(layers_[n_layers_ - 1].n_out), Buffer<std::uint32_t>(widest_dropped() + kDrawnBeyond),
                      Buffer<T>(room_of<T>(network_, batch_))};
        Powers after = before;
        const bool watched = team_size_.can_change();
        team_size_.begin();
        run_team(n_threads, [&](int me) {
            const FlushSubnormals flush;
            Own& mine = own[me];
            Powers powers = before;
            for (std::ptrdiff_t s = start; s < n_steps; ++s) {
                const std::ptrdiff_t first = s * batch_, rows = std::min(batch_, task.n - first);
                if (me == 0 && by_column_) columns_.sort(task.rows, task.order + first, rows);
                if (me == 0 && s > start) {
                    if (judge(progress, s - 1)) stop();
                    else if (watched && team_size_.should_change(barrier.lost(), progress.last_look())) give_up();
                }
                rows_part(me, n_threads, s, rows, mine, progress);
                barrier.wait();
                if (given_up_.load(std::memory_order_relaxed)) break;
                powers.step(rule_);
                weights_part(me, step_numbers<T>(rule_, task.learning_rates[s], powers), rows, mine);
                barrier.wait();
                if (me == 0 && s + 1 == n_steps) {
                    judge(progress, s);
                    over_ = true;
                }
            }
            if (me == 0) after = powers;
        });
        team_size_.end(barrier.lost());
        return after;
    }

    bool parameters_are_finite() const {
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l)
            if (!all_finite(layers_[l].W) || !all_finite(layers_[l].b)) return false;
        return true;
    }

    // who does what

    void plan_blocks() {
        const auto each = [&](const auto& take) {
            for (std::ptrdiff_t l = 0; l < n_layers_; ++l)
                if (layers_[l].is_dense()) each_block(layers_[l], l, take);
                else each_stage_block(layers_[l], l, take);
        };
        std::ptrdiff_t n = 0;
        each([&](const Block&) { ++n; });
        blocks_ = Buffer<Block>(n);
        penalties_ = Buffer<double>(n);
        n = 0;
        each([&](const Block& block) { blocks_[n++] = block; });
    }

    // Which blocks each thread updates: runs of about the same size.
    void divide(int n_threads) {
        std::ptrdiff_t total = 0, so_far = 0;
        for (std::ptrdiff_t i = 0; i < blocks_.size(); ++i)
            total += blocks_[i].weight;
        block_starts_ = Buffer<std::ptrdiff_t>(n_threads + 1);
        for (int t = 1; t <= n_threads; ++t) block_starts_[t] = blocks_.size();
        int thread = 1;
        for (std::ptrdiff_t i = 0; i < blocks_.size() && thread < n_threads; ++i) {
            if (so_far >= total * thread / n_threads) block_starts_[thread++] = i;
            so_far += blocks_[i].weight;
        }
        bad_ = Buffer<unsigned char>(n_threads * kLine);
    }

    void make_room() {
        if (layers_[0].delta && (layers_[0].in || by_column_)) return;
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l) {
            Layer<C>& layer = layers_[l];
            if (l > 0 || !by_column_) {
                layer.in = Buffer<T>(panel_size<T>(batch_, layer.n_in));
                if (layer.is_dense()) layer.ins = Operand<C>(batch_, layer.n_in);
            }
            layer.delta = Buffer<T>(panel_size<T>(batch_, layer.n_out));
            if (layer.is_dense()) layer.deltas = Operand<C>(batch_, layer.n_out);
            if (l > 0 && (layer.drop > 0 || !slope_from_value(layers_[l - 1].activation)))
                layer.slope = Buffer<T>(panel_size<T>(batch_, layer.n_in));
        }
        row_losses_ = Buffer<double>(2 * batch_);
    }

    std::ptrdiff_t widest_dropped() const {
        std::ptrdiff_t widest = 0;
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l)
            if (layers_[l].drop > 0) widest = std::max(widest, layers_[l].n_in);
        return widest;
    }

    // the first part of a step: rows

    void rows_part(int me, int n_threads, std::ptrdiff_t step, std::ptrdiff_t rows, Own& mine, Progress& progress) {
        const auto start_of = [&](int thread) {  // no cell is shared by two threads
            return std::min(rows, cells<C>(rows) * thread / n_threads * C::kNumbers);
        };
        const std::ptrdiff_t from = start_of(me), to = start_of(me + 1);
        std::ptrdiff_t row_bytes = 0, weight_bytes = 0;
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l) {
            const Layer<C>& layer = layers_[l];
            row_bytes += panel_size<T>(2, layer.n_in) + panel_size<T>(1, layer.n_out);
            weight_bytes += layer.W.size();
        }
        row_bytes *= sizeof(T);
        weight_bytes *= sizeof(T);
        // where the weights stay near, a few rows at a time stay near as well
        std::ptrdiff_t chunk = to - from;
        if (weight_bytes <= kChunkBytes)
            chunk = std::max<std::ptrdiff_t>(8 * kTileRows, kChunkBytes / row_bytes / kTileRows * kTileRows);
        for (std::ptrdiff_t r = from; r < to; r += chunk)
            if (!chunk_part(me, step, rows, r, std::min(chunk, to - r), mine, progress)) return;
    }

    // Until its weights change, a step can be left as if it had not begun.
    bool goes_on(int me, Progress& progress) {
        if (me == 0 && progress.gives_up()) stop();
        return !given_up_.load(std::memory_order_relaxed);
    }
    void give_up() { given_up_.store(true, std::memory_order_relaxed); }
    void stop() {
        over_ = true;
        give_up();
    }

    // n rows from row r0 of the batch on, through all layers and back; false: the step was given up.
    bool chunk_part(int me, std::ptrdiff_t step, std::ptrdiff_t batch_rows, std::ptrdiff_t r0, std::ptrdiff_t n,
                    Own& mine, Progress& progress) {
        const std::ptrdiff_t last = n_layers_ - 1;
        const std::int64_t* order = task_->order + step * batch_ + r0;
        if (!by_column_) gather<T>(task_->rows, order, n, layers_[0].n_in, layers_[0].in.get() + r0 * P, batch_);
        for (std::ptrdiff_t l = 0; l <= last; ++l) {
            if (!goes_on(me, progress)) return false;
            Layer<C>& layer = layers_[l];
            if (layer.drop > 0) drop(l, step, batch_rows, r0, n, mine.drawn);
            T* out = (l == last ? layer.delta : layers_[l + 1].in).get() + r0 * P;
            T* slope = l == last || !layers_[l + 1].slope ? nullptr : layers_[l + 1].slope.get() + r0 * P;
            const Activation f = l == last ? Activation::identity : layer.activation;
            if (!layer.is_dense()) {
                forward_stage(layer, layer.in.get() + r0 * P, batch_, n, out, slope, mine.room.get());
            } else if (l == 0 && by_column_) {
                forward_sparse(layer, f, task_->rows, order, batch_, n, out, slope);
            } else {
                layer.ins.take(layer.in.get(), r0, n);
                forward(layer, f, layer.ins.along(layer.in.get(), r0), batch_, n, out, slope);
            }
        }
        mine.output.lose(network_, task_->targets, order, n, batch_rows, layers_[last].delta.get() + r0 * P,
                    batch_, losses_of(step) + r0);
        layers_[last].deltas.take(layers_[last].delta.get(), r0, n);
        for (std::ptrdiff_t l = last; l > 0; --l) {
            if (!goes_on(me, progress)) return false;
            if (layers_[l].is_dense()) backward(layers_[l], layers_[l - 1], batch_, r0, n);
            else backward_stage(layers_[l], &layers_[l - 1], batch_, r0, n, mine.room.get());
            layers_[l - 1].deltas.take(layers_[l - 1].delta.get(), r0, n);
        }
        if (!layers_[0].is_dense()) backward_stage<C>(layers_[0], nullptr, batch_, r0, n, mine.room.get());
        return goes_on(me, progress);
    }

    // Multiplies what layer l reads by its mask, from NumPy's stream. A mask starts with a word of its own.
    void drop(std::ptrdiff_t l, std::ptrdiff_t step, std::ptrdiff_t batch_rows, std::ptrdiff_t r0,
              std::ptrdiff_t n, const Buffer<std::uint32_t>& room) {
        const Philox philox(task_->mask_key, task_->mask_counter);
        std::ptrdiff_t first_word = 0;  // those of whole steps before, and of the layers below
        for (std::ptrdiff_t i = 0; i < n_layers_; ++i) {
            if (layers_[i].drop == 0) continue;
            first_word += step * ((batch_ * layers_[i].n_in + 1) / 2);
            if (i < l) first_word += (batch_rows * layers_[i].n_in + 1) / 2;
        }
        drop_inputs(layers_[l], philox, first_word, batch_, r0, n, room.get());
    }

    // the second part: weights

    void weights_part(int me, const StepNumbers<T>& numbers, std::ptrdiff_t rows, const Own& mine) {
        bool bad = false;
        for (std::ptrdiff_t b = block_starts_[me]; b < block_starts_[me + 1]; ++b)
            bad |= update_block(b, numbers, rows, mine.room.get());
        bad_[me * kLine] = bad;
    }

    // Returns whether a gradient was not finite.
    bool update_block(std::ptrdiff_t number, const StepNumbers<T>& numbers, std::ptrdiff_t rows, T* room) {
        const Block& block = blocks_[number];
        const Layer<C>& layer = layers_[block.layer];
        if (!layer.is_dense()) return update_records(number, numbers, rows, room);
        alignas(64) T gradients[kBlockPanels * kBlockRows<T> * P];
        if (by_column_ && block.layer == 0) {
            for (std::ptrdiff_t j = 0; j < block.n_panels; ++j)
                for (std::ptrdiff_t i = 0; i < block.n_rows; ++i)
                    columns_.sum(block.row_start + i, layer.delta.get() + (block.first_panel + j) * batch_ * P,
                                 gradients + (j * kBlockRows<T> + i) * P);
        } else {
            gradients_of(layer, block, batch_, rows, gradients);
        }
        scale_gradients(layer, block, gradients);
        const StepNumbers<T> of_weights = at_rate(numbers, layer.plan->rates[0]);
        Vec<T> check{};
        double penalty = 0.0;
        for (std::ptrdiff_t j = 0; j < block.n_panels; ++j) {
            const std::ptrdiff_t panel = block.first_panel + j;
            check += update_weights(network_, rule_.rule, layer, block, panel, gradients + j * kBlockRows<T> * P,
                                    of_weights, penalty);
            if (layer.bias && block.row_start == 0)
                check += update_bias(network_, rule_.rule, layer, panel, at_rate(numbers, layer.plan->rates[1]), batch_,
                                     rows);
        }
        penalties_[number] = penalty;
        return !(sum<T>(check) == 0);
    }

    // The same for a block of a layer that is not dense.
    bool update_records(std::ptrdiff_t number, const StepNumbers<T>& numbers, std::ptrdiff_t rows, T* room) {
        const Block& block = blocks_[number];
        const Layer<C>& layer = layers_[block.layer];
        gradient_of_stage(layer, block, batch_, rows, room);
        Vec<T> check{};
        double penalty = 0.0;
        for (std::ptrdiff_t i = block.first_panel; i < block.first_panel + block.n_panels; ++i) {
            const std::ptrdiff_t at = i * layer.records.size;
            check += update_record<T>(network_, rule_.rule, layer.records, numbers, layer.W.get() + at,
                                      layer.gradient.get() + at, layer.m.from(at), layer.v.from(at), penalty);
        }
        penalties_[number] = penalty;
        return !(sum<T>(check) == 0);
    }

    // Of the rows of a step: a step is judged while the others have begun with the next one's rows.
    double* losses_of(std::ptrdiff_t step) const { return row_losses_.get() + step % 2 * batch_; }

    // Between two steps, on the calling thread: the loss of a step that is done; true: stop.
    bool judge(Progress& progress, std::ptrdiff_t step) const {
        const std::ptrdiff_t rows = std::min(batch_, task_->n - step * batch_);
        double loss = 0.0;
        const double* losses = losses_of(step);
        for (std::ptrdiff_t r = 0; r < rows; ++r) loss += losses[r];
        for (std::ptrdiff_t i = 0; i < penalties_.size(); ++i) loss += penalties_[i];
        bool bad = false;
        for (std::ptrdiff_t i = 0; i < bad_.size(); i += kLine) bad = bad || bad_[i];
        return progress.judge(rows, loss, bad);
    }

    static constexpr std::ptrdiff_t kLine = 64;  // bytes: what threads write stands apart

    const TrainerSettings& settings_;  // outlives this
    const NetworkPlan& network_;
    const RulePlan& rule_;
    const std::ptrdiff_t batch_;
    const std::ptrdiff_t n_layers_;
    std::unique_ptr<Layer<C>[]> layers_;
    Buffer<Block> blocks_;
    Buffer<std::ptrdiff_t> block_starts_;
    Buffer<double> penalties_;    // of each block
    Buffer<unsigned char> bad_;   // of each thread: whether a gradient was not finite
    Buffer<double> row_losses_;
    ByColumn<T> columns_;
    bool by_column_ = false;
    std::int64_t steps_ = 0;
    TeamSize team_size_;
    std::atomic<bool> given_up_{false};  // the step that runs is left undone
    bool over_ = false;                  // so is the rest of the epoch; known to the first thread
    // of the epoch that runs
    const EpochTask* task_ = nullptr;
};

}  // namespace deltaprop::DELTAPROP_ISA
