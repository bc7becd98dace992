// A sentence in the place of what other libraries write when they abort for want of memory.
#pragma once

#include <string>

namespace deltaprop {

// From now on: where the process aborts, and what stands in the file that standard error is says that
// there was no memory, the message goes to `out` and the process ends with the status. Where it says
// anything else, that goes to `out`, and the process aborts as ever.
void say_when_aborted(const std::string& message, int status, int out);

}  // namespace deltaprop
