// A random order of n rows.
#pragma once

#include <cstddef>
#include <cstdint>

#include "philox.hpp"

namespace deltaprop {

// 0, ..., n - 1 shuffled (Fisher and Yates) by a Philox stream: by the halves of its words, the lower
// one first, or by whole words where there are 2^32 rows or more.
void permutation(std::int64_t* order, std::size_t n, const Philox& philox);

}  // namespace deltaprop
