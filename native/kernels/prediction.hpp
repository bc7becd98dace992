// The logits of many rows: forward through all layers, some rows at a time.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>

#include "../team.hpp"
#include "stages.hpp"

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
    };

public:
    Prediction(const NetworkPlan& network, const Layer<C>* layers) : network_(network), layers_(layers) {}

    // z^L of all rows, row by row, on so many threads at most.
    void run(const Rows& rows, int most_threads, double* out) const {
        if (rows.n == 0) return;
        std::ptrdiff_t widest = 0;
        for (std::ptrdiff_t l = 0; l < network_.n_layers; ++l)
            widest = std::max({widest, layers_[l].n_in, layers_[l].n_out});
        const std::ptrdiff_t chunk =
            std::min(rows.n, std::clamp(kPredictedNumbers / widest, kFewestPredictedRows, kMostPredictedRows));
        const std::ptrdiff_t n_chunks = (rows.n + chunk - 1) / chunk;
        const int n_threads = static_cast<int>(std::min<std::ptrdiff_t>(most_threads, n_chunks));
        std::unique_ptr<Own[]> own(new Own[static_cast<std::size_t>(n_threads)]);
        for (int t = 0; t < n_threads; ++t)
            own[t] = {Buffer<T>(panel_size<T>(chunk, widest)), Buffer<T>(panel_size<T>(chunk, widest)),
                      Buffer<T>(room_of<T>(network_, chunk)), Operand<C>(chunk, widest)};
        std::atomic<std::ptrdiff_t> next{0};
        run_team(n_threads, [&](int me) {
            const FlushSubnormals flush;
            for (;;) {
                const std::ptrdiff_t first = next.fetch_add(chunk);
                if (first >= rows.n) return;
                predict(rows, first, std::min(chunk, rows.n - first), chunk, own[me], out);
            }
        });
    }

private:
    void predict(const Rows& rows, std::ptrdiff_t first, std::ptrdiff_t n, std::ptrdiff_t stride, Own& own,
                 double* out) const {
        std::int64_t order[kMostPredictedRows] = {};
        for (std::ptrdiff_t r = 0; r < n; ++r) order[r] = first + r;
        const bool sparse = rows.columns != nullptr && layers_[0].is_dense();
        if (!sparse) gather<T>(rows, order, n, layers_[0].n_in, own.from.get(), stride);
        for (std::ptrdiff_t l = 0; l < network_.n_layers; ++l) {
            const Layer<C>& layer = layers_[l];
            const T* from = own.from.get();
            T* to = own.to.get();
            const Activation f = l + 1 == network_.n_layers ? Activation::identity : layer.activation;
            if (!layer.is_dense()) {
                forward_stage(layer, from, stride, n, to, nullptr, own.room.get());
            } else if (l == 0 && sparse) {
                forward_sparse(layer, f, rows, order, stride, n, to, nullptr);
            } else {
                own.read.take(from, 0, n, layer.n_in);
                forward(layer, f, own.read.along(from, 0), stride, n, to, nullptr);
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

    const NetworkPlan& network_;
    const Layer<C>* layers_;
};

}  // namespace deltaprop::DELTAPROP_ISA
