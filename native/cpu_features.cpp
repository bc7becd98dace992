#include "cpu_features.hpp"

#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#define DELTAPROP_ASKS
#if defined(_MSC_VER)
#include <intrin.h>
#else
#include <cpuid.h>
#include <immintrin.h>
#endif
#endif

namespace deltaprop {

#if defined(DELTAPROP_ASKS)
namespace {

// The processor's own account of itself (cpuid), and which registers the system saves (xcr0).
struct Registers {
    unsigned a = 0, b = 0, c = 0, d = 0;
};

Registers ask(unsigned leaf, unsigned sub) {
    Registers r;
#if defined(_MSC_VER)
    int numbers[4];
    __cpuid(numbers, 0);
    if (static_cast<unsigned>(numbers[0]) < leaf) return r;
    __cpuidex(numbers, static_cast<int>(leaf), static_cast<int>(sub));
    r = {static_cast<unsigned>(numbers[0]), static_cast<unsigned>(numbers[1]), static_cast<unsigned>(numbers[2]),
         static_cast<unsigned>(numbers[3])};
#else
    __get_cpuid_count(leaf, sub, &r.a, &r.b, &r.c, &r.d);
#endif
    return r;
}

#if defined(__GNUC__) || defined(__clang__)
__attribute__((target("xsave")))
#endif
std::uint64_t saved_registers() { return _xgetbv(0); }

bool has(unsigned bits, int number) { return bits >> number & 1; }

}  // namespace
#endif

std::vector<std::string> cpu_features() {
    std::vector<std::string> found;
#if defined(DELTAPROP_ASKS)
    const Registers one = ask(1, 0), seven = ask(7, 0), more = ask(7, 1);
    const std::uint64_t saved = has(one.c, 27) ? saved_registers() : 0;
    const bool wide = (saved & 0x6) == 0x6, widest = (saved & 0xE6) == 0xE6;  // of 32 and of 64 bytes
    const auto say = [&](const char* name, bool there) {
        if (there) found.emplace_back(name);
    };
    say("sse4.2", has(one.c, 20));
    say("avx", wide && has(one.c, 28));
    say("avx2", wide && has(seven.b, 5));
    say("fma", wide && has(one.c, 12));
    say("bmi2", has(seven.b, 8));
    say("avx512f", widest && has(seven.b, 16));
    say("avx512bw", widest && has(seven.b, 30));
    say("avx512dq", widest && has(seven.b, 17));
    say("avx512vl", widest && has(seven.b, 31));
    say("avx512vnni", widest && has(seven.c, 11));
    say("avx512bf16", widest && has(more.a, 5));
#endif
    return found;
}

}  // namespace deltaprop
