// The Python face of the native code: deltaprop._native. Types: src/deltaprop/_native.pyi.
#include "module.hpp"

#include "aborted.hpp"
#include "build_info.hpp"
#include "cpu_features.hpp"
#include "permutation.hpp"

using namespace nanobind::literals;

NB_MODULE(_native, m) {
    using namespace deltaprop;
    nb::set_leak_warnings(false);  // at the end of a program, of what its own global names still hold
    m.doc() = "The compiled part of deltaprop, built from native/.";

    m.def(
        "build_info",
        [] {
            nb::dict d;
            for (const auto& [name, fact] : build_info()) d[name] = fact;
            return d;
        },
        "Say how this module was compiled.");

    m.def("cpu_features", &cpu_features,
          "List the instruction sets that this processor and operating system offer.");

    m.def("instruction_sets", &instruction_sets,
          "List the builds of the kernels that this machine can run, the fastest first.");

    m.def("has_bfloat16_products", &has_bfloat16_products,
          "Return whether the processor has products of bfloat16 numbers.");

    m.def("say_when_aborted", &say_when_aborted, "message"_a, "status"_a, "out"_a,
          "Say a sentence where the process aborts for want of memory, and end with a status.");

    m.def(
        "permutation",
        [](nb::ndarray<std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu> order,
           const std::array<std::uint64_t, 2>& key, const std::array<std::uint64_t, 4>& counter) {
            nb::gil_scoped_release released;
            permutation(order.data(), order.shape(0), Philox(key.data(), counter.data()));
        },
        nb::arg("order").noconvert(), "key"_a, "counter"_a,
        "Fill order with 0, ..., n - 1, shuffled by the Philox stream of a key and a counter.");

    bind_plans(m);
    bind_epochs(m);
}
