#include <algorithm>
#include <stdexcept>

#include "cpu_features.hpp"
#include "trainer.hpp"

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
    const Plan& plan = s.plan;
    return !plan.sparse && plan.precision != Precision::bfloat16 &&
           std::all_of(s.layers.begin(), s.layers.end(), [&](const LayerPlan& layer) {
               return layer.kind == Kind::dense && layer.scale == 1.0 && layer.rates[0] == 1.0 &&
                      layer.rates[1] == 1.0 && !(plan.for_training && layer.drop_threshold > 0);
           });
}

// Multiply-adds of a step that a row takes in a layer, or what takes as long.
double work_of(const LayerPlan& layer) {
    const double n_in = static_cast<double>(layer.n_in), n_out = static_cast<double>(layer.n_out);
    switch (layer.kind) {
        case Kind::dense: return 3.0 * n_in * n_out;
        case Kind::scaling: return 4.0 * n_in;
        case Kind::layer_norm:
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
    if (s.layout != Layout::automatic) return s.layout;
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

int worthwhile_threads(const TrainerSettings& settings, std::ptrdiff_t rows) {
    double work = 0.0;
    for (const LayerPlan& layer : settings.layers) work += work_of(layer) * static_cast<double>(rows);
    const double worth = work / std::max(settings.threads_from, 1.0);
    const int most = settings.plan.n_threads;
    return worth >= most ? most : 1 + static_cast<int>(worth);
}

Steps* chosen_steps(const TrainerSettings& settings, Memory& memory) {
    const std::vector<std::string> known = instruction_sets();
    const std::string& build = settings.build == "fastest" ? known.front() : settings.build;
    if (std::find(known.begin(), known.end(), build) == known.end())
        throw std::invalid_argument("This machine cannot run the build '" + build + "'.");
    const bool pairs = settings.plan.precision == Precision::bfloat16, lanes = layout_of(settings) == Layout::lanes;
    MakeSteps* make = pairs ? portable::make_bfloat16 : lanes ? portable::make_lanes : portable::make_panels;
#if defined(DELTAPROP_X86_BUILDS)
    if (build == "avx2") make = pairs ? avx2::make_bfloat16 : lanes ? avx2::make_lanes : avx2::make_panels;
    if (build == "avx512") {
        // without the instruction, AVX-512 has nothing to offer that AVX2 has not
        make = !pairs ? (lanes ? avx512::make_lanes : avx512::make_panels)
               : has_bfloat16_products() ? avx512bf16::make_bfloat16
                                         : avx2::make_bfloat16;
    }
#endif
    return make(settings.plan, worthwhile_threads(settings, settings.plan.batch_size), memory);
}

}  // namespace deltaprop
