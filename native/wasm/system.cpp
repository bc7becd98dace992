#include "wasm/system.hpp"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <new>

extern "C" [[noreturn]] __attribute__((import_module("page"), import_name("fail"))) void page_fail(const char* sentence);

namespace deltaprop {

void fail(const char* sentence) { page_fail(sentence); }

PageMemory::~PageMemory() {
    for (void* block : blocks_) std::free(block);
}

void* PageMemory::take(std::size_t bytes) {
    constexpr std::size_t kLine = 64;
    void* block = bytes > SIZE_MAX - kLine ? nullptr : std::aligned_alloc(kLine, (bytes + kLine - 1) / kLine * kLine);
    if (block == nullptr) fail("A page has no memory for a network of this size with batches of this size.");
    blocks_.push_back(block);
    return std::memset(block, 0, bytes);
}

const char* Sentence::text() {
    text_[size_] = '\0';
    return text_;
}

Sentence& Sentence::operator<<(std::string_view piece) {
    const std::size_t n = std::min(piece.size(), sizeof text_ - 1 - size_);
    std::memcpy(text_ + size_, piece.data(), n);
    size_ += n;
    return *this;
}

Sentence& Sentence::operator<<(std::ptrdiff_t number) {
    char digits[24];
    const char* end = std::to_chars(digits, std::end(digits), number).ptr;
    return *this << std::string_view(digits, static_cast<std::size_t>(end - digits));
}

}  // namespace deltaprop

// The standard library is headers alone here: what it asks for at last stands below.
void* operator new(std::size_t bytes) {
    if (void* block = std::malloc(bytes == 0 ? 1 : bytes)) return block;
    deltaprop::fail("A page has no memory for this.");
}
void* operator new[](std::size_t bytes) { return operator new(bytes); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t) noexcept { std::free(block); }

_LIBCPP_BEGIN_NAMESPACE_STD
[[noreturn]] void __libcpp_verbose_abort(const char*, ...) noexcept { deltaprop::fail("The kernels have a fault."); }
_LIBCPP_END_NAMESPACE_STD
