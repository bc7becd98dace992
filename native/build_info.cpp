#include "build_info.hpp"

#ifndef DELTAPROP_BUILD_TYPE
#define DELTAPROP_BUILD_TYPE "unknown"
#endif

namespace deltaprop {
namespace {

std::string dotted(long major, long minor, long patch) {
    return std::to_string(major) + '.' + std::to_string(minor) + '.' + std::to_string(patch);
}

}  // namespace

std::vector<std::pair<const char*, std::string>> build_info() {
    std::string compiler = "unknown", version = "unknown", architecture = "unknown";

    // Clang also defines __GNUC__, so it is asked first.
#if defined(__clang__)
#if defined(__apple_build_version__)
    compiler = "apple-clang";
#else
    compiler = "clang";
#endif
    version = dotted(__clang_major__, __clang_minor__, __clang_patchlevel__);
#elif defined(__GNUC__)
    compiler = "gcc";
    version = dotted(__GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif

    // clang-cl, as MSVC does, leaves __cplusplus at 199711 unless told otherwise.
#if defined(_MSVC_LANG)
    const long standard = _MSVC_LANG;
#else
    const long standard = __cplusplus;
#endif

#if defined(__x86_64__) || defined(_M_X64)
    architecture = "x86_64";
#elif defined(__i386__) || defined(_M_IX86)
    architecture = "x86";
#elif defined(__aarch64__) || defined(_M_ARM64)
    architecture = "aarch64";
#elif defined(__arm__) || defined(_M_ARM)
    architecture = "arm";
#elif defined(__powerpc64__)
    architecture = "ppc64";
#elif defined(__riscv)
    architecture = "riscv";
#elif defined(__s390x__)
    architecture = "s390x";
#endif
    return {{"compiler", compiler},
            {"compiler_version", version},
            {"cxx_standard", std::to_string(standard)},
            {"build_type", DELTAPROP_BUILD_TYPE},
            {"architecture", architecture}};
}

}  // namespace deltaprop
