// The steps of a network in panels.
//
// In the first part of a step every thread takes some rows through all layers and back, from x to the
// deltas; in the second it takes some blocks of weights, sums their gradient over all rows and updates
// them at once. Nothing is ever reduced over threads, so their number does not change a bit.
#pragma once

#include <algorithm>

#include "panels/dropout.hpp"
#include "panels/gradients.hpp"
#include "panels/other_layers/layers.hpp"
#include "panels/output.hpp"
#include "panels/passes.hpp"
#include "panels/prediction.hpp"

namespace deltaprop::DELTAPROP_ISA {

template <class C> class PanelSteps final : public Steps {
    using T = typename C::Number;
    using Element = typename C::Element;
    static constexpr int P = kPanel<T>, L = kLanes<T>;
    static constexpr std::ptrdiff_t kChunkBytes = 384 * 1024;  // of rows that stay near

    // What each thread has for itself.
    struct Own {
        Output<T> output;
        Buffer<std::uint32_t> drawn;
        Buffer<T> room;
    };

public:
    PanelSteps(const Plan& plan, int n_threads, Memory& memory)
        : network_(plan.network), rule_(plan.rule), batch_(plan.batch_size), n_layers_(plan.network.n_layers),
          n_threads_(n_threads), layers_(memory, n_layers_) {
        std::ptrdiff_t start = 0;
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l) {
            const int kept = plan.for_training ? states_of(rule_.rule) : 0;
            Layer<C>& layer = *::new (&layers_[l]) Layer<C>(network_.layers[l], l, start, plan.for_training, kept, memory);
            start += layer.size();
            if (!layer.is_dense()) prepare_records(layer, plan.for_training ? batch_ : 0, memory);
        }
        by_column_ = plan.sparse && layers_[0].drop == 0 && layers_[0].is_dense();
        if (!plan.for_training) return;
        make_room(memory);
        plan_blocks(memory);
    }

