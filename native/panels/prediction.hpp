// The logits of many rows: forward through all layers, some rows at a time.
#pragma once

#include <algorithm>

#include "panels/other_layers/layers.hpp"

namespace deltaprop::DELTAPROP_ISA {

// At a time: as many as leave all outputs of a layer in a cache, so that weights are read for many.
inline constexpr std::ptrdiff_t kMostPredictedRows = 512, kFewestPredictedRows = 64, kPredictedNumbers = 1 << 18;

template <class C> class Prediction {
    using T = typename C::Number;
    static constexpr int P = kPanel<T>;

    // What each thread has for itself.
    struct Own {
        Buffer<T> from, to, room;
        Operand<C> read;
        std::ptrdiff_t stride;
    };

public:
    Prediction(const NetworkPlan& network, const Layer<C>* layers) : network_(network), layers_(layers) {}

    // How many of so many rows.
    std::ptrdiff_t at_once(std::ptrdiff_t rows) const {
        return std::min(rows, std::clamp(kPredictedNumbers / widest(), kFewestPredictedRows, kMostPredictedRows));
    }

    // Room for so many at once, for one thread.
    void* room(std::ptrdiff_t at_once, Memory& memory) const {
        const std::ptrdiff_t size = panel_size<T>(at_once, widest());
        return make_in<Own>(memory, Own{Buffer<T>(memory, size), Buffer<T>(memory, size),
                                        Buffer<T>(memory, room_of<T>(network_, at_once)),
                                        Operand<C>(memory, at_once, widest()), at_once});
    }

    // z^L of n rows from the first on, row by row.
    void run(const Rows& rows, std::ptrdiff_t first, std::ptrdiff_t n, void* room, double* out) const {
        Own& own = *static_cast<Own*>(room);
        const std::ptrdiff_t stride = own.stride;
        std::int64_t order[kMostPredictedRows] = {};
        for (std::ptrdiff_t r = 0; r < n; ++r) order[r] = first + r;
        const bool sparse = rows.columns != nullptr && layers_[0].is_dense();
        if (!sparse) gather<T>(rows, order, n, layers_[0].n_in, own.from.get(), stride);
        for (std::ptrdiff_t l = 0; l < network_.n_layers; ++l) {
            const Layer<C>& layer = layers_[l];
            const T* from = own.from.get();
            T* to = own.to.get();
            if (!layer.is_dense()) {
                forward_layer(layer, from, stride, n, to, nullptr, own.room.get());
            } else if (l == 0 && sparse) {
                forward_sparse(layer, rows, order, stride, n, to, nullptr);
            } else {
                own.read.take(from, 0, n, layer.n_in);
                forward(layer, own.read.along(from, 0), stride, n, to, nullptr);
            }
            std::swap(own.from, own.to);
        }
        const std::ptrdiff_t k = layers_[network_.n_layers - 1].n_out;
        for (std::ptrdiff_t j = 0; j < k; j += P) {
            const std::ptrdiff_t some = std::min<std::ptrdiff_t>(P, k - j);
            for (std::ptrdiff_t r = 0; r < n; ++r)
                std::copy_n(own.from.get() + j * stride + r * P, some, out + (first + r) * k + j);
        }
    }

private:
    std::ptrdiff_t widest() const {
        std::ptrdiff_t most = 0;
        for (std::ptrdiff_t l = 0; l < network_.n_layers; ++l) most = std::max({most, layers_[l].n_in, layers_[l].n_out});
        return most;
    }

    const NetworkPlan& network_;
    const Layer<C>* layers_;
};

}  // namespace deltaprop::DELTAPROP_ISA
