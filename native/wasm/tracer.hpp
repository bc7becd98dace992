// The numbers of a batch, layer by layer, from the kernels in panels.
#pragma once

#include "panels/dropout.hpp"
#include "panels/other_layers/layers.hpp"
#include "panels/output.hpp"
#include "wasm/trace.hpp"

namespace deltaprop::DELTAPROP_ISA {

class Tracer final : public Trace {
    using T = double;
    using C = Singles<T>;
    static constexpr int P = kPanel<T>, L = kLanes<T>;

public:
    Tracer(const NetworkPlan& network, std::ptrdiff_t batch_size, std::ptrdiff_t most_rows, Memory& memory)
        : network_(network), batch_size_(batch_size), stride_(most_rows), last_(network.n_layers - 1),
          layers_(memory, network.n_layers), z_(memory, network.n_layers), a_(memory, network.n_layers),
          delta_(memory, network.n_layers), losses_(memory, most_rows), output_(memory, network.layers[last_].n_out),
          row_(memory, network.layers[last_].n_out + L), room_(memory, room_of<T>(network, most_rows)) {
        std::ptrdiff_t start = 0, widest = 0;
        for (std::ptrdiff_t l = 0; l <= last_; ++l) {
            Layer<C>& layer = *::new (&layers_[l]) Layer<C>(network.layers[l], l, start, true, 0, memory);
            start += layer.size();
            widest = std::max(widest, layer.n_in);
            if (!layer.is_dense()) {
                prepare_records(layer, stride_, memory);
                delta_[l] = Buffer<T>(memory, panel_size<T>(stride_, layer.n_out));
            }
            layer.in = Buffer<T>(memory, panel_size<T>(stride_, layer.n_in));
            if (l > 0) layer.slope = Buffer<T>(memory, panel_size<T>(stride_, layer.n_in));
            for (Buffer<T>* of_outputs : {&layer.delta, &z_[l], &a_[l]})
                *of_outputs = Buffer<T>(memory, panel_size<T>(stride_, layer.n_out));
        }
        drawn_ = Buffer<std::uint32_t>(memory, widest + kDrawnBeyond);
    }

    void set(const double* parameters) override {
        for (std::ptrdiff_t l = 0; l <= last_; ++l) {
            each_number(layers_[l], Numbers::parameters, [&](std::ptrdiff_t i, T& number) { number = parameters[i]; });
            if (layers_[l].has_copies()) copy_weights(layers_[l]);
        }
    }
    std::ptrdiff_t most_rows() const override { return stride_; }

    void forward(const Rows& rows, const std::int64_t* order, std::ptrdiff_t n, const EpochTask* task,
                 const Step* step) override {
        n_ = n;
        gather<T>(rows, order, n, layers_[0].n_in, layers_[0].in.get(), stride_);
        for (std::ptrdiff_t l = 0; l <= last_; ++l) {
            Layer<C>& layer = layers_[l];
            if (step && layer.drop > 0)
                drop_inputs(layer, Philox(task->mask_key.data(), task->mask_counter.data()),
                            first_word_of(network_, batch_size_, *step, l), stride_, 0, n, drawn_.get());
            Layer<C> linear = layer;  // z is what it would give without its activation
            linear.activation = Activation::identity;
            linear.lifts_padding = false;
            if (layer.is_dense()) forward_dense(linear, z_[l].get());
            else forward_layer(linear, layer.in.get(), stride_, n, z_[l].get(), static_cast<T*>(nullptr), room_.get());
            if (l < last_) activate(l);
            else for (std::ptrdiff_t r = 0; r < n; ++r) predict(r);
        }
    }