    std::ptrdiff_t n_parameters() const override { return layers_[n_layers_ - 1].start + layers_[n_layers_ - 1].size(); }
    void set(Numbers which, const double* flat) override {
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l) {
            each_number(layers_[l], which, [&](std::ptrdiff_t i, T& number) { number = static_cast<T>(flat[i]); });
            if (which == Numbers::parameters && layers_[l].has_copies()) copy_weights(layers_[l]);
        }
    }
    void get(Numbers which, double* flat) const override {
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l)
            each_number(layers_[l], which, [&](std::ptrdiff_t i, T number) { flat[i] = static_cast<double>(number); });
    }
    bool parameters_are_finite() const override {
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l)
            if (!all_finite(layers_[l].W) || !all_finite(layers_[l].b)) return false;
        return true;
    }
    int most_threads() const override { return n_threads_; }

    void begin(const EpochTask& task, Memory& memory) override {
        task_ = &task;
        if (by_column_) columns_ = ByColumn<T>(memory, task.rows, task.order, task.n, batch_, layers_[0].n_in);
    }

    // Which blocks each thread updates: runs of about the same size.
    void share_out(int n_threads) override {
        std::ptrdiff_t total = 0, so_far = 0;
        for (std::ptrdiff_t i = 0; i < blocks_.size(); ++i) total += blocks_[i].weight;
        for (int t = 1; t <= n_threads; ++t) block_starts_[t] = blocks_.size();
        int thread = 1;
        for (std::ptrdiff_t i = 0; i < blocks_.size() && thread < n_threads; ++i) {
            if (so_far >= total * thread / n_threads) block_starts_[thread++] = i;
            so_far += blocks_[i].weight;
        }
        n_sharing_ = n_threads;
    }

    void rows_part(const Step& step, int me, Watch& watch) override {
        if (me == 0 && by_column_) columns_.sort(task_->rows, task_->order + step.first, step.n);
        const auto start_of = [&](int thread) {  // no element is shared by two threads
            return std::min(step.n, elements<C>(step.n) * thread / n_sharing_ * C::kNumbers);
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
            if (!chunk_part(me, step, r, std::min(chunk, to - r), watch)) return;
    }

    bool weights_part(const Step& step, int me) override {
        const StepNumbers<T> numbers = step_numbers<T>(rule_, task_->learning_rates[step.number], step);
        bool bad = false;
        for (std::ptrdiff_t b = block_starts_[me]; b < block_starts_[me + 1]; ++b)
            bad |= update_block(b, numbers, step.n, own_[me].room.get());
        return bad;
    }

    double loss_of(const Step& step) const override {
        double loss = 0.0;
        const double* losses = losses_of(step);
        for (std::ptrdiff_t r = 0; r < step.n; ++r) loss += losses[r];
        for (std::ptrdiff_t i = 0; i < penalties_.size(); ++i) loss += penalties_[i];
        return loss;
    }

    std::ptrdiff_t predicted_at_once(std::ptrdiff_t rows) const override { return prediction().at_once(rows); }
    void* prediction_room(std::ptrdiff_t at_once, Memory& memory) const override {
        return prediction().room(at_once, memory);
    }
    void predict(const Rows& rows, std::ptrdiff_t first, std::ptrdiff_t n, void* room, double* out) const override {
        prediction().run(rows, first, n, room, out);
    }

private:
    Prediction<C> prediction() const { return Prediction<C>(network_, layers_.get()); }

    void make_room(Memory& memory) {
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l) {
            Layer<C>& layer = layers_[l];
            if (l > 0 || !by_column_) {
                layer.in = Buffer<T>(memory, panel_size<T>(batch_, layer.n_in));
                if (layer.is_dense()) layer.ins = Operand<C>(memory, batch_, layer.n_in);
            }
            layer.delta = Buffer<T>(memory, panel_size<T>(batch_, layer.n_out));
            if (layer.is_dense()) layer.deltas = Operand<C>(memory, batch_, layer.n_out);
            if (l > 0 && (layer.drop > 0 || !slope_from_value(layers_[l - 1].activation)))
                layer.slope = Buffer<T>(memory, panel_size<T>(batch_, layer.n_in));
        }
        row_losses_ = Buffer<double>(memory, 2 * batch_);
        own_ = Buffer<Own>(memory, n_threads_);
        for (int t = 0; t < n_threads_; ++t)
            own_[t] = {Output<T>(memory, layers_[n_layers_ - 1].n_out),
                       Buffer<std::uint32_t>(memory, widest_dropped() + kDrawnBeyond),
                       Buffer<T>(memory, room_of<T>(network_, batch_))};
    }

    void plan_blocks(Memory& memory) {
        const auto each = [&](const auto& take) {
            for (std::ptrdiff_t l = 0; l < n_layers_; ++l)
                if (layers_[l].is_dense()) each_block(layers_[l], l, take);
                else each_block_of_records(layers_[l], l, take);
        };
        std::ptrdiff_t n = 0;
        each([&](const Block&) { ++n; });
        blocks_ = Buffer<Block>(memory, n);
        penalties_ = Buffer<double>(memory, n);
        block_starts_ = Buffer<std::ptrdiff_t>(memory, n_threads_ + 1);
        n = 0;
        each([&](const Block& block) { blocks_[n++] = block; });
    }

    std::ptrdiff_t widest_dropped() const {
        std::ptrdiff_t widest = 0;
        for (std::ptrdiff_t l = 0; l < n_layers_; ++l)
            if (layers_[l].drop > 0) widest = std::max(widest, layers_[l].n_in);
        return widest;
    }

    // n rows from row r0 of the batch on, through all layers and back; false: the step was given up.
    bool chunk_part(int me, const Step& step, std::ptrdiff_t r0, std::ptrdiff_t n, Watch& watch) {
        const std::ptrdiff_t last = n_layers_ - 1;
        const std::int64_t* order = task_->order + step.first + r0;
        Own& mine = own_[me];
        if (!by_column_) gather<T>(task_->rows, order, n, layers_[0].n_in, layers_[0].in.get() + r0 * P, batch_);
        for (std::ptrdiff_t l = 0; l <= last; ++l) {
            if (!watch.goes_on(me)) return false;
            Layer<C>& layer = layers_[l];
            if (layer.drop > 0) drop(l, step, r0, n, mine.drawn);
            T* out = (l == last ? layer.delta : layers_[l + 1].in).get() + r0 * P;
            T* slope = l == last || !layers_[l + 1].slope ? nullptr : layers_[l + 1].slope.get() + r0 * P;
            if (!layer.is_dense()) {
                forward_layer(layer, layer.in.get() + r0 * P, batch_, n, out, slope, mine.room.get());
            } else if (l == 0 && by_column_) {
                forward_sparse(layer, task_->rows, order, batch_, n, out, slope);
            } else {
                layer.ins.take(layer.in.get(), r0, n);
                forward(layer, layer.ins.along(layer.in.get(), r0), batch_, n, out, slope);
            }
        }
        mine.output.compute_loss(network_, task_->targets, order, n, step.n, layers_[last].delta.get() + r0 * P,
                                 batch_, losses_of(step) + r0);
        layers_[last].deltas.take(layers_[last].delta.get(), r0, n);
        for (std::ptrdiff_t l = last; l > 0; --l) {
            if (!watch.goes_on(me)) return false;
            if (layers_[l].is_dense()) backward(layers_[l], layers_[l - 1], batch_, r0, n);
            else backward_layer(layers_[l], &layers_[l - 1], batch_, r0, n, mine.room.get());
            layers_[l - 1].deltas.take(layers_[l - 1].delta.get(), r0, n);
        }
        if (!layers_[0].is_dense()) backward_layer<C>(layers_[0], nullptr, batch_, r0, n, mine.room.get());
        return watch.goes_on(me);
    }

    // Multiplies what layer l reads by its mask, from NumPy's stream.
    void drop(std::ptrdiff_t l, const Step& step, std::ptrdiff_t r0, std::ptrdiff_t n,
              const Buffer<std::uint32_t>& room) {
        const Philox philox(task_->mask_key.data(), task_->mask_counter.data());
        drop_inputs(layers_[l], philox, task_->mask_word + first_word_of(network_, batch_, step, l), batch_, r0, n, room.get());
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
        gradient_of_records(layer, block, batch_, rows, room);
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
    double* losses_of(const Step& step) const { return row_losses_.get() + step.number % 2 * batch_; }

    const NetworkPlan& network_;  // outlives this
    const RulePlan& rule_;
    const std::ptrdiff_t batch_, n_layers_;
    const int n_threads_;  // at most
    int n_sharing_ = 1;    // now
    Buffer<Layer<C>> layers_;
    Buffer<Block> blocks_;
    Buffer<std::ptrdiff_t> block_starts_;
    Buffer<double> penalties_;  // of each block
    Buffer<double> row_losses_;
    Buffer<Own> own_;  // of each thread
    ByColumn<T> columns_;
    bool by_column_ = false;
    const EpochTask* task_ = nullptr;  // of the epoch that runs
};

}  // namespace deltaprop::DELTAPROP_ISA
