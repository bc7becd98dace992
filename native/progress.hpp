// What an epoch has come to so far, and whether it goes on.
#pragma once

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace deltaprop {

// Told the rows done so far; true: stop. It does not throw.
struct ShouldStop {
    bool (*ask)(void* context, std::ptrdiff_t done) = nullptr;
    void* context = nullptr;
};

struct EpochResult {
    double loss = 0.0;               // mean over the rows visited, each before its step
    double total = 0.0;              // and its sum, with that of the epoch's steps before
    std::ptrdiff_t steps = 0;        // done
    const char* diverged = nullptr;  // what was not finite: "the loss", "a gradient" or "a parameter"
};

// Asked on one thread only.
class Progress {
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::microseconds kBetweenQuestions{5'000}, kBetweenLooks{1'000};

public:
    Progress(std::ptrdiff_t n, const ShouldStop& should_stop, double total = 0.0)
        : n_(n), should_stop_(should_stop), total_(total), last_question_(Clock::now()), last_look_(last_question_) {}

    // Enters the next step, of so many rows; true: stop. `bad`: a gradient was not finite.
    bool judge(std::ptrdiff_t rows, double loss, bool bad) {
        result_.diverged = !std::isfinite(loss) ? "the loss" : bad ? "a gradient" : nullptr;
        if (result_.diverged) return true;
        total_ += loss * static_cast<double>(rows);
        done_ += rows;
        ++result_.steps;
        return done_ == n_ ? stops() : --steps_to_look_ <= 0 && look();
    }

    // Asked in the middle of a step, where steps are long: true: stop, and leave this one undone.
    bool gives_up() {
        if (steps_between_looks_ > 1) return false;
        return stops_at(Clock::now());
    }

    // When the clock was looked at last.
    Clock::time_point last_look() const { return last_look_; }

    EpochResult result() const {
        EpochResult result = result_;
        result.loss = done_ > 0 ? total_ / static_cast<double>(done_) : 0.0;
        result.total = total_;
        return result;
    }

private:
    // The smallest steps take less time than a look at the clock, so not each of them has one.
    bool look() {
        const Clock::time_point now = Clock::now();
        const Clock::duration since = now - last_look_;
        last_look_ = now;
        if (since < kBetweenLooks / 2 && steps_between_looks_ < 1 << 20) steps_between_looks_ *= 2;
        if (since > kBetweenLooks && steps_between_looks_ > 1) steps_between_looks_ /= 2;
        steps_to_look_ = steps_between_looks_;
        return stops_at(now);
    }

    bool stops_at(Clock::time_point now) {
        if (now - last_question_ < kBetweenQuestions) return false;
        last_question_ = now;
        return stops();
    }
    bool stops() const { return should_stop_.ask && should_stop_.ask(should_stop_.context, done_); }

    const std::ptrdiff_t n_;
    const ShouldStop should_stop_;
    EpochResult result_;
    double total_;
    std::ptrdiff_t done_ = 0;
    Clock::time_point last_question_, last_look_;
    std::int64_t steps_between_looks_ = 1, steps_to_look_ = 1;
};

}  // namespace deltaprop