    Cost loss(const Targets& targets, const std::int64_t* order, std::ptrdiff_t batch_rows, double* each) override {
        const auto losses_of = [&](const Targets& of, std::ptrdiff_t rows, double* losses) {
            copy(z_[last_].get(), z_[last_].size(), layers_[last_].delta.get());
            output_.compute_loss(network_, of, order, n_, rows, layers_[last_].delta.get(), stride_, losses);
        };
        if (each) losses_of({targets.labels, targets.dense, nullptr}, 1, each);
        losses_of(targets, batch_rows, losses_.get());
        Cost cost;
        for (std::ptrdiff_t r = 0; r < n_; ++r) cost.data += losses_[r];
        if (network_.l2 == 0.0 && network_.l1 == 0.0) return cost;
        each_penalized([&](std::ptrdiff_t, T w) {
            cost.l2 += network_.l2 / 2 * w * w;
            cost.l1 += network_.l1 * (w < 0 ? -w : w);
        });
        return cost;
    }

    void backward() override {
        for (std::ptrdiff_t l = last_; l >= 0; --l) {
            const Layer<C>* below = l > 0 ? &layers_[l - 1] : nullptr;
            const Layer<C>& layer = layers_[l];
            if (layer.is_dense()) {
                if (below) portable::backward(layer, *below, stride_, 0, n_);
                continue;
            }
            copy(layer.delta.get(), delta_[l].size(), delta_[l].get());  // what its gradient is summed of may take its place
            backward_layer(layer, below, stride_, 0, n_, room_.get());
        }
    }

    void get(Kept kept, std::ptrdiff_t l, double* out) const override {
        const Layer<C>& layer = layers_[l];
        const Buffer<T>& from = kept == Kept::z ? z_[l] : kept == Kept::a ? a_[l] : kept == Kept::inputs ? layer.in
                                : delta_[l] ? delta_[l] : layer.delta;
        const std::ptrdiff_t columns = kept == Kept::inputs ? layer.n_in : layer.n_out;
        for (std::ptrdiff_t r = 0; r < n_; ++r)
            for (std::ptrdiff_t j = 0; j < columns; ++j) *out++ = from[at(r, j)];
    }
    void get_column(std::ptrdiff_t l, std::ptrdiff_t j, float* out) const override {
        for (std::ptrdiff_t r = 0; r < n_; ++r) out[r] = static_cast<float>(a_[l][at(r, j)]);
    }

    void get_gradient(bool with_penalties, double* flat) const override {
        for (std::ptrdiff_t l = 0; l <= last_; ++l)
            if (layers_[l].is_dense()) gradient_of_dense(l, flat + layers_[l].start);
            else gradient_of_others(l, flat + layers_[l].start);
        if (with_penalties && (network_.l2 > 0.0 || network_.l1 > 0.0))
            each_penalized([&](std::ptrdiff_t i, T w) { flat[i] += network_.l2 * w + network_.l1 * ((w > 0) - (w < 0)); });
    }

private:
    std::ptrdiff_t at(std::ptrdiff_t r, std::ptrdiff_t j) const { return (j / P * stride_ + r) * P + j % P; }

    void forward_dense(const Layer<C>& layer, T* z) {
        layer.ins.take(layer.in.get(), 0, n_);
        portable::forward(layer, layer.ins.along(layer.in.get(), 0), stride_, n_, z, static_cast<T*>(nullptr));
    }

    // a = f(z), which the next layer reads, and f'(z) for the way back.
    void activate(std::ptrdiff_t l) {
        const Layer<C> &layer = layers_[l], &next = layers_[l + 1];
        copy(z_[l].get(), z_[l].size(), a_[l].get());
        for (std::ptrdiff_t j = 0; j < panels<T>(layer.n_out); ++j) {
            const std::ptrdiff_t from = j * stride_ * P;
            activate_tile<T>(layer.activation, static_cast<int>(n_), 2, a_[l].get() + from, nullptr, next.slope.get() + from);
        }
        clear_padding(layer, stride_, n_, a_[l].get());
        copy(a_[l].get(), a_[l].size(), next.in.get());
    }

