#include "wasm/description.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "wasm/trace.hpp"

namespace deltaprop {
namespace {

// The next piece of a text up to a separator, which is taken off with it.
std::string_view take(std::string_view& text, char separator) {
    const std::string_view piece = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(text.size(), piece.size() + 1));
    return piece;
}

bool number_of(std::string_view text, double& value) {
    char whole[64] = {};
    if (text.empty() || text.size() >= sizeof whole) return false;
    std::memcpy(whole, text.data(), text.size());
    char* end = nullptr;
    value = std::strtod(whole, &end);
    return end == whole + text.size() && std::isfinite(value);
}
bool number_of(std::string_view text, bool& value) {
    value = text == "true";
    return value || text == "false";
}
template <class V> requires std::is_integral_v<V> bool number_of(std::string_view text, V& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
}
template <class V> bool number_of(std::string_view text, std::vector<V>& values) {
    values.clear();
    while (!text.empty())
        if (!number_of(take(text, ','), values.emplace_back())) return false;
    return true;
}

// A line of the description as given.hpp reads one. Nothing is thrown here: the first that does not fit is said, and
// the values are no good then.
class Keywords {
public:
    Keywords(std::string_view of, std::ptrdiff_t number, std::string_view line, Sentence& refusal)
        : of_(of), number_(number), line_(line), refusal_(refusal) {}

    template <class V> void read(std::string_view name, V& value) {
        known_.push_back(name);
        std::string_view given;
        if (!find(name, given)) return refuse(" needs the keyword '", name, "'.");
        if constexpr (std::is_enum_v<V>) read_name(name, given, value);
        else if (!number_of(given, value) && refusal_.empty())
            begin() << " cannot take its " << name << " from '" << given << "'.";
    }
    // The layers of a network have lines of their own, and were read before.
    void read(std::string_view, std::vector<LayerGiven<Keywords>>& layers) { layers = std::move(*layers_); }
    template <class E> void read_first(std::string_view name, E& value) { read(name, value); }

    void require(bool holds, const char* what) {
        if (!holds) refuse(": ", what, "");
    }

    void end() {
        std::string_view rest = line_;
        while (!rest.empty()) {
            const std::string_view one = take(rest, ' '), name = one.substr(0, one.find('='));
            if (!one.empty() && std::find(known_.begin(), known_.end(), name) == known_.end())
                refuse(" has no keyword '", name, "'.");
        }
    }

    Keywords with(std::vector<LayerGiven<Keywords>>& layers) const {
        Keywords more = *this;
        more.layers_ = &layers;
        return more;
    }

private:
    Sentence& begin() {
        refusal_ << of_;
        return number_ > 0 ? refusal_ << " " << number_ : refusal_;
    }
    void refuse(std::string_view what, std::string_view name, std::string_view end) {
        if (refusal_.empty()) begin() << what << name << end;
    }

    bool find(std::string_view name, std::string_view& value) const {
        for (std::string_view rest = line_; !rest.empty();) {
            std::string_view one = take(rest, ' ');
            if (take(one, '=') != name) continue;
            value = one;
            return true;
        }
        return false;
    }

    template <class E> void read_name(std::string_view name, std::string_view given, E& value) {
        const auto& names = names_of<E>;
        const auto found = std::find(names.begin(), names.end(), given);
        if (found != names.end()) value = static_cast<E>(found - names.begin());
        else if (refusal_.empty()) {
            begin() << " knows no " << name << " '" << given << "', only ";
            for (const char* each : names) refusal_ << (each == names.front() ? "" : ", ") << each;
            refusal_ << ".";
        }
    }

