// The Python face of the native code: structs that Python makes from keywords, and nothing by default.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "trainer.hpp"

namespace deltaprop {

namespace nb = nanobind;

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

// An array is itself, not a copy of it; all else is what nanobind makes of it.
template <class V> concept AnArray = requires(V v) { v.shape(0); };

// What a struct is made of: each of its keywords, and no other. Missing and unknown ones are found at the end.
class Keywords {
public:
    Keywords(std::string of, const nb::kwargs& given) : of_(std::move(of)), given_(given) {}

    template <class V> void read(std::string_view name, V& value) {
        const nb::str key(name.data(), name.size());
        known_.append(key);
        if (!given_.contains(key)) return missing_.append(key);
        const nb::object one = given_[key];
        try {
            if constexpr (std::is_enum_v<V>) value = number_of<V>(nb::cast<std::string>(one), name);
            else value = nb::cast<V>(one, !AnArray<V>);
        } catch (const nb::cast_error&) {
            throw nb::type_error((of_ + " cannot take its " + std::string(name) + " from " + nb::repr(one).c_str() + ".").c_str());
        }
    }
    // None leaves the value as it is.
    template <class V> void read_or_none(std::string_view name, V& value) {
        const nb::str key(name.data(), name.size());
        if (given_.contains(key) && given_[key].is_none()) known_.append(key);
        else read(name, value);
    }
    // What decides on the others.
    template <class E> void read_first(std::string_view name, E& value) {
        read(name, value);
        if (nb::len(missing_) > 0) refuse(" needs the keyword '", missing_[0]);
    }
    // By DELTAPROP_READ: a keyword is called as its value is, which may be a member of something, as in task_.order_.
    template <class... Vs> void read_all(std::string_view names, Vs&... values) {
        std::vector<std::string_view> each;
        each_name(names, [&](std::string_view name) {
            name.remove_prefix(name.rfind('.') + 1);
            each.push_back(name.substr(0, name.find_last_not_of('_') + 1));
        });
        [[maybe_unused]] std::size_t i = 0;
        (read(each[i++], values), ...);
    }

    void end() const {
        for (nb::handle key : given_.keys())
            if (!nb::cast<bool>(known_.attr("__contains__")(key))) refuse(" has no keyword '", key);
        if (nb::len(missing_) > 0) refuse(" needs the keyword '", missing_[0]);
    }

private:
    [[noreturn]] void refuse(const char* what, nb::handle key) const {
        const nb::str all = nb::cast<nb::str>(nb::str(", ").attr("join")(known_));
        throw nb::type_error((of_ + what + nb::cast<std::string>(key) + "'; it is made of " + all.c_str() + ".").c_str());
    }

    template <class E> E number_of(const std::string& given, std::string_view name) const {
        const auto& names = names_of<E>;
        const auto found = std::find(names.begin(), names.end(), given);
        if (found != names.end()) return static_cast<E>(found - names.begin());
        std::string known;
        for (const char* each : names) known += (known.empty() ? "" : ", ") + std::string(each);
        throw std::invalid_argument(of_ + " knows no " + std::string(name) + " '" + given + "', only " + known + ".");
    }

    const std::string of_;
    const nb::kwargs given_;
    nb::list known_, missing_;
};

#define DELTAPROP_READ(given, ...) given.read_all(#__VA_ARGS__ __VA_OPT__(, ) __VA_ARGS__)

// Binds a struct that is made by S(Keywords).
template <class S> nb::class_<S> from_keywords(nb::module_& m, const char* name, const char* doc) {
    return nb::class_<S>(m, name, doc).def("__init__", [name](S* self, const nb::kwargs& given) {
        new (self) S(Keywords(name, given));
    });
}

inline void require(bool holds, const char* what) {
    if (!holds) throw std::invalid_argument(what);
}

TrainerSettings settings_of(Keywords given);

void bind_plans(nb::module_& m);
void bind_epochs(nb::module_& m);

}  // namespace deltaprop
