#include "aborted.hpp"

#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#if defined(_WIN32)
#include <io.h>
#else
#include <unistd.h>
#endif

namespace deltaprop {
namespace {

// All memory that the handler needs: there may be no other.
char message_[4096], said_[1 << 16];
std::size_t length_ = 0;
int status_ = 0, out_ = -1;
constexpr int kStandardError = 2;

#if defined(_WIN32)
std::ptrdiff_t read_some(int file, char* to, std::size_t n) { return _read(file, to, static_cast<unsigned>(n)); }
std::ptrdiff_t write_some(int file, const char* from, std::size_t n) { return _write(file, from, static_cast<unsigned>(n)); }
bool rewind_file(int file) { return _lseek(file, 0, SEEK_SET) == 0; }
#else
std::ptrdiff_t read_some(int file, char* to, std::size_t n) { return read(file, to, n); }
std::ptrdiff_t write_some(int file, const char* from, std::size_t n) { return write(file, from, n); }
bool rewind_file(int file) { return lseek(file, 0, SEEK_SET) == 0; }
#endif

void write_all(int file, const char* from, std::size_t n) {
    for (std::ptrdiff_t done; n > 0 && (done = write_some(file, from, n)) > 0; from += done) n -= static_cast<std::size_t>(done);
}

// What Rust and C++ write when an allocation fails that nobody expects to.
bool for_want_of_memory() { return std::strstr(said_, "memory allocation of ") || std::strstr(said_, "bad_alloc"); }

extern "C" void on_abort(int signal) {
    std::ptrdiff_t n = 0;  // a terminal, or a pipe, has no beginning to go back to
    if (rewind_file(kStandardError)) n = read_some(kStandardError, said_, sizeof said_ - 1);
    said_[n > 0 ? n : 0] = '\0';
    if (for_want_of_memory()) {
        write_all(out_, message_, length_);
        std::_Exit(status_);
    }
    write_all(out_, said_, std::strlen(said_));
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

}  // namespace

void say_when_aborted(const std::string& message, int status, int out) {
    length_ = message.size() < sizeof message_ ? message.size() : sizeof message_;
    std::memcpy(message_, message.data(), length_);
    status_ = status;
    out_ = out;
    std::signal(SIGABRT, on_abort);
}

}  // namespace deltaprop
