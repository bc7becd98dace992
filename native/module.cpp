// The Python face of the native code: deltaprop._native. Types: src/deltaprop/_native.pyi.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "aborted.hpp"
#include "build_info.hpp"
#include "cpu_features.hpp"
#include "module_trainer.hpp"

namespace nb = nanobind;

NB_MODULE(_native, m) {
    m.doc() = "The compiled part of deltaprop, built from native/.";

    m.def(
        "build_info",
        [] {
            const deltaprop::BuildInfo info = deltaprop::build_info();
            nb::dict d;
            d["compiler"] = info.compiler;
            d["compiler_version"] = info.compiler_version;
            d["cxx_standard"] = info.cxx_standard;
            d["build_type"] = info.build_type;
            d["architecture"] = info.architecture;
            return d;
        },
        "Say how this module was compiled.");

    m.def("cpu_features", &deltaprop::cpu_features,
          "List the instruction sets that this processor and operating system offer.");

    m.def("say_when_aborted", &deltaprop::say_when_aborted, nb::arg("message"), nb::arg("status"), nb::arg("out"),
          "Say a sentence where the process aborts for want of memory, and end with a status.");

    deltaprop::bind_trainer(m);
}
