// Arrays in memory that the kernels are given, and what is done with whole ones.
#pragma once

#include <new>

#include "math/simd.hpp"
#include "steps.hpp"

namespace deltaprop::DELTAPROP_ISA {

// n numbers, zero at first; whoever gave the memory takes it back.
template <class T> class Buffer {
public:
    Buffer() = default;
    Buffer(Memory& memory, std::ptrdiff_t n)
        : data_(n > 0 ? static_cast<T*>(memory.take(static_cast<std::size_t>(n) * sizeof(T))) : nullptr), n_(n) {}

    T* get() const { return data_; }
    T* from(std::ptrdiff_t i) const { return data_ ? data_ + i : nullptr; }
    T& operator[](std::ptrdiff_t i) const { return data_[i]; }
    std::ptrdiff_t size() const { return n_; }
    explicit operator bool() const { return data_ != nullptr; }

private:
    T* data_ = nullptr;
    std::ptrdiff_t n_ = 0;
};

// An object in such memory, which has nothing to do at its end.
template <class S, class... Arguments> S* make_in(Memory& memory, Arguments&&... arguments) {
    static_assert(std::is_trivially_destructible_v<S>);
    return ::new (memory.take(sizeof(S))) S(static_cast<Arguments&&>(arguments)...);
}

// Returns work(numbers) of rows, whose kind is that of the pointer.
template <class Work> DELTAPROP_INLINE void with_numbers(const Rows& rows, Work work) {
    switch (rows.kind) {
        case Rows::Kind::float32: return work(static_cast<const float*>(rows.data));
        case Rows::Kind::float64: return work(static_cast<const double*>(rows.data));
        case Rows::Kind::uint8: return work(static_cast<const std::uint8_t*>(rows.data));
    }
}

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
