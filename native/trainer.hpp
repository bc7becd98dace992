// The training of a network: epochs of steps, on a team of threads, by one of the builds of the kernels.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "progress.hpp"
#include "steps.hpp"
#include "team_size.hpp"

namespace deltaprop {

// A layer with the sizes of its groups.
struct OwnedLayer : LayerPlan {
    std::vector<std::ptrdiff_t> sizes;
};

// How the numbers of a batch lie: a row beside the other in the lanes of vectors, for small networks
// (lanes/), or in panels of columns (panels/).
enum class Layout { automatic, lanes, panels };

struct TrainerSettings {
    std::vector<OwnedLayer> layers;
    Plan plan;  // its layers are those above
    std::string build = "fastest";
    Layout layout = Layout::automatic;
    double threads_from = 0.0;  // multiply-adds of a step from which a second thread is worth it
    double lost_share = 1.0;    // of their time, what all but one thread may wait before they become fewer
};

class OwnMemory final : public Memory {
public:
    OwnMemory() = default;
    OwnMemory(const OwnMemory&) = delete;
    OwnMemory& operator=(const OwnMemory&) = delete;
    ~OwnMemory();
    void* take(std::size_t bytes) override;  // throws std::bad_alloc where there is none

private:
    std::vector<void*> blocks_;
};

class Trainer {
public:
    // Throws std::invalid_argument for a build or a layout that there is not.
    explicit Trainer(TrainerSettings settings);

    const Plan& plan() const { return settings_.plan; }
    std::ptrdiff_t n_in() const { return settings_.layers.front().n_in; }
    std::ptrdiff_t n_out() const { return settings_.layers.back().n_out; }
    Steps& steps() const { return *steps_; }

    EpochResult epoch(const EpochTask& task, const ShouldStop& should_stop);
    // Several threads may ask at once, while nothing else is done.
    void logits(const Rows& rows, double* out) const;

    std::int64_t steps_done = 0;

private:
    TrainerSettings settings_;
    std::vector<LayerPlan> layers_;
    OwnMemory memory_;
    Steps* steps_;
    TeamSize team_size_;
};

// Names of the builds that this machine can run, the fastest first: "avx512", "avx2", "portable".
std::vector<std::string> instruction_sets();

// Whether this machine has products of bfloat16 numbers; elsewhere they are worked out in float32.
bool has_bfloat16_products();

// How many threads a step of so many rows is worth.
int worthwhile_threads(const TrainerSettings& settings, std::ptrdiff_t rows);

// The kernels for these settings, in memory that outlives them. Throws as the trainer does.
Steps* chosen_steps(const TrainerSettings& settings, Memory& memory);

}  // namespace deltaprop
