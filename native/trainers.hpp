// Trainers for each instruction set, and the choice between them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plan.hpp"

namespace deltaprop {

// How the numbers of a batch lie: a row beside the other in the lanes of vectors, for small networks
// (kernels/lane_trainer.hpp), or in panels of columns (kernels/trainer.hpp).
enum class Layout { unset, lanes, panels };

// What a number is. bfloat16: the products round to it what they read; all else is float32.
enum class Precision { float32, float64, bfloat16 };

// Multiply-adds of a step from which a second thread earns more than two barriers cost.
inline constexpr double kThreadFrom = 300'000.0;

// Of their time, what all but one thread may wait for that one before they become fewer: two that stand
// still for half of it do no more than one, and one core may be lost for a moment on any machine.
inline constexpr double kLostShare = 0.7;

struct TrainerSettings {
    std::vector<LayerPlan> layers;
    std::vector<std::ptrdiff_t> group_sizes;
    NetworkPlan network;  // its layers and group sizes are set from those above
    RulePlan rule;
    std::ptrdiff_t batch_size = 1;
    int n_threads = 1;
    Precision precision = Precision::float32;
    bool for_training = true;
    bool sparse = false;  // the rows will be
    Layout layout = Layout::unset;
    double thread_from = kThreadFrom;
    double lost_share = kLostShare;
};

// How many numbers the flat vector of a network holds.
std::ptrdiff_t count_parameters(const TrainerSettings& settings);

// Whether all of them are in [0, below).
bool all_within(const std::int32_t* numbers, std::ptrdiff_t n, std::int64_t below);
bool all_within(const std::int64_t* numbers, std::ptrdiff_t n, std::int64_t below);

// How many threads a step of so many rows is worth.
int worthwhile_threads(const TrainerSettings& settings, std::ptrdiff_t rows);

// Names of the builds that this machine can run, the fastest first: "avx512", "avx2", "portable".
std::vector<std::string> instruction_sets();

// Whether this machine has products of bfloat16 numbers; elsewhere they are worked out in float32.
bool has_bfloat16_products();

// A trainer with the settings it reads.
struct OwnedTrainer {
    std::unique_ptr<TrainerSettings> settings;
    std::unique_ptr<Trainer> trainer;
};

// Throws std::invalid_argument for a build that the machine cannot run.
OwnedTrainer make_trainer(TrainerSettings settings, const std::string& build);

// The caller owns what is made, and keeps the settings as long.
namespace avx512 {
Trainer* make_panels(const TrainerSettings&);
Trainer* make_lanes(const TrainerSettings&);
}  // namespace avx512
namespace avx512bf16 {
Trainer* make_bfloat16(const TrainerSettings&);
}
namespace avx2 {
Trainer* make_panels(const TrainerSettings&);
Trainer* make_lanes(const TrainerSettings&);
Trainer* make_bfloat16(const TrainerSettings&);
}  // namespace avx2
namespace portable {
Trainer* make_panels(const TrainerSettings&);
Trainer* make_lanes(const TrainerSettings&);
Trainer* make_bfloat16(const TrainerSettings&);
}  // namespace portable

}  // namespace deltaprop
