// Which instruction sets the machine at hand offers, asked at run time.
#pragma once

#include <string>
#include <vector>

namespace deltaprop {

// Names of the instruction sets that both the processor and the operating system support, in the
// compiler's spelling: a subset of sse4.2 avx avx2 fma avx512f avx512bw avx512dq avx512vl
// avx512vnni avx512bf16. Empty on other architectures than x86-64.
std::vector<std::string> cpu_features();

}  // namespace deltaprop
