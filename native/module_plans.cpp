// What is to be trained, as Python says it.
#include "module.hpp"

namespace deltaprop {
namespace {

// What the kernels know, by kind: losses with what a row of their targets is, layers with what they ask of one,
// optimizers with how many numbers they keep for each parameter.
nb::dict known_names() {
    nb::list activations;
    nb::dict losses, layers, optimizers, known;
#define DELTAPROP_ACTIVATION(name) activations.append(#name);
#define DELTAPROP_LOSS(name, targets) losses[#name] = #targets;
#define DELTAPROP_KIND(name, ...)                                                                                    \
    layers[#name] = nb::list();                                                                                      \
    each_name(#__VA_ARGS__, [&](std::string_view each) { layers[#name].attr("append")(nb::str(each.data(), each.size())); });
#define DELTAPROP_RULE(name, states, ...) optimizers[#name] = states;
#include "names.def"
    known["activations"] = activations;
    known["losses"] = losses;
    known["layers"] = layers;
    known["optimizers"] = optimizers;
    return known;
}

}  // namespace

TrainerSettings settings_of(Keywords given) {
    TrainerSettings s;
    nb::object network, rule;
    DELTAPROP_READ(given, network, rule, s.plan.batch_size, s.plan.n_threads);
    given.read("dtype", s.plan.precision);
    DELTAPROP_READ(given, s.plan.sparse, s.build, s.layout, s.threads_from, s.lost_share);
    given.end();
    require(s.plan.batch_size > 0 && s.plan.n_threads > 0, "A step has a row and a thread at least.");
    const auto& told = nb::cast<const NetworkGiven<Keywords>&>(network);
    s.plan.network = told;
    s.layers.assign(told.all.begin(), told.all.end());
    s.plan.for_training = !rule.is_none();
    if (s.plan.for_training) s.plan.rule = nb::cast<const RuleGiven<Keywords>&>(rule);
    return s;
}

void bind_plans(nb::module_& m) {
    m.def("known_names", &known_names,
          "Return the activations, losses, layers and optimizers that the kernels know, by name.");
    from_keywords<LayerGiven<Keywords>>(m, "Layer", "A layer as the kernels are told of it.");
    from_keywords<NetworkGiven<Keywords>>(m, "Network", "A network as the kernels are told of it.");
    from_keywords<RuleGiven<Keywords>>(m, "Rule", "How an optimizer makes a step of a gradient.");
}

}  // namespace deltaprop
