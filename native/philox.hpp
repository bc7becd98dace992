// NumPy's Philox 4x64-10 generator (Salmon et al. 2011), asked for any number of its stream.
#pragma once

#include <cstdint>

namespace deltaprop {

// Kernels for several instruction sets include it, and the linker must not take one's code for all: so
// everything is part of its caller.
class Philox {
public:
    [[gnu::always_inline]] Philox(const std::uint64_t* key, const std::uint64_t* counter) {
        for (int i = 0; i < 2; ++i) key_[i] = key[i];  // 2 words, and 4
        for (int i = 0; i < 4; ++i) counter_[i] = counter[i];
    }

    // The four words of a block; NumPy steps its counter before the first.
    [[gnu::always_inline]] void block(std::uint64_t number, std::uint64_t (&out)[4]) const {
        std::uint64_t c[4] = {counter_[0], counter_[1], counter_[2], counter_[3]};
        add(c, number);
        add(c, 1);
        std::uint64_t k0 = key_[0], k1 = key_[1];
        for (int round = 0; round < 10; ++round) {
            const unsigned __int128 a = static_cast<unsigned __int128>(0xD2E7470EE14C6C93ull) * c[0];
            const unsigned __int128 b = static_cast<unsigned __int128>(0xCA5A826395121157ull) * c[2];
            const std::uint64_t c1 = c[1], c3 = c[3];
            c[0] = static_cast<std::uint64_t>(b >> 64) ^ c1 ^ k0;
            c[1] = static_cast<std::uint64_t>(b);
            c[2] = static_cast<std::uint64_t>(a >> 64) ^ c3 ^ k1;
            c[3] = static_cast<std::uint64_t>(a);
            k0 += 0x9E3779B97F4A7C15ull;
            k1 += 0xBB67AE8584CAA73Bull;
        }
        for (int i = 0; i < 4; ++i) out[i] = c[i];
    }

private:
    [[gnu::always_inline]] static void add(std::uint64_t (&c)[4], std::uint64_t n) {
        c[0] += n;
        if (c[0] >= n) return;
        for (int i = 1; i < 4; ++i)
            if (++c[i] != 0) return;
    }

    std::uint64_t key_[2], counter_[4];
};

}  // namespace deltaprop
