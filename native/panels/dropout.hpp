// Dropout: what a layer reads, times its mask.
#pragma once

#include <algorithm>

#include "philox.hpp"
#include "steps.hpp"
#include "panels/layer.hpp"

namespace deltaprop::DELTAPROP_ISA {

// With which word of an epoch's stream the mask of layer l begins in a step, of whole words of its own: behind those of
// whole steps before, and of the layers below.
inline std::ptrdiff_t first_word_of(const NetworkPlan& network, std::ptrdiff_t batch_size, const Step& step, std::ptrdiff_t l) {
    std::ptrdiff_t first = 0;
    for (std::ptrdiff_t i = 0; i < network.n_layers; ++i) {
        if (network.layers[i].drop_threshold == 0) continue;
        first += step.number * ((batch_size * network.layers[i].n_in + 1) / 2);
        if (i < l) first += (step.n * network.layers[i].n_in + 1) / 2;
    }
    return first;
}

// Multiplies n rows from row r0 of the batch on by the mask that begins with a word of the stream: 32
// bits for each number, by their place, so that it does not matter who draws them. f'(z) of the layer
// below, where it is kept, has the same mask. `drawn`: room for a row and kDrawnBeyond numbers more; those of
// the columns that only pad a panel are whatever lies there, for columns that are zero.
constexpr std::ptrdiff_t kDrawnBeyond = 48;  // of a row's first block and last panel

template <class C>
void drop_inputs(const Layer<C>& layer, const Philox& philox, std::ptrdiff_t first_word, std::ptrdiff_t stride,
                 std::ptrdiff_t r0, std::ptrdiff_t n, std::uint32_t* drawn) {
    using T = typename C::Number;
    constexpr int P = kPanel<T>, L = kLanes<T>;
    for (std::ptrdiff_t r = r0; r < r0 + n; ++r) {
        // the blocks of the stream that hold the row's numbers
        const std::ptrdiff_t from = first_word * 2 + r * layer.n_in, before = from % 8;
        for (std::ptrdiff_t i = 0; i < before + layer.n_in; i += 8) {
            std::uint64_t words[4];
            philox.block(static_cast<std::uint64_t>((from - before + i) / 8), words);
            std::memcpy(drawn + i, words, sizeof words);
        }
        for (std::ptrdiff_t p = 0; p < layer.n_in; p += P) {
            const std::ptrdiff_t at = (p / P * stride + r) * P;
            alignas(64) T mask[P];
            for (std::ptrdiff_t j = 0; j < P; ++j) mask[j] = drawn[before + p + j] >= layer.drop ? layer.kept : T(0);
            for (int v = 0; v < P; v += L) {
                store<T>(&layer.in[at + v], load<T>(&layer.in[at + v]) * load<T>(mask + v));
                if (layer.slope) store<T>(&layer.slope[at + v], load<T>(&layer.slope[at + v]) * load<T>(mask + v));
            }
        }
    }
}

}  // namespace deltaprop::DELTAPROP_ISA