    // What the loss makes of the logits of a row.
    void predict(std::ptrdiff_t r) {
        const std::ptrdiff_t k = layers_[last_].n_out;
        const auto each = [&](auto f) {
            for (std::ptrdiff_t j = 0; j < k; ++j) row_[j] = z_[last_][at(r, j)];
            f();
            for (std::ptrdiff_t j = 0; j < k; ++j) a_[last_][at(r, j)] = row_[j];
        };
        const auto by_vectors = [&](auto f) {
            each([&] { for (std::ptrdiff_t j = 0; j < k; j += L) store<T>(row_.get() + j, f(load<T>(row_.get() + j))); });
        };
        switch (targets_of(network_.loss)) {
            case TargetsAre::distribution: return each([&] { softmax(k); });
            case TargetsAre::unit: return by_vectors([](Vec<T> z) { return sigmoid<T>(z); });
            case TargetsAre::real: return by_vectors([](Vec<T> z) { return z; });
            case TargetsAre::count: return by_vectors([](Vec<T> z) { return exp<T>(z); });
        }
    }
    void softmax(std::ptrdiff_t k) {
        T top = row_[0], all = 0;
        for (std::ptrdiff_t j = 1; j < k; ++j) top = std::max(top, row_[j]);
        for (std::ptrdiff_t j = 0; j < k; j += L) store<T>(row_.get() + j, exp<T>(load<T>(row_.get() + j) - top));
        for (std::ptrdiff_t j = 0; j < k; ++j) all += row_[j];
        for (std::ptrdiff_t j = 0; j < k; ++j) row_[j] /= all;
    }

    void gradient_of_dense(std::ptrdiff_t l, double* flat) const {
        const Layer<C>& layer = layers_[l];
        each_block(layer, l, [&](const Block& block) {
            alignas(64) T found[kBlockPanels * kBlockRows<T> * P];
            gradients_of(layer, block, stride_, n_, found);
            scale_gradients(layer, block, found);
            for (std::ptrdiff_t p = 0; p < block.n_panels; ++p)
                for (std::ptrdiff_t i = 0; i < block.n_rows; ++i)
                    for (std::ptrdiff_t j = 0, column = (block.first_panel + p) * P; j < P && column + j < layer.n_out; ++j)
                        flat[(block.row_start + i) * layer.n_out + column + j] = found[(p * kBlockRows<T> + i) * P + j];
        });
        for (std::ptrdiff_t j = 0; layer.bias && j < layer.n_out; j += L) {
            const Vec<T> sums = sum_of_rows<T>(layer.delta.get() + at(0, j), n_);
            for (int i = 0; i < L && j + i < layer.n_out; ++i) flat[layer.n_in * layer.n_out + j + i] = sums[i];
        }
    }
    void gradient_of_others(std::ptrdiff_t l, double* flat) const {
        const Layer<C>& layer = layers_[l];
        each_block_of_records(layer, l, [&](const Block& block) { gradient_of_records(layer, block, stride_, n_, room_.get()); });
        each_number(layer.records, [&](std::ptrdiff_t i, std::ptrdiff_t place) { flat[i] = layer.gradient[place]; });
    }

    // each(i, w) for the numbers of the flat vector that l2 and l1 concern.
    template <class Each> void each_penalized(Each each) const {
        for (std::ptrdiff_t l = 0; l <= last_; ++l) {
            const Layer<C>& layer = layers_[l];
            const auto is_penalized = [&](std::ptrdiff_t i) {
                if (layer.is_dense()) return i < layer.n_in * layer.n_out;
                int part = 0;
                for (; i >= layer.records.parts[part].total; ++part) i -= layer.records.parts[part].total;
                return layer.records.parts[part].penalized;
            };
            each_number(layer, Numbers::parameters, [&](std::ptrdiff_t i, const T& w) {
                if (is_penalized(i - layer.start)) each(i, w);
            });
        }
    }

    const NetworkPlan& network_;  // outlives this
    const std::ptrdiff_t batch_size_, stride_, last_;
    std::ptrdiff_t n_ = 0;  // rows that went forward last
    Buffer<Layer<C>> layers_;
    Buffer<Buffer<T>> z_, a_, delta_;  // the last of other layers than dense ones
    Buffer<double> losses_;
    Output<T> output_;
    Buffer<T> row_, room_;
    Buffer<std::uint32_t> drawn_;
};

}  // namespace deltaprop::DELTAPROP_ISA
