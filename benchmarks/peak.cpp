// The limit of this machine: GFLOP/s of multiply-adds that do not wait for each other, on one
// thread and on n. Prints JSON. Usage: peak [n]
//
// float32 is what a kernel of ours could reach at best; bfloat16 counts the AVX-512 instruction
// that adds two products of bfloat16 numbers to a float32 (not the matrix unit, AMX).

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>
#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

namespace {

#if defined(__AVX512F__)
constexpr int kBytes = 64, kChains = 24;
#elif defined(__AVX__)
constexpr int kBytes = 32, kChains = 12;
#else
constexpr int kBytes = 16, kChains = 12;
#endif
typedef float Vector __attribute__((vector_size(kBytes)));
constexpr long kTurns = 20'000'000;

// a <- a b + c in each chain: more chains than a multiply-add has cycles, so none waits.
double float32_flop() {
  Vector a[kChains];
  for (int i = 0; i < kChains; ++i) a[i] = Vector{} + 0.1f * static_cast<float>(i);
  Vector b = Vector{} + 0.999f, c = Vector{} + 0.001f;
  for (long turn = 0; turn < kTurns; ++turn) {
#pragma GCC unroll 24
    for (int i = 0; i < kChains; ++i) a[i] = a[i] * b + c;
  }
  for (int i = 0; i < kChains; ++i) asm volatile("" : : "m"(a[i]));  // somebody may look
  return 2.0 * kTurns * kChains * (kBytes / 4);
}

#ifdef __AVX512BF16__
double bfloat16_flop() {
  __m512 a[kChains];
  for (int i = 0; i < kChains; ++i) a[i] = _mm512_set1_ps(0.1f * static_cast<float>(i));
  const __m512bh b = _mm512_cvtne2ps_pbh(_mm512_set1_ps(0.5f), _mm512_set1_ps(-0.5f));
  for (long turn = 0; turn < kTurns; ++turn) {
#pragma GCC unroll 24
    for (int i = 0; i < kChains; ++i) a[i] = _mm512_dpbf16_ps(a[i], b, b);
  }
  for (int i = 0; i < kChains; ++i) asm volatile("" : : "m"(a[i]));
  return 4.0 * kTurns * kChains * 16;
}
#endif

// The best of seven: what the machine can do, not what it did while something else ran.
template <class Work>
double gflops(Work work, int threads) {
  double best = 0;
  for (int attempt = 0; attempt < 7; ++attempt) {
    std::vector<double> flop(threads);
    std::vector<std::thread> team;
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < threads; ++i) team.emplace_back([&flop, i, work] { flop[i] = work(); });
    for (auto& one : team) one.join();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
    double sum = 0;
    for (double one : flop) sum += one;
    if (sum / seconds.count() / 1e9 > best) best = sum / seconds.count() / 1e9;
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  int n = argc > 1 ? std::atoi(argv[1]) : static_cast<int>(std::thread::hardware_concurrency());
  if (n < 1) n = 1;
  std::printf("{\"float32\": [%.1f, %.1f]", gflops(float32_flop, 1), gflops(float32_flop, n));
#ifdef __AVX512BF16__
  std::printf(", \"bfloat16\": [%.1f, %.1f]", gflops(bfloat16_flop, 1), gflops(bfloat16_flop, n));
#endif
  std::printf(", \"threads\": %d}\n", n);
}
