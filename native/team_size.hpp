// How many threads of a team are worth having, on a machine that may be busy with other things.
//
// The threads of a team wait for each other twice a step. Where another program takes a core away,
// all of them wait for the one that stands still, for milliseconds each time, and one thread alone
// would be several times as fast. So the time that is lost in waiting is watched, and a team that
// loses much of it becomes smaller, and is tried again later. The bits of a result do not depend on
// the number of threads, so this changes nothing but the time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace deltaprop {

class TeamSize {
public:
    using Clock = std::chrono::steady_clock;

    // `lost_share`: of their time, how much all but one of the threads may wait for that one; from 1 on
    // the team never changes.
    TeamSize(int most, double lost_share) : most_(most), now_(most), lost_share_(lost_share) {}

    int threads() const { return now_; }

    // A team has begun; what its threads lose is counted from 0.
    void begin(Clock::time_point at) {
        began_ = at;
        lost_before_ = 0;
        looked_ = at;
    }

    // Asked by one thread between steps, with what the team has lost: whether it should be another.
    bool should_change(std::int64_t lost, Clock::time_point at) {
        if (at == looked_ || most_ == 1) return false;
        looked_ = at;
        if (now_ < most_ && at >= again_) return true;
        if (crowded(lost, at)) return true;
        if (elapsed(at) > kWindow) forget(lost, at);
        return false;
    }

    // The team has ended; decides on the next one.
    void end(std::int64_t lost, Clock::time_point at) {
        if (crowded(lost, at)) {
            now_ = std::max(1, std::min(now_ - 1, static_cast<int>(now_ * (1.0 - share(lost, at)))));
            again_ = at + pause_;
            pause_ = std::min<Clock::duration>(2 * pause_, kLongest);
            forget(lost, at);
        } else if (now_ < most_ && at >= again_) {
            now_ = most_;
            forget(lost, at);
        }
        time_ += at - began_;
        lost_ += lost - lost_before_;
        began_ = at;
        lost_before_ = lost;
    }

private:
    static constexpr std::chrono::milliseconds kEnough{10}, kWindow{200}, kFirst{250};
    static constexpr std::chrono::seconds kLongest{30};

    Clock::duration elapsed(Clock::time_point at) const { return time_ + (at - began_); }
    double elapsed_ns(Clock::time_point at) const {
        return std::chrono::duration<double, std::nano>(elapsed(at)).count();
    }
    double share(std::int64_t lost, Clock::time_point at) const {
        return static_cast<double>(lost_ + lost - lost_before_) / ((now_ - 1) * elapsed_ns(at));
    }
    bool crowded(std::int64_t lost, Clock::time_point at) const {
        return now_ > 1 && lost_share_ < 1.0 && elapsed(at) >= kEnough && share(lost, at) > lost_share_;
    }
    // Begins a new window; a whole one that was not crowded makes the next pause short again.
    void forget(std::int64_t lost, Clock::time_point at) {
        if (now_ == most_ && elapsed(at) > kWindow) pause_ = kFirst;
        time_ = {};
        lost_ = 0;
        began_ = at;
        lost_before_ = lost;
    }

    int most_, now_;
    double lost_share_;
    Clock::duration time_{}, pause_ = kFirst;  // of the window, before the team that runs; before a next try
    std::int64_t lost_ = 0, lost_before_ = 0;  // nanoseconds, of all threads
    Clock::time_point began_{}, looked_{}, again_{};
};

}  // namespace deltaprop
