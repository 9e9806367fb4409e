#include "pipeline/neuron/sim/log.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <ctime>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace posecam::sim {
namespace {

std::atomic<Level> current = Level::kError;

std::string_view name_of(Level level) {
  switch (level) {
    case Level::kWarn: return "WARN";
    case Level::kInfo: return "INFO";
    case Level::kDebug: return "DEBUG";
    default: return "ERROR";
  }
}

}  // namespace

Level parse_level(std::string_view text) {
  constexpr std::pair<std::string_view, Level> kLevels[] = {{"QUIET", Level::kQuiet},  {"WARN", Level::kWarn},
                                                            {"WARNING", Level::kWarn}, {"INFO", Level::kInfo},
                                                            {"DEBUG", Level::kDebug},  {"TRACE", Level::kDebug}};
  std::string upper(text);
  std::ranges::transform(upper, upper.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  const auto* found = std::ranges::find(kLevels, upper, &std::pair<std::string_view, Level>::first);
  return found == std::end(kLevels) ? Level::kError : found->second;
}

void set_level(Level level) { current = level; }
bool enabled(Level level) { return level <= current.load(); }

void write_line(Level level, std::string_view function, std::string_view message) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  std::tm parts{};
  ::gmtime_r(&now.tv_sec, &parts);
  char date[32] = {};
  std::strftime(date, sizeof date, "%Y-%b-%d %H:%M:%S", &parts);
  // One write, so that lines of several threads and processes do not mix.
  const std::string line = fmt::format("{}.{:06d} {:5}:{:<5} {:5}  NRT:{:<40} {}\n", date, now.tv_nsec / 1000,
                                       ::getpid(), ::syscall(SYS_gettid), name_of(level), function, message);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace posecam::sim
