// The Python face of the native code: structs that Python makes from keywords, and nothing by default.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>

#include "given.hpp"

namespace deltaprop {

namespace nb = nanobind;

inline void require(bool holds, const char* what) {
    if (!holds) throw std::invalid_argument(what);
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
    static void require(bool holds, const char* what) { deltaprop::require(holds, what); }

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

// Binds a struct that is made by S(Keywords).
template <class S> nb::class_<S> from_keywords(nb::module_& m, const char* name, const char* doc) {
    return nb::class_<S>(m, name, doc).def("__init__", [name](S* self, const nb::kwargs& given) {
        new (self) S(Keywords(name, given));
    });
}

TrainerSettings settings_of(Keywords given);

void bind_plans(nb::module_& m);
void bind_epochs(nb::module_& m);

}  // namespace deltaprop
