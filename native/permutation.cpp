#include "permutation.hpp"

#include <cstring>
#include <limits>
#include <memory>

namespace deltaprop {
namespace {

template <class Word> struct DoubleOf;
template <> struct DoubleOf<std::uint32_t> { using type = std::uint64_t; };
template <> struct DoubleOf<std::uint64_t> { using type = unsigned __int128; };

// The numbers of a stream one after another, and from them whole numbers below a bound.
template <class Word> class Numbers {
    using Double = typename DoubleOf<Word>::type;
    static constexpr int kBits = std::numeric_limits<Word>::digits;
    static constexpr int kBlocks = 16;  // at a time: each waits for itself only
    static constexpr int kNumbers = kBlocks * 4 * 64 / kBits;

public:
    explicit Numbers(const Philox& philox) : philox_(philox) {}

    // Each of 0, ..., bound - 1 alike (Lemire 2019): the upper half of number * bound, but for the few
    // numbers whose lower half would favour some.
    Word below(Word bound) {
        Double product = static_cast<Double>(next()) * bound;
        if (static_cast<Word>(product) < bound) {
            const Word unfair = static_cast<Word>(0 - bound) % bound;
            while (static_cast<Word>(product) < unfair) product = static_cast<Double>(next()) * bound;
        }
        return static_cast<Word>(product >> kBits);
    }

private:
    Word next() {
        if (used_ == kNumbers) {
            for (int i = 0; i < kBlocks; ++i) {
                std::uint64_t words[4];
                philox_.block(block_++, words);
                for (int w = 0; w < 4; ++w)
                    for (int part = 0; part < 64 / kBits; ++part)
                        numbers_[(i * 4 + w) * (64 / kBits) + part] = static_cast<Word>(words[w] >> (part * (kBits % 64)));
            }
            used_ = 0;
        }
        return numbers_[used_++];
    }

    const Philox philox_;
    std::uint64_t block_ = 0;
    Word numbers_[kNumbers];
    int used_ = kNumbers;
};

template <class Word> void shuffle(Word* order, std::size_t n, const Philox& philox) {
    Numbers<Word> numbers(philox);
    for (std::size_t i = 0; i < n; ++i) order[i] = static_cast<Word>(i);
    for (std::size_t i = n; i > 1; --i) {
        const Word j = numbers.below(static_cast<Word>(i)), kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
}

}  // namespace

void permutation(std::int64_t* order, std::size_t n, const Philox& philox) {
    if (n > std::numeric_limits<std::uint32_t>::max())
        return shuffle(reinterpret_cast<std::uint64_t*>(order), n, philox);
    const std::unique_ptr<std::uint32_t[]> narrow(new std::uint32_t[n]);  // they stay nearer
    shuffle(narrow.get(), n, philox);
    for (std::size_t i = 0; i < n; ++i) order[i] = narrow[i];
}

}  // namespace deltaprop
