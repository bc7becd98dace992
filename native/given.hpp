// What is to be trained, made of keywords: read and measured alike for Python (module.hpp) and for a page
// (wasm/description.hpp). Who gives them has a class of Keywords, which reads values by name, and refuses in its own way:
//   read(name, value)           a missing one is said at the end; read_first: what decides on the others
//   require(holds, sentence)
//   end()                       no keyword is missing, and none unknown
#pragma once

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "trainer.hpp"

namespace deltaprop {

// Names of the values of an enum, in its order.
template <class E> inline constexpr int names_of = 0;
template <> inline constexpr auto names_of<Activation> = std::to_array<const char*>({
#define DELTAPROP_ACTIVATION(name) #name,
#include "names.def"
});
template <> inline constexpr auto names_of<Kind> = std::to_array<const char*>({
#define DELTAPROP_KIND(name, ...) #name,
#include "names.def"
});
template <> inline constexpr auto names_of<Loss> = std::to_array<const char*>({
#define DELTAPROP_LOSS(name, targets) #name,
#include "names.def"
});
template <> inline constexpr auto names_of<Rule> = std::to_array<const char*>({
#define DELTAPROP_RULE(name, ...) #name,
#include "names.def"
});
template <> inline constexpr auto names_of<Precision> = std::to_array<const char*>({"float32", "float64", "bfloat16"});
template <> inline constexpr auto names_of<Layout> = std::to_array<const char*>({"automatic", "lanes", "panels"});

// Calls each(name) for the names in a list as a macro leaves it: "n_columns, n_waves".
template <class Each> void each_name(std::string_view list, Each each) {
    for (std::size_t end; !list.empty(); list.remove_prefix(std::min(list.size(), end + 2))) {
        end = std::min(list.find(", "), list.size());
        each(list.substr(0, end));
    }
}

// By DELTAPROP_READ: a keyword is called as its value is, which may be a member of something, as in task_.order_.
template <class Keywords, class... Vs> void read_all(Keywords& given, std::string_view list, Vs&... values) {
    std::array<std::string_view, sizeof...(Vs)> names;
    [[maybe_unused]] std::size_t i = 0;
    each_name(list, [&](std::string_view name) {
        name.remove_prefix(name.rfind('.') + 1);
        names[i++] = name.substr(0, name.find_last_not_of('_') + 1);
    });
    i = 0;
    (given.read(names[i++], values), ...);
}
#define DELTAPROP_READ(given, ...) read_all(given, #__VA_ARGS__ __VA_OPT__(, ) __VA_ARGS__)

// Whether a layer's sizes are those of its kind: the kernels read and write by them.
inline bool fits(const OwnedLayer& layer) {
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

template <class Keywords> struct LayerGiven : OwnedLayer {
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
        given.require(factors.size() <= std::size(rates), "A layer has no more learning rate factors than arrays.");
        std::copy_n(factors.begin(), std::min(factors.size(), std::size(rates)), rates);
        given.require(n_in > 0 && n_out > 0 && fits(*this), "A layer has the sizes of its kind.");
    }
};

template <class Keywords> struct NetworkGiven : NetworkPlan {
    std::vector<LayerGiven<Keywords>> all;

    explicit NetworkGiven(Keywords given) {
        given.read("layers", all);
        DELTAPROP_READ(given, loss, label_smoothing, l2, l1);
        given.end();
        given.require(!all.empty() && all.back().kind == Kind::dense, "A network ends with a dense layer.");
        for (std::size_t l = 1; l < all.size(); ++l)
            given.require(all[l].n_in == all[l - 1].n_out, "A layer reads what the one before writes.");
    }
};

template <class Keywords> struct RuleGiven : RulePlan {
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

}  // namespace deltaprop
