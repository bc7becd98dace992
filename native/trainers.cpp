#include "trainers.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <stdexcept>

#include "cpu_features.hpp"

namespace deltaprop {
namespace {

// Up to here lanes were faster than panels, with AVX2, one or two threads, and batches of 4 to 256.
constexpr std::ptrdiff_t kLaneParameters = 8'000;

bool offers(const std::vector<std::string>& features, std::initializer_list<const char*> needed) {
    return std::all_of(needed.begin(), needed.end(), [&](const char* name) {
        return std::find(features.begin(), features.end(), name) != features.end();
    });
}

// Dropout, sparse rows, bfloat16 and all but dense layers in their usual form are for panels.
bool lanes_can(const TrainerSettings& s) {
    bool drops = false, plain = true;
    for (const LayerPlan& layer : s.layers) {
        drops = drops || layer.drop_threshold > 0;
        plain = plain && layer.kind == Kind::dense && layer.scale == 1.0 && layer.rates[0] == 1.0 &&
                layer.rates[1] == 1.0;
    }
    return plain && !s.sparse && !(s.for_training && drops) && s.precision != Precision::bfloat16;
}

// Multiply-adds of a step that a row takes in a layer, or what takes as long.
double work_of(const LayerPlan& layer) {
    const double n_in = static_cast<double>(layer.n_in), n_out = static_cast<double>(layer.n_out);
    switch (layer.kind) {
        case Kind::dense: return 3.0 * n_in * n_out;
        case Kind::scaling: return 4.0 * n_in;
        case Kind::parametric_activation: return 40.0 * n_in;
        case Kind::periodic_embedding: {
            const double waves = static_cast<double>(layer.n_columns * layer.n_waves);
            return waves * (80.0 + 3.0 * static_cast<double>(layer.n_mixtures));
        }
        case Kind::category_embedding: return 8.0 * (n_in + n_out);
    }
    return 0.0;
}

Layout layout_of(const TrainerSettings& s) {
    if (!lanes_can(s)) {
        if (s.layout == Layout::lanes)
            throw std::invalid_argument("Dropout, sparse rows, bfloat16 and all but plain dense layers are trained in panels, not in lanes.");
        return Layout::panels;
    }
    if (s.layout != Layout::unset) return s.layout;
    std::ptrdiff_t n_parameters = 0;
    for (const LayerPlan& layer : s.layers) n_parameters += (layer.n_in + 1) * layer.n_out;
    return n_parameters <= kLaneParameters ? Layout::lanes : Layout::panels;
}

}  // namespace

std::vector<std::string> instruction_sets() {
    std::vector<std::string> found;
#if defined(DELTAPROP_X86_BUILDS)
    const std::vector<std::string> features = cpu_features();
    if (offers(features, {"avx512f", "avx512bw", "avx512dq", "avx512vl", "fma", "bmi2"}))
        found.emplace_back("avx512");
    if (offers(features, {"avx2", "fma", "bmi2"})) found.emplace_back("avx2");
#endif
    found.emplace_back("portable");
    return found;
}

bool has_bfloat16_products() {
#if defined(DELTAPROP_X86_BUILDS)
    return instruction_sets().front() == "avx512" && offers(cpu_features(), {"avx512bf16"});
#else
    return false;
#endif
}

std::ptrdiff_t count_parameters(const TrainerSettings& s) {
    std::ptrdiff_t n = 0;
    for (const LayerPlan& layer : s.layers) switch (layer.kind) {
        case Kind::dense: n += (layer.n_in + (layer.bias ? 1 : 0)) * layer.n_out; break;
        case Kind::scaling:
        case Kind::parametric_activation: n += layer.n_in; break;
        case Kind::periodic_embedding:
            n += layer.n_columns * (2 * layer.n_waves + (layer.n_waves + 1) * layer.n_mixtures);
            break;
        case Kind::category_embedding:
            for (std::ptrdiff_t g = 0; g < layer.n_groups; ++g)
                n += s.group_sizes[static_cast<std::size_t>(layer.first_group + g)] * layer.dimension;
            break;
    }
    return n;
}

bool all_within(const std::int32_t* numbers, std::ptrdiff_t n, std::int64_t below) {
    const auto last = static_cast<std::int32_t>(std::min<std::int64_t>(below - 1, std::numeric_limits<std::int32_t>::max()));
    std::int32_t bits = 0, greatest = -1;  // without a way out, so that several are looked at at once
    for (std::ptrdiff_t i = 0; i < n; ++i) {
        bits |= numbers[i];
        greatest = std::max(greatest, numbers[i]);
    }
    return bits >= 0 && greatest <= last;
}

bool all_within(const std::int64_t* numbers, std::ptrdiff_t n, std::int64_t below) {
    bool within = true;
    for (std::ptrdiff_t i = 0; i < n; ++i) within &= numbers[i] >= 0 && numbers[i] < below;
    return within;
}

int worthwhile_threads(const TrainerSettings& settings, std::ptrdiff_t rows) {
    double work = 0.0;
    for (const LayerPlan& layer : settings.layers) work += work_of(layer) * static_cast<double>(rows);
    const double worth = work / std::max(settings.thread_from, 1.0);
    return worth >= settings.n_threads ? settings.n_threads : 1 + static_cast<int>(worth);
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
    settings.network.group_sizes = settings.group_sizes.data();
    settings.layout = layout_of(settings);
    if (const char* from = std::getenv("DELTAPROP_THREADS_FROM")) settings.thread_from = std::atof(from);
    if (const char* share = std::getenv("DELTAPROP_LOST_SHARE")) settings.lost_share = std::atof(share);
    const bool pairs = settings.precision == Precision::bfloat16, lanes = settings.layout == Layout::lanes;
    auto make = pairs ? portable::make_bfloat16 : lanes ? portable::make_lanes : portable::make_panels;
#if defined(DELTAPROP_X86_BUILDS)
    if (chosen == "avx2") make = pairs ? avx2::make_bfloat16 : lanes ? avx2::make_lanes : avx2::make_panels;
    if (chosen == "avx512") {
        // without the instruction, AVX-512 has nothing to offer that AVX2 has not
        make = !pairs ? (lanes ? avx512::make_lanes : avx512::make_panels)
               : has_bfloat16_products() ? avx512bf16::make_bfloat16
                                         : avx2::make_bfloat16;
    }
#endif
    owned.trainer.reset(make(settings));
    return owned;
}

}  // namespace deltaprop
