// A batch on its way through the network with every number kept, which the steps of training fuse. Always in float64,
// by the same kernels.
#pragma once

#include "steps.hpp"

namespace deltaprop {

// What is kept of a layer, row by row: z, a = f(z) (of the last one the outputs), what it reads (a of the one below
// times the mask of dropout), and dL/dz.
enum class Kept { z, a, inputs, delta };

// What a batch costs: the sum of its rows' losses, each times its share, and the penalties.
struct Cost {
    double data = 0.0, l2 = 0.0, l1 = 0.0;
};

// How many rows are taken at a time, of many.
inline constexpr std::ptrdiff_t kTracedRows = 128;

class Trace {
public:
    virtual void set(const double* parameters) = 0;
    virtual std::ptrdiff_t most_rows() const = 0;  // at a time

    // Rows order[0], ..., order[n - 1]; with the masks of a step of an epoch, where one is given.
    virtual void forward(const Rows& rows, const std::int64_t* order, std::ptrdiff_t n, const EpochTask* task = nullptr,
                         const Step* step = nullptr) = 0;
    // Of those rows, as a batch of so many; and the loss of each by itself, whatever its weight.
    virtual Cost loss(const Targets& targets, const std::int64_t* order, std::ptrdiff_t batch_rows, double* each) = 0;
    virtual void backward() = 0;

    virtual void get(Kept kept, std::ptrdiff_t layer, double* out) const = 0;
    // Column j of a layer's a for all rows, one after another.
    virtual void get_column(std::ptrdiff_t layer, std::ptrdiff_t j, float* out) const = 0;
    // dL/dw of every parameter, of the loss with its penalties or of its data alone.
    virtual void get_gradient(bool with_penalties, double* flat) const = 0;

protected:
    ~Trace() = default;
};

namespace portable {
Trace* make_trace(const NetworkPlan& network, std::ptrdiff_t batch_size, std::ptrdiff_t most_rows, Memory& memory);
}

}  // namespace deltaprop
