// The kernels for a page: whatever the compiler takes for granted, with vectors of 128 bits. Relaxed SIMD stays off: it
// gives other bits on other machines. All is float64, and nothing lies in lanes, where sums run in another order than in a
// trace: so the step that a page shows is the one it takes, in every bit.
#define DELTAPROP_ISA portable
#include "panels/steps.hpp"
#include "wasm/tracer.hpp"

namespace deltaprop::portable {

Steps* make_panels(const Plan& plan, int n_threads, Memory& memory) {
    return make_in<PanelSteps<Singles<double>>>(memory, plan, n_threads, memory);
}

Trace* make_trace(const NetworkPlan& network, std::ptrdiff_t batch_size, std::ptrdiff_t most_rows, Memory& memory) {
    return make_in<Tracer>(memory, network, batch_size, most_rows, memory);
}

}  // namespace deltaprop::portable
