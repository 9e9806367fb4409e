#pragma once
// Monotonic time in nanoseconds, and sleeping to a point of it without burning CPU.

#include <cerrno>
#include <cstdint>
#include <ctime>

namespace posecam::sim {

using Nanos = std::int64_t;  ///< a duration, or a point of CLOCK_MONOTONIC

inline constexpr double kNanosPerSecond = 1e9;
inline constexpr double kNanosPerMs = 1e6;

/// Since some point in the past, the same for all processes.
inline Nanos monotonic_now() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * Nanos{1'000'000'000} + t.tv_nsec;
}

/// An absolute deadline: being woken late once does not make the next one late.
inline void sleep_until(Nanos deadline) {
  timespec t{};
  t.tv_sec = deadline / 1'000'000'000;
  t.tv_nsec = deadline % 1'000'000'000;
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr) == EINTR) {
  }
}

}  // namespace posecam::sim
