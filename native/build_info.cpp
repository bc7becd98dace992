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

BuildInfo build_info() {
    BuildInfo info{"unknown", "unknown", "unknown", DELTAPROP_BUILD_TYPE, "unknown"};

    // Clang also defines __GNUC__, so it is asked first.
#if defined(__clang__)
#if defined(__apple_build_version__)
    info.compiler = "apple-clang";
#else
    info.compiler = "clang";
#endif
    info.compiler_version = dotted(__clang_major__, __clang_minor__, __clang_patchlevel__);
#elif defined(__GNUC__)
    info.compiler = "gcc";
    info.compiler_version = dotted(__GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#elif defined(_MSC_VER)
    info.compiler = "msvc";
    info.compiler_version = dotted(_MSC_VER / 100, _MSC_VER % 100, _MSC_FULL_VER % 100000);
#endif

    // MSVC leaves __cplusplus at 199711 unless told otherwise.
#if defined(_MSVC_LANG)
    info.cxx_standard = std::to_string(_MSVC_LANG);
#else
    info.cxx_standard = std::to_string(__cplusplus);
#endif

#if defined(__x86_64__) || defined(_M_X64)
    info.architecture = "x86_64";
#elif defined(__i386__) || defined(_M_IX86)
    info.architecture = "x86";
#elif defined(__aarch64__) || defined(_M_ARM64)
    info.architecture = "aarch64";
#elif defined(__arm__) || defined(_M_ARM)
    info.architecture = "arm";
#elif defined(__powerpc64__)
    info.architecture = "ppc64";
#elif defined(__riscv)
    info.architecture = "riscv";
#elif defined(__s390x__)
    info.architecture = "s390x";
#endif
    return info;
}

}  // namespace deltaprop
