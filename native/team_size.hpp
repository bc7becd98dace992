// How many threads of a team are worth having, on a machine that may be busy with other things.
//
// The threads of a team wait for each other twice a step. Where another program takes a core away,
// all of them wait for the one that stands still, for milliseconds each time, and one thread alone
// would be several times as fast. So the time that is lost in waiting is watched, and a team that
// loses much of it becomes smaller, and is tried again later. The bits of a result do not depend on
// the number of threads, so this changes nothing but the time.
//
// What it does stands in a file of its own: a function that kernels for different machines share must
// not be compiled for one of them.
#pragma once

#include <chrono>
#include <cstdint>

namespace deltaprop {

class TeamSize {
public:
    using Clock = std::chrono::steady_clock;

    // `lost_share`: of their time, how much all but one of the threads may wait for that one; from 1 on
    // the team never changes.
    TeamSize(int most, double lost_share);

    int threads() const { return now_; }

    // Whether there is anything to watch.
    bool can_change() const;

    // A team has begun; what its threads lose is counted from 0.
    void begin();

    // Asked by one thread between steps, with what the team has lost: whether it should be another.
    bool should_change(std::int64_t lost, Clock::time_point at);

    // The team has ended; decides on the next one.
    void end(std::int64_t lost);

private:
    Clock::duration elapsed(Clock::time_point at) const;
    double share(std::int64_t lost, Clock::time_point at) const;
    bool crowded(std::int64_t lost, Clock::time_point at) const;
    void forget(std::int64_t lost, Clock::time_point at);

    int most_, now_, steps_ = 0;  // steps of the window
    double lost_share_;
    Clock::duration time_, pause_;  // of the window, before the team that runs; before a next try
    std::int64_t lost_ = 0, lost_before_ = 0;  // nanoseconds, of all threads
    Clock::time_point began_, looked_, again_;
};

}  // namespace deltaprop
