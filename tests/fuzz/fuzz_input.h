#pragma once
// What a target reads its decisions from, and how it says that an expectation did not hold.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

namespace posecam::fuzz {

/// The entry point every target defines; libFuzzer or replay_main.cpp calls it.
// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

/// A violated expectation ends the process as a crash does, so that the fuzzer keeps the input.
inline void expect(bool holds, std::string_view what, std::string_view detail = {}) {
  if (holds) return;
  std::fprintf(stderr, "expectation violated: %s %s\n", std::string(what).c_str(), std::string(detail).c_str());
  std::abort();
}

/// Reads the input from front to back; after its end everything is 0, so any prefix of an input is an input.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  bool empty() const { return rest_.empty(); }
  std::size_t size() const { return rest_.size(); }

  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t value = rest_.front();
    rest_ = rest_.subspan(1);
    return value;
  }
  bool flag() { return (byte() & 1U) != 0; }
  /// Uniform enough over [min, max], whose extent is below 256.
  int below(int min, int max) { return min + byte() % (max - min + 1); }
  std::uint32_t word() {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 8U | byte();
    return value;
  }
  /// Any bit pattern: NaN, infinities, denormals.
  float bits() { return std::bit_cast<float>(word()); }
  /// Mostly a number people use, in [0,1]; sometimes any.
  float fraction() {
    const std::uint8_t b = byte();
    return b == 255 ? bits() : static_cast<float>(b) / 254.0F;
  }
  /// Up to `longest` bytes.
  std::string text(std::size_t longest) {
    const std::size_t wanted = byte();
    const auto taken = rest_.first(std::min({wanted, longest, rest_.size()}));
    rest_ = rest_.subspan(taken.size());
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }
  std::string_view rest() {
    const auto taken = rest_;
    rest_ = {};
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }

 private:
  std::span<const std::uint8_t> rest_;
};

/// Reproducible noise of any bit pattern (xorshift32, Marsaglia 2003).
class Noise {
 public:
  explicit Noise(std::uint32_t seed) : state_(seed | 1U) {}
  std::uint32_t next() {
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 17U;
    state_ ^= state_ << 5U;
    return state_;
  }

 private:
  std::uint32_t state_;
};

}  // namespace posecam::fuzz
