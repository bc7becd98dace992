// How this library was compiled.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace deltaprop {

// "compiler" (gcc, clang, apple-clang or unknown), "compiler_version" as the compiler numbers itself,
// "cxx_standard" (the value of __cplusplus), "build_type" (CMake's) and "architecture".
std::vector<std::pair<const char*, std::string>> build_info();

}  // namespace deltaprop
