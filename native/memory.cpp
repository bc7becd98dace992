#include <cstdlib>
#include <cstring>
#include <new>

#include "trainer.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#elif defined(_WIN32)
#include <malloc.h>
#endif

namespace deltaprop {

OwnMemory::~OwnMemory() {
    for (void* block : blocks_)
#if defined(_WIN32)
        _aligned_free(block);
#else
        std::free(block);
#endif
}

void* OwnMemory::take(std::size_t bytes) {
    constexpr std::size_t kHugePage = 2u << 20, kLarge = 4u << 20;
    const std::size_t step = bytes < kLarge ? 64 : kHugePage, whole = (bytes + step - 1) / step * step;
    blocks_.push_back(nullptr);
#if defined(_WIN32)
    void* block = _aligned_malloc(whole, step);
#else
    void* block = std::aligned_alloc(step, whole);
#endif
    if (block == nullptr) throw std::bad_alloc();
    blocks_.back() = block;
#if defined(__linux__)
    if (bytes >= kLarge) madvise(block, whole, MADV_HUGEPAGE);  // fewer, larger pages: the processor finds them faster
#endif
    return std::memset(block, 0, bytes);
}

}  // namespace deltaprop
