// What there is under a page: memory, and a way to end where there is none.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "steps.hpp"

namespace deltaprop {

// Does not come back: the page throws an error with this sentence, and gives this instance up.
[[noreturn]] void fail(const char* sentence);

// Taken back as a whole.
class PageMemory final : public Memory {
public:
    PageMemory() = default;
    PageMemory(const PageMemory&) = delete;
    PageMemory& operator=(const PageMemory&) = delete;
    ~PageMemory();
    void* take(std::size_t bytes) override;

private:
    std::vector<void*> blocks_;
};

// A sentence for the page, made of pieces; it stays until the next one is begun.
class Sentence {
public:
    bool empty() const { return size_ == 0; }
    void clear() { size_ = 0; }
    const char* text();  // with a 0 behind it
    Sentence& operator<<(std::string_view piece);
    Sentence& operator<<(std::ptrdiff_t number);

private:
    char text_[1000] = {};
    std::size_t size_ = 0;
};

}  // namespace deltaprop
