// Trains one small network for some epochs, for instruction counts: no Python, no clock, one thread.
//
//     workload BUILD WIDTHS BATCH ROWS EPOCHS      workload avx2 64-32-10 32 320 2
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "trainer.hpp"

int main(int argc, char** argv) {
    if (argc != 6) return 2;
    const std::string build = argv[1];
    std::vector<std::ptrdiff_t> widths;
    for (char* at = argv[2]; *at != '\0';) {
        widths.push_back(std::strtol(at, &at, 10));
        if (*at == '-') ++at;
    }
    const std::ptrdiff_t batch = std::atol(argv[3]), rows = std::atol(argv[4]);
    const int epochs = std::atoi(argv[5]);

    deltaprop::TrainerSettings settings;
    std::size_t n_parameters = 0;
    for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
        deltaprop::OwnedLayer layer;
        layer.n_in = widths[l];
        layer.n_out = widths[l + 1];
        if (l + 2 < widths.size()) layer.activation = deltaprop::Activation::relu;
        settings.layers.push_back(layer);
        n_parameters += static_cast<std::size_t>((widths[l] + 1) * widths[l + 1]);
    }
    settings.build = build;
    settings.plan.batch_size = batch;
    deltaprop::RulePlan& rule = settings.plan.rule;
    rule.rule = deltaprop::Rule::adam;
    rule.beta_1 = 0.9;
    rule.beta_2 = 0.999;
    rule.epsilon = 1e-8;

    std::uint64_t state = 1;  // a linear congruence: the same numbers everywhere
    const auto draw = [&state] {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return static_cast<float>(state >> 40) / 16777216.0f - 0.5f;
    };
    std::vector<float> x(static_cast<std::size_t>(rows * widths.front()));
    for (float& value : x) value = draw();
    std::vector<double> parameters(n_parameters), rates(static_cast<std::size_t>((rows + batch - 1) / batch), 1e-3);
    for (double& value : parameters) value = draw();
    std::vector<std::int64_t> labels(static_cast<std::size_t>(rows)), order(labels.size());
    for (std::size_t r = 0; r < labels.size(); ++r) {
        labels[r] = static_cast<std::int64_t>(r) % widths.back();
        order[r] = static_cast<std::int64_t>(r);
    }

    deltaprop::Trainer trainer(settings);
    trainer.steps().set(deltaprop::Numbers::parameters, parameters.data());
    deltaprop::EpochTask task;
    task.rows.data = x.data();
    task.rows.n = rows;
    task.rows.stride = widths.front();
    task.targets.labels = labels.data();
    task.order = order.data();
    task.n = rows;
    task.learning_rates = rates.data();
    double loss = 0.0;
    for (int e = 0; e < epochs; ++e) loss = trainer.epoch(task, {}).loss;
    std::printf("%.6f\n", loss);
    return 0;
}
