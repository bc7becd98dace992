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

// Whether a layer's sizes are those of its kind: the kernels read and write by them.
bool fits(const OwnedLayer& layer) {
    const std::ptrdiff_t more = layer.n_out - layer.n_in;
    std::ptrdiff_t grouped = 0;
    for (const std::ptrdiff_t size : layer.sizes) {
        if (size < 1 || size > layer.n_in - grouped) return false;
        grouped += size;
    }
    switch (layer.kind) {
        case Kind::dense: return true;
        case Kind::scaling:
        case Kind::parametric_activation: return more == 0;
        case Kind::layer_norm: return more == 0 && layer.epsilon > 0.0;
        case Kind::periodic_embedding:
            return layer.n_columns > 0 && layer.n_columns <= layer.n_in && layer.n_waves > 0 && layer.n_mixtures > 0 &&
                   more == layer.n_columns * layer.n_mixtures;
        case Kind::category_embedding:
            return layer.dimension > 0 && more == static_cast<std::ptrdiff_t>(layer.sizes.size()) * layer.dimension - grouped;
    }
    return false;
}

struct LayerGiven : OwnedLayer {
    explicit LayerGiven(Keywords given) {
        std::vector<double> factors;
        given.read_first("kind", kind);
        DELTAPROP_READ(given, n_in, n_out, bias, activation, drop_threshold, drop_probability);
        given.read("rates", factors);
        switch (kind) {
#define DELTAPROP_KIND(name, ...) \
    case Kind::name: DELTAPROP_READ(given, __VA_ARGS__); break;
#include "names.def"
        }
        given.end();
        require(factors.size() <= std::size(rates), "A layer has no more learning rate factors than arrays.");
        std::copy(factors.begin(), factors.end(), rates);
        require(n_in > 0 && n_out > 0 && fits(*this), "A layer has the sizes of its kind.");
    }
};

struct NetworkGiven : NetworkPlan {
    std::vector<LayerGiven> all;

    explicit NetworkGiven(Keywords given) {
        given.read("layers", all);
        DELTAPROP_READ(given, loss, label_smoothing, l2, l1);
        given.end();
        require(!all.empty() && all.back().kind == Kind::dense, "A network ends with a dense layer.");
        for (std::size_t l = 1; l < all.size(); ++l)
            require(all[l].n_in == all[l - 1].n_out, "A layer reads what the one before writes.");
    }
};

struct RuleGiven : RulePlan {
    explicit RuleGiven(Keywords given) {
        given.read_first("name", rule);
        switch (rule) {
#define DELTAPROP_RULE(name, states, ...) \
    case Rule::name: DELTAPROP_READ(given, __VA_ARGS__); break;
#include "names.def"
        }
        given.end();
    }
};

}  // namespace

TrainerSettings settings_of(Keywords given) {
    TrainerSettings s;
    nb::object network, rule;
    DELTAPROP_READ(given, network, rule, s.plan.batch_size, s.plan.n_threads);
    given.read("dtype", s.plan.precision);
    DELTAPROP_READ(given, s.plan.sparse, s.build, s.layout, s.threads_from, s.lost_share);
    given.end();
    require(s.plan.batch_size > 0 && s.plan.n_threads > 0, "A step has a row and a thread at least.");
    const auto& told = nb::cast<const NetworkGiven&>(network);
    s.plan.network = told;
    s.layers.assign(told.all.begin(), told.all.end());
    s.plan.for_training = !rule.is_none();
    if (s.plan.for_training) s.plan.rule = nb::cast<const RuleGiven&>(rule);
    return s;
}

void bind_plans(nb::module_& m) {
    m.def("known_names", &known_names,
          "Return the activations, losses, layers and optimizers that the kernels know, by name.");
    from_keywords<LayerGiven>(m, "Layer", "A layer as the kernels are told of it.");
    from_keywords<NetworkGiven>(m, "Network", "A network as the kernels are told of it.");
    from_keywords<RuleGiven>(m, "Rule", "How an optimizer makes a step of a gradient.");
}

}  // namespace deltaprop
