// What an epoch has come to so far, and whether it goes on.
#pragma once

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "../plan.hpp"

namespace deltaprop::DELTAPROP_ISA {

// Asked on one thread only, between two steps.
class Progress {
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::microseconds kBetweenPulses{5'000}, kBetweenLooks{1'000};

public:
    explicit Progress(const EpochTask& task) : task_(task), last_pulse_(Clock::now()), last_look_(last_pulse_) {}

    // Enters the next step, of so many rows; true: stop. `bad`: a gradient was not finite.
    bool judge(std::ptrdiff_t rows, double loss, bool bad) {
        result_.diverged = !std::isfinite(loss) ? 1 : bad ? 2 : 0;
        if (result_.diverged != 0) return true;
        total_ += loss * static_cast<double>(rows);
        done_ += rows;
        ++result_.steps;
        return done_ == task_.n ? pulse() : --steps_to_look_ <= 0 && look();
    }

    // Asked in the middle of a step, where steps are long: true: stop, and leave this one undone.
    bool gives_up() {
        if (steps_between_looks_ > 1) return false;
        const Clock::time_point now = Clock::now();
        if (now - last_pulse_ < kBetweenPulses) return false;
        last_pulse_ = now;
        return pulse();
    }

    // When the clock was looked at last.
    Clock::time_point last_look() const { return last_look_; }
    std::ptrdiff_t steps() const { return result_.steps; }

    EpochResult result() const {
        EpochResult result = result_;
        result.loss = done_ > 0 ? total_ / static_cast<double>(done_) : 0.0;
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
        if (now - last_pulse_ < kBetweenPulses) return false;
        last_pulse_ = now;
        return pulse();
    }

    bool pulse() const { return task_.pulse != nullptr && task_.pulse(task_.pulse_context, done_); }

    const EpochTask& task_;
    EpochResult result_;
    double total_ = 0.0;
    std::ptrdiff_t done_ = 0;
    Clock::time_point last_pulse_, last_look_;
    std::int64_t steps_between_looks_ = 1, steps_to_look_ = 1;
};

}  // namespace deltaprop::DELTAPROP_ISA
