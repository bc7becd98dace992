// Arrays that start on a cache line, zero at first.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#elif defined(_WIN32)
#include <malloc.h>
#endif

#include "simd.hpp"

namespace deltaprop::DELTAPROP_ISA {

template <class T> class Buffer {
public:
    Buffer() = default;
    explicit Buffer(std::ptrdiff_t n) : n_(n) {
        const std::size_t wanted = static_cast<std::size_t>(n) * sizeof(T);
        if (wanted == 0) return;
        const std::size_t step = wanted < kLarge ? 64 : kHugePage;
        const std::size_t bytes = (wanted + step - 1) / step * step;
#if defined(_WIN32)
        data_ = static_cast<T*>(_aligned_malloc(bytes, step));
#else
        data_ = static_cast<T*>(std::aligned_alloc(step, bytes));
#endif
        if (data_ == nullptr) throw std::bad_alloc();
#if defined(__linux__)
        // fewer, larger pages: the processor finds them faster
        if (wanted >= kLarge) madvise(static_cast<void*>(data_), bytes, MADV_HUGEPAGE);
#endif
        std::memset(static_cast<void*>(data_), 0, wanted);
    }
    Buffer(Buffer&& other) noexcept : data_(other.data_), n_(other.n_) {
        other.data_ = nullptr;
        other.n_ = 0;
    }
    Buffer& operator=(Buffer&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(n_, other.n_);
        return *this;
    }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() {
#if defined(_WIN32)
        _aligned_free(data_);
#else
        std::free(data_);
#endif
    }

    T* get() const { return data_; }
    T* from(std::ptrdiff_t i) const { return data_ ? data_ + i : nullptr; }
    T& operator[](std::ptrdiff_t i) const { return data_[i]; }
    std::ptrdiff_t size() const { return n_; }
    explicit operator bool() const { return data_ != nullptr; }

private:
    static constexpr std::size_t kHugePage = 2u << 20, kLarge = 4u << 20;

    T* data_ = nullptr;
    std::ptrdiff_t n_ = 0;
};

// As std::copy_n and std::fill_n, but each instruction set's own.
template <class T> DELTAPROP_INLINE void copy(const T* from, std::ptrdiff_t n, T* to) {
    std::memcpy(static_cast<void*>(to), from, static_cast<std::size_t>(n) * sizeof(T));
}
template <class T> DELTAPROP_INLINE void fill(T* to, std::ptrdiff_t n, T x) {
    for (std::ptrdiff_t i = 0; i < n; ++i) to[i] = x;
}

// Memory that will be read soon, fetched into the second cache a few lines at a time.
struct Ahead {
    const char* at = nullptr;
    std::ptrdiff_t lines = 0;

    Ahead() = default;
    template <class T>
    Ahead(const T* from, std::ptrdiff_t n)
        : at(reinterpret_cast<const char*>(from)), lines(from ? n * static_cast<std::ptrdiff_t>(sizeof(T)) / 64 : 0) {}

    void fetch(std::ptrdiff_t most) {
        for (; most > 0 && lines > 0; --most, --lines, at += 64) __builtin_prefetch(at, 0, 2);
    }
};

template <class T> bool all_finite(const Buffer<T>& buffer) {
    Vec<T> check{};  // every buffer of parameters is whole vectors; x - x is 0 unless x is not finite
    for (std::ptrdiff_t i = 0; i < buffer.size(); i += kLanes<T>) {
        const Vec<T> x = load<T>(buffer.get() + i);
        check += x - x;
    }
    return sum<T>(check) == 0;
}

}  // namespace deltaprop::DELTAPROP_ISA
