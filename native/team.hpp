// A few threads that take the same steps together.
#pragma once

#include <atomic>
#include <cstdint>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace deltaprop {

// Threads wait here for each other. They spin, for a step may take less than waking a thread does;
// after a while they give way, in case there are more threads than cores.
class Barrier {
public:
    explicit Barrier(int n) : n_(n) {}

    void wait() {
        if (n_ == 1) return;
        const int round = round_.load(std::memory_order_relaxed);
        if (arrived_.fetch_add(1, std::memory_order_acq_rel) == n_ - 1) {
            arrived_.store(0, std::memory_order_relaxed);
            round_.store(round + 1, std::memory_order_release);
            return;
        }
        for (int spins = 0; spins < kSpins; ++spins) {
            if (round_.load(std::memory_order_acquire) != round) return;
            pause();
        }
        wait_long(round);
    }

    // Nanoseconds that all threads together have waited beyond a moment.
    std::int64_t lost() const { return lost_.load(std::memory_order_relaxed); }

private:
    static constexpr int kSpins = 100;

    void wait_long(int round);  // and count how long

    static void pause() {
#if defined(__x86_64__) || defined(__i386__)
        _mm_pause();
#elif defined(__aarch64__)
        asm volatile("yield");
#endif
    }

    const int n_;
    alignas(64) std::atomic<int> arrived_{0};
    alignas(64) std::atomic<int> round_{0};
    alignas(64) std::atomic<std::int64_t> lost_{0};
};

// Runs body(0), ..., body(n - 1) at once, body(0) on the calling thread. The threads live as long
// as the call: nothing is left behind for a fork to lose. Throws std::system_error where the system
// has no more threads to give; `body` itself must not throw.
void run_team(int n, void (*body)(void* context, int thread), void* context);

template <class F> void run_team(int n, F body) {
    run_team(n, [](void* context, int thread) { (*static_cast<F*>(context))(thread); }, &body);
}

// Numbers too small for a normal float are slow; within the scope they count as 0.
class FlushSubnormals {
public:
#if defined(__x86_64__) || defined(__i386__)
    static constexpr unsigned kFlush = 0x8040;
    // `on` false: they count for what they are again, in what is called meanwhile.
    explicit FlushSubnormals(bool on = true) : before_(_mm_getcsr()) {
        _mm_setcsr(on ? before_ | kFlush : before_ & ~kFlush);
    }
    ~FlushSubnormals() { _mm_setcsr(before_); }

private:
    unsigned before_;
#else
    explicit FlushSubnormals(bool = true) {}
#endif
};

}  // namespace deltaprop