    std::string_view of_;
    std::ptrdiff_t number_;
    std::string_view line_;
    Sentence& refusal_;
    std::vector<std::string_view> known_;
    std::vector<LayerGiven<Keywords>>* layers_ = nullptr;
};

// Numbers that a network takes, about: its weights, what the optimizer keeps, gradients and copies, the same in a trace;
// and what is kept of the rows of a batch, and of a trace.
double numbers_of(const Description& description) {
    const std::ptrdiff_t batch = description.plan.batch_size;
    const double kept = 3.0 * static_cast<double>(batch) + 5.0 * static_cast<double>(std::max(batch, kTracedRows));
    double n = 0.0;
    for (const OwnedLayer& layer : description.layers) {
        const double n_in = static_cast<double>(layer.n_in), n_out = static_cast<double>(layer.n_out);
        const double waves = static_cast<double>(layer.n_columns) * static_cast<double>(layer.n_waves);
        n += 8.0 * (layer.kind == Kind::dense ? n_in * n_out : 4.0 * n_in + n_in * static_cast<double>(layer.dimension) +
                                                                   waves * static_cast<double>(layer.n_mixtures + 2));
        n += kept * (n_in + n_out + waves);
    }
    return n;
}
constexpr double kMostNumbers = 1e8;  // 800 MB in float64; a page has 4 GB at most

void measure(const Description& description, Keywords& network, Keywords& optimizer) {
    const NetworkPlan& plan = description.plan.network;
    const RulePlan& rule = description.plan.rule;
    const auto is_share = [](double x) { return 0.0 <= x && x < 1.0; };
    network.require(is_share(plan.label_smoothing), "label_smoothing is at least 0 and below 1.");
    network.require(plan.l2 >= 0.0 && plan.l1 >= 0.0, "l2 and l1 are not below 0.");
    for (const OwnedLayer& layer : description.layers)
        network.require(is_share(layer.drop_probability), "a drop_probability is at least 0 and below 1.");
    for (const double beta : {rule.momentum, rule.decay, rule.beta_1, rule.beta_2})
        optimizer.require(is_share(beta), "momentum, decay, beta_1 and beta_2 are at least 0 and below 1.");
    optimizer.require(rule.epsilon >= 0.0 && rule.weight_decay >= 0.0, "epsilon and weight_decay are not below 0.");
    network.require(numbers_of(description) <= kMostNumbers,
                    "a page has no memory for so many weights, or for batches of so many rows.");
}

}  // namespace

void read_description(std::string_view text, Description& description, Sentence& refusal) {
    std::vector<LayerGiven<Keywords>> layers;
    std::string_view network, rule, run;
    while (!text.empty()) {
        std::string_view line = take(text, '\n');
        const std::string_view of = take(line, ' ');
        const auto number = static_cast<std::ptrdiff_t>(layers.size()) + 1;
        if (of == "layer") layers.emplace_back(Keywords("Layer", number, line, refusal));
        else if (of == "network") network = line;
        else if (of == "rule") rule = line;
        else if (of == "run") run = line;
        else if (refusal.empty()) refusal << "A description has no lines of the kind '" << of << "'.";
    }
    Plan& plan = description.plan;
    plan.precision = Precision::float64;
    Keywords of_network("The network", 0, network, refusal), of_rule("The optimizer", 0, rule, refusal);
    const NetworkGiven<Keywords> given(of_network.with(layers));
    plan.network = given;
    plan.rule = RuleGiven<Keywords>(of_rule);
    Keywords more("The run", 0, run, refusal);
    more.read("batch_size", plan.batch_size);
    more.read("seed", description.seed);
    more.read("shuffle", description.shuffle);
    more.end();
    more.require(plan.batch_size > 0, "A step has a row at least.");
    description.layers.assign(given.all.begin(), given.all.end());
    if (refusal.empty()) measure(description, of_network, of_rule);
    if (!refusal.empty()) return;
    for (const OwnedLayer& layer : description.layers) {
        description.plans.push_back(layer);
        description.plans.back().n_groups = static_cast<std::ptrdiff_t>(layer.sizes.size());
        description.plans.back().group_sizes = layer.sizes.data();
    }
    plan.network.layers = description.plans.data();
    plan.network.n_layers = static_cast<std::ptrdiff_t>(description.plans.size());
}

}  // namespace deltaprop
