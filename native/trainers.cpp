#include "trainers.hpp"

#include <algorithm>
#include <stdexcept>

#include "cpu_features.hpp"

namespace deltaprop {
namespace {

bool offers(const std::vector<std::string>& features, std::initializer_list<const char*> needed) {
    return std::all_of(needed.begin(), needed.end(), [&](const char* name) {
        return std::find(features.begin(), features.end(), name) != features.end();
    });
}

}  // namespace

std::vector<std::string> instruction_sets() {
    std::vector<std::string> found;
#if defined(DELTAPROP_X86_BUILDS)
    const std::vector<std::string> features = cpu_features();
    if (offers(features, {"avx512f", "avx512bw", "avx512dq", "avx512vl", "fma"}))
        found.emplace_back("avx512");
    if (offers(features, {"avx2", "fma"})) found.emplace_back("avx2");
#endif
    found.emplace_back("portable");
    return found;
}

OwnedTrainer make_trainer(TrainerSettings given, const std::string& build) {
    const std::vector<std::string> known = instruction_sets();
    const std::string& chosen = build.empty() ? known.front() : build;
    if (std::find(known.begin(), known.end(), chosen) == known.end())
        throw std::invalid_argument("This machine cannot run the build '" + chosen + "'.");
    OwnedTrainer owned{std::make_unique<TrainerSettings>(std::move(given)), nullptr};
    TrainerSettings& settings = *owned.settings;
    settings.network.layers = settings.layers.data();
    settings.network.n_layers = static_cast<std::ptrdiff_t>(settings.layers.size());
    auto make = portable::make;
#if defined(DELTAPROP_X86_BUILDS)
    if (chosen == "avx512") make = avx512::make;
    if (chosen == "avx2") make = avx2::make;
#endif
    owned.trainer.reset(make(settings));
    return owned;
}

}  // namespace deltaprop
