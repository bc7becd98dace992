#pragma once

#include <nanobind/nanobind.h>

namespace deltaprop {

void bind_trainer(nanobind::module_& m);

}  // namespace deltaprop
