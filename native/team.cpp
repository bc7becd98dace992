#include "team.hpp"

#include <chrono>
#include <thread>
#include <vector>

namespace deltaprop {

void Barrier::wait_long(int round) {
    const auto since = std::chrono::steady_clock::now();
    while (round_.load(std::memory_order_acquire) == round) std::this_thread::yield();
    const std::chrono::nanoseconds waited = std::chrono::steady_clock::now() - since;
    lost_.fetch_add(waited.count(), std::memory_order_relaxed);
}

void run_team(int n, void (*body)(void* context, int thread), void* context) {
    enum { waiting, going, given_up };
    std::atomic<int> state{waiting};
    std::vector<std::thread> others;
    others.reserve(static_cast<std::size_t>(n > 1 ? n - 1 : 0));
    const auto run = [&](int thread) {
        while (state.load(std::memory_order_acquire) == waiting) std::this_thread::yield();
        if (state.load(std::memory_order_acquire) == going) body(context, thread);
    };
    try {
        for (int t = 1; t < n; ++t) others.emplace_back(run, t);
    } catch (...) {  // they wait for each other, so it is all of them or none
        state.store(given_up, std::memory_order_release);
        for (std::thread& other : others) other.join();
        throw;
    }
    state.store(going, std::memory_order_release);
    body(context, 0);
    for (std::thread& other : others) other.join();
}

}  // namespace deltaprop
