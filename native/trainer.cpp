#include "trainer.hpp"

#include <algorithm>
#include <atomic>

#include "step_of.hpp"
#include "team.hpp"

namespace deltaprop {
namespace {

constexpr std::size_t kLine = 64;  // bytes: what threads write stands apart

// The epoch that runs, and what the threads of its team share.
class Epoch final : Watch {
public:
    Epoch(Steps& steps, const Plan& plan, TeamSize& team_size, const EpochTask& task, const ShouldStop& should_stop,
          std::int64_t steps_done)
        : steps_(steps), plan_(plan), team_size_(team_size), task_(task), progress_(task.n, should_stop, task.total),
          steps_done_(steps_done), next_(step_of(plan, task.n, 0, steps_done)), over_(task.n == 0) {}

    EpochResult run() {
        while (!over_) some_steps();
        return progress_.result();
    }

private:
    Step after(const Step& step) const { return step_after(plan_, task_.n, step, steps_done_ + step.number + 1); }

    // Steps from the next one to the last, or to where the team should be another. A step has two parts:
    // in the first every thread takes some rows through all layers and back, in the second some weights,
    // whose gradient it sums and which it updates at once. Two barriers a step.
    void some_steps() {
        const int n_threads = team_size_.threads();
        const bool watched = team_size_.can_change();
        Barrier barrier(n_threads);
        steps_.share_out(n_threads);
        bad_.assign(static_cast<std::size_t>(n_threads) * kLine, 0);
        given_up_.store(false, std::memory_order_relaxed);
        team_size_.begin();
        run_team(n_threads, [&](int me) {
            const FlushSubnormals flush;
            Step step = next_, done{};
            for (; step.n > 0; done = step, step = after(step)) {
                if (me == 0 && done.n > 0) {
                    if (judge(done)) stop();
                    else if (watched && team_size_.should_change(barrier.lost(), progress_.last_look())) give_up();
                }
                steps_.rows_part(step, me, *this);
                barrier.wait();
                if (given_up_.load(std::memory_order_relaxed)) break;
                bad_[static_cast<std::size_t>(me) * kLine] = steps_.weights_part(step, me);
                barrier.wait();
            }
            if (me != 0) return;
            if (step.n == 0) {
                judge(done);
                over_ = true;
            }
            next_ = step;
        });
        team_size_.end(barrier.lost());
    }

    // Between two steps: the loss of one that is done; true: stop.
    bool judge(const Step& step) {
        bool bad = false;
        for (std::size_t i = 0; i < bad_.size(); i += kLine) bad = bad || bad_[i];
        return progress_.judge(step.n, steps_.loss_of(step), bad);
    }

    bool goes_on(int thread) override {
        if (thread == 0 && progress_.gives_up()) stop();
        return !given_up_.load(std::memory_order_relaxed);
    }
    void give_up() { given_up_.store(true, std::memory_order_relaxed); }
    void stop() {
        over_ = true;
        give_up();
    }

    Steps& steps_;
    const Plan& plan_;
    TeamSize& team_size_;
    const EpochTask& task_;
    Progress progress_;
    const std::int64_t steps_done_;
    Step next_;
    std::vector<unsigned char> bad_;     // of each thread: whether a gradient was not finite
    std::atomic<bool> given_up_{false};  // the step that runs is left undone
    bool over_;                          // so is the rest of the epoch; known to the first thread
};

}  // namespace

Trainer::Trainer(TrainerSettings settings) : settings_(std::move(settings)), team_size_(1, 1.0) {
    Plan& plan = settings_.plan;
    for (const OwnedLayer& layer : settings_.layers) {
        layers_.push_back(layer);
        layers_.back().n_groups = static_cast<std::ptrdiff_t>(layer.sizes.size());
        layers_.back().group_sizes = layer.sizes.data();
    }
    plan.network.layers = layers_.data();
    plan.network.n_layers = static_cast<std::ptrdiff_t>(layers_.size());
    steps_ = chosen_steps(settings_, memory_);
    team_size_ = TeamSize(steps_->most_threads(), settings_.lost_share);
}

EpochResult Trainer::epoch(const EpochTask& task, const ShouldStop& should_stop) {
    OwnMemory memory;
    steps_->begin(task, memory);
    EpochResult result = Epoch(*steps_, plan(), team_size_, task, should_stop, steps_done).run();
    steps_done += result.steps;
    if (!result.diverged && !steps_->parameters_are_finite()) result.diverged = "a parameter";
    return result;
}

void Trainer::logits(const Rows& rows, double* out) const {
    if (rows.n == 0) return;
    const std::ptrdiff_t at_once = steps_->predicted_at_once(rows.n), parts = (rows.n + at_once - 1) / at_once;
    const int n_threads = static_cast<int>(std::min<std::ptrdiff_t>(worthwhile_threads(settings_, rows.n), parts));
    OwnMemory memory;  // all of it is had before the threads start, which could not say that there is none
    std::vector<void*> rooms(static_cast<std::size_t>(n_threads));
    for (void*& room : rooms) room = steps_->prediction_room(at_once, memory);
    std::atomic<std::ptrdiff_t> next{0};
    run_team(n_threads, [&](int me) {
        const FlushSubnormals flush;
        for (std::ptrdiff_t first; (first = next.fetch_add(at_once)) < rows.n;)
            steps_->predict(rows, first, std::min(at_once, rows.n - first), rooms[static_cast<std::size_t>(me)], out);
    });
}

}  // namespace deltaprop
