// How this library was compiled.
#pragma once

#include <string>

namespace deltaprop {

struct BuildInfo {
    std::string compiler;          // gcc, clang, apple-clang, msvc or unknown
    std::string compiler_version;  // as the compiler numbers itself, e.g. 12.2.0
    std::string cxx_standard;      // the value of __cplusplus, e.g. 202002
    std::string build_type;        // CMake's configuration, e.g. Release
    std::string architecture;      // x86_64, aarch64, ... or unknown
};

// The facts above, fixed when this library was compiled.
BuildInfo build_info();

}  // namespace deltaprop
