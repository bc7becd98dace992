// Periodic embeddings: z_ck = v_ck + sum over h of V_chk cos(omega_ch a_c + phi_ch), beside a_c itself.
//
// Rows lie in the lanes of vectors meanwhile. A record has omega, phi, V (wave by wave) and v of one
// column.
#pragma once

#include "panels/passes.hpp"
#include "math/trigonometry.hpp"
#include "panels/transpose.hpp"

namespace deltaprop::DELTAPROP_ISA {

// The numbers of one column's record, or of its gradient.
template <class T> struct Waves {
    T *omega, *phi, *V, *v;

    Waves(const Records& records, T* at)
        : omega(at + records.parts[0].at), phi(at + records.parts[1].at), V(at + records.parts[2].at),
          v(at + records.parts[3].at) {}
};

// Rows of a batch in whole vectors.
template <class T> constexpr std::ptrdiff_t whole_vectors(std::ptrdiff_t rows) {
    return (rows + kLanes<T> - 1) / kLanes<T> * kLanes<T>;
}

// Numbers that a thread needs room for.
template <class T> std::ptrdiff_t periodic_room(const LayerPlan& plan, std::ptrdiff_t batch) {
    return transposed_size<T>(plan.n_in) + transposed_size<T>(plan.n_out) + whole_vectors<T>(batch);
}

// z for n rows of `in`.
template <class C>
void forward_periodic(const Layer<C>& layer, const typename C::Number* in, std::ptrdiff_t stride, std::ptrdiff_t n,
                      typename C::Number* out, typename C::Number* room) {
    using T = typename C::Number;
    constexpr int P = kPanel<T>, L = kLanes<T>;
    constexpr std::ptrdiff_t kAtOnce = 16;  // waves
    const std::ptrdiff_t n_columns = layer.plan->n_columns, H = layer.plan->n_waves, K = layer.plan->n_mixtures;
    T *a = room, *z = room + transposed_size<T>(layer.n_in);
    fill(z + layer.n_out * L, transposed_size<T>(layer.n_out) - layer.n_out * L, T(0));  // what pads is 0
    for (std::ptrdiff_t r = 0; r < n; r += L) {
        const int rows = static_cast<int>(std::min<std::ptrdiff_t>(L, n - r));
        to_columns(rows, in + r * P, stride, layer.n_in, a);
        T* to = z;
        for (std::ptrdiff_t c = 0; c < n_columns; ++c, to += (1 + K) * L) {
            const Waves<T> w(layer.records, layer.W.get() + c * layer.records.size);
            const Vec<T> x = load<T>(a + c * L);
            store<T>(to, x);
            for (std::ptrdiff_t k = 0; k < K; ++k) store<T>(to + (1 + k) * L, splat<T>(w.v[k]));
            for (std::ptrdiff_t first = 0; first < H; first += kAtOnce) {
                const std::ptrdiff_t end = std::min(first + kAtOnce, H);
                Vec<T> cosines[kAtOnce];
                for (std::ptrdiff_t h = first; h < end; ++h)
                    cosines[h - first] = wave<T>(x * w.omega[h] + w.phi[h]).cosine;
                for (std::ptrdiff_t k = 0; k < K; ++k) {
                    Vec<T> sum = load<T>(to + (1 + k) * L);
                    for (std::ptrdiff_t h = first; h < end; ++h) sum += w.V[h * K + k] * cosines[h - first];
                    store<T>(to + (1 + k) * L, sum);
                }
            }
        }
        copy(a + n_columns * L, (layer.n_in - n_columns) * L, to);
        to_rows(rows, z, layer.n_out, out + r * P, stride);
    }
}

// The way back for n rows from row r0 of the batch on: a_c and delta of its mixtures go to layer.kept,
// column by column, for the gradient; `upstream`, where it is not null, takes dL/da.
template <class C>
void backward_periodic(const Layer<C>& layer, std::ptrdiff_t stride, std::ptrdiff_t r0, std::ptrdiff_t n,
                       typename C::Number* upstream, typename C::Number* room) {
    using T = typename C::Number;
    constexpr int P = kPanel<T>, L = kLanes<T>;
    const std::ptrdiff_t n_columns = layer.plan->n_columns, H = layer.plan->n_waves, K = layer.plan->n_mixtures;
    const std::ptrdiff_t kept_rows = whole_vectors<T>(stride);
    T *a = room, *delta = room + transposed_size<T>(layer.n_in);
    for (std::ptrdiff_t r = r0; r < r0 + n; r += L) {
        const int rows = static_cast<int>(std::min<std::ptrdiff_t>(L, r0 + n - r));
        to_columns(rows, layer.in.get() + r * P, stride, upstream ? layer.n_in : n_columns, a);
        to_columns(rows, layer.delta.get() + r * P, stride, upstream ? layer.n_out : n_columns * (1 + K), delta);
        for (std::ptrdiff_t c = 0; c < n_columns; ++c) {
            const T* d = delta + c * (1 + K) * L;
            T* kept = layer.columns.get() + c * (1 + K) * kept_rows + r;
            for (std::ptrdiff_t k = 0; k <= K; ++k)
                copy(k == 0 ? a + c * L : d + k * L, rows, kept + k * kept_rows);
            if (!upstream) continue;
            const Waves<T> w(layer.records, layer.W.get() + c * layer.records.size);
            const Vec<T> x = load<T>(a + c * L);
            Vec<T> below = load<T>(d);
            for (std::ptrdiff_t h = 0; h < H; ++h) {
                Vec<T> by_cosine{};
                for (std::ptrdiff_t k = 0; k < K; ++k) by_cosine += w.V[h * K + k] * load<T>(d + (1 + k) * L);
                below -= w.omega[h] * (wave<T>(x * w.omega[h] + w.phi[h]).sine * by_cosine);
            }
            store<T>(a + c * L, below);
        }
        if (!upstream) continue;
        copy(delta + n_columns * (1 + K) * L, (layer.n_in - n_columns) * L, a + n_columns * L);
        to_rows(rows, a, layer.n_in, upstream + (r - r0) * P, stride);
    }
}

// The gradient of a column's record over `rows` rows of the batch.
template <class C, class T = typename C::Number>
void gradient_of_periodic(const Layer<C>& layer, std::ptrdiff_t column, std::ptrdiff_t stride, std::ptrdiff_t rows,
                          T* room) {
    constexpr int L = kLanes<T>;
    const std::ptrdiff_t H = layer.plan->n_waves, K = layer.plan->n_mixtures;
    const std::ptrdiff_t kept_rows = whole_vectors<T>(stride), n = whole_vectors<T>(rows);
    const Waves<T> w(layer.records, layer.W.get() + column * layer.records.size);
    const Waves<T> to(layer.records, layer.gradient.get() + column * layer.records.size);
    T *a = layer.columns.get() + column * (1 + K) * kept_rows, *d = a + kept_rows, *cosines = room;
    for (std::ptrdiff_t k = 0; k <= K; ++k) fill(a + k * kept_rows + rows, n - rows, T(0));
    for (std::ptrdiff_t k = 0; k < K; ++k) {
        Vec<T> by_v{};
        for (std::ptrdiff_t r = 0; r < n; r += L) by_v += load<T>(d + k * kept_rows + r);
        to.v[k] = sum<T>(by_v);
    }
    for (std::ptrdiff_t h = 0; h < H; ++h) {
        Vec<T> by_omega{}, by_phi{};
        for (std::ptrdiff_t r = 0; r < n; r += L) {
            const Vec<T> x = load<T>(a + r);
            const Wave<T> y = wave<T>(x * w.omega[h] + w.phi[h]);
            Vec<T> by_cosine{};
            for (std::ptrdiff_t k = 0; k < K; ++k) by_cosine += w.V[h * K + k] * load<T>(d + k * kept_rows + r);
            const Vec<T> by_angle = y.sine * by_cosine;
            by_phi -= by_angle;
            by_omega -= by_angle * x;
            store<T>(cosines + r, y.cosine);
        }
        to.omega[h] = sum<T>(by_omega);
        to.phi[h] = sum<T>(by_phi);
        for (std::ptrdiff_t k = 0; k < K; ++k) {
            Vec<T> parts[2] = {};  // two sums at once: one would wait for itself
            for (std::ptrdiff_t r = 0; r < n; r += L)
                parts[r / L % 2] += load<T>(cosines + r) * load<T>(d + k * kept_rows + r);
            to.V[h * K + k] = sum<T>(parts[0] + parts[1]);
        }
    }
}

}  // namespace deltaprop::DELTAPROP_ISA
