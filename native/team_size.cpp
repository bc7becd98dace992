#include "team_size.hpp"

#include <algorithm>

namespace deltaprop {
namespace {

constexpr std::chrono::milliseconds kEnough{10}, kWindow{200}, kFirst{250};
constexpr std::chrono::seconds kLongest{30};
constexpr int kSteps = 4;  // fewer, and one moment without a core would decide

}  // namespace

TeamSize::TeamSize(int most, double lost_share)
    : most_(most), now_(most), lost_share_(lost_share), time_{}, pause_(kFirst), began_{}, looked_{}, again_{} {}

bool TeamSize::can_change() const { return most_ > 1; }

void TeamSize::begin() {
    began_ = looked_ = Clock::now();
    lost_before_ = 0;
}

bool TeamSize::should_change(std::int64_t lost, Clock::time_point at) {
    ++steps_;
    if (at == looked_) return false;
    looked_ = at;
    if (now_ < most_ && at >= again_) return true;
    if (crowded(lost, at)) return true;
    if (elapsed(at) > kWindow) forget(lost, at);
    return false;
}

void TeamSize::end(std::int64_t lost) {
    const Clock::time_point at = Clock::now();
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

TeamSize::Clock::duration TeamSize::elapsed(Clock::time_point at) const { return time_ + (at - began_); }

double TeamSize::share(std::int64_t lost, Clock::time_point at) const {
    const std::chrono::duration<double, std::nano> passed = elapsed(at);
    return static_cast<double>(lost_ + lost - lost_before_) / ((now_ - 1) * passed.count());
}

bool TeamSize::crowded(std::int64_t lost, Clock::time_point at) const {
    return now_ > 1 && lost_share_ < 1.0 && steps_ >= kSteps && elapsed(at) >= kEnough && share(lost, at) > lost_share_;
}

// Begins a new window; a whole one that was not crowded makes the next pause short again.
void TeamSize::forget(std::int64_t lost, Clock::time_point at) {
    if (now_ == most_ && elapsed(at) > kWindow) pause_ = kFirst;
    time_ = {};
    steps_ = 0;
    lost_ = 0;
    began_ = at;
    lost_before_ = lost;
}

}  // namespace deltaprop
