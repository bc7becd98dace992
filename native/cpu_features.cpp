#include "cpu_features.hpp"

namespace deltaprop {

std::vector<std::string> cpu_features() {
    std::vector<std::string> found;
#if (defined(__x86_64__) || defined(__i386__)) && (defined(__GNUC__) || defined(__clang__)) && \
    !defined(_MSC_VER)
    // The builtin wants a literal; each name is known to gcc >= 10 and clang >= 9.
#define DELTAPROP_ASK(name) \
    if (__builtin_cpu_supports(name)) found.emplace_back(name)
    __builtin_cpu_init();
    DELTAPROP_ASK("sse4.2");
    DELTAPROP_ASK("avx");
    DELTAPROP_ASK("avx2");
    DELTAPROP_ASK("fma");
    DELTAPROP_ASK("bmi2");
    DELTAPROP_ASK("avx512f");
    DELTAPROP_ASK("avx512bw");
    DELTAPROP_ASK("avx512dq");
    DELTAPROP_ASK("avx512vl");
    DELTAPROP_ASK("avx512vnni");
    DELTAPROP_ASK("avx512bf16");
#undef DELTAPROP_ASK
#endif
    return found;
}

}  // namespace deltaprop
