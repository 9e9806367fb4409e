#include "app/profile/profile.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace posecam {
namespace {

using Clock = StageSpan::Clock;

double ms(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

double quantile(const std::vector<double>& sorted, double q) {
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<std::size_t>(std::lround(q * last))];
}

const StageCost* find(const ProfileColumn& column, Stage stage) {
  const auto found = std::ranges::find(column.costs, stage, &StageCost::stage);
  return found == column.costs.end() ? nullptr : &*found;
}

}  // namespace

std::vector<StageCost> stage_costs(const std::vector<StageLog::Thread>& threads, std::uint64_t frames) {
  std::array<std::vector<double>, kStages> times;
  std::array<double, kStages> totals{};
  for (const StageLog::Thread& thread : threads) {
    for (const StageSpan& span : thread.spans) {
      const auto stage = static_cast<std::size_t>(span.stage);
      const double time = ms(span.own());
      totals[stage] += time;
      times[stage].push_back(time / std::max(1U, span.frames));
    }
  }
  // Frames wait beside each other, and while others are worked on: the queue is no part of the work.
  double work = 0;
  for (std::size_t i = 0; i < kStages; ++i) work += static_cast<Stage>(i) == Stage::kQueue ? 0 : totals[i];
  std::vector<StageCost> costs;
  for (std::size_t i = 0; i < kStages; ++i) {
    if (times[i].empty()) continue;
    std::ranges::sort(times[i]);
    const auto stage = static_cast<Stage>(i);
    costs.push_back({stage, times[i].size(), totals[i],
                     totals[i] / static_cast<double>(std::max<std::uint64_t>(1, frames)), quantile(times[i], 0.5),
                     quantile(times[i], 0.99), stage == Stage::kQueue || work <= 0 ? 0 : totals[i] / work});
  }
  return costs;
}

std::string profile_table(const std::vector<ProfileColumn>& columns) {
  std::set<Stage> stages;
  for (const ProfileColumn& column : columns) {
    for (const StageCost& cost : column.costs) stages.insert(cost.stage);
  }
  std::string text;
  if (columns.size() == 1) {
    text = fmt::format("{:<12} {:>10} {:>10} {:>10} {:>8}\n", "stage", "mean ms", "p50 ms", "p99 ms", "share");
    for (const StageCost& c : columns[0].costs) {
      const std::string share = c.stage == Stage::kQueue ? "-" : fmt::format("{:.1f} %", 100 * c.share);
      text += fmt::format("{:<12} {:>10.3f} {:>10.3f} {:>10.3f} {:>8}\n", to_string(c.stage), c.mean_ms, c.p50_ms,
                          c.p99_ms, share);
    }
    return text + fmt::format("{:.1f} FPS\n", columns[0].fps);
  }
  text = fmt::format("{:<12}", "mean ms");
  for (const ProfileColumn& column : columns) text += fmt::format(" {:>23}", column.name);
  text += '\n';
  for (const Stage stage : stages) {
    text += fmt::format("{:<12}", to_string(stage));
    for (const ProfileColumn& column : columns) {
      const StageCost* const cost = find(column, stage);
      if (!cost) {
        text += fmt::format(" {:>23}", "-");
      } else if (stage == Stage::kQueue) {
        text += fmt::format(" {:>14.3f} {:>8}", cost->mean_ms, "-");
      } else {
        text += fmt::format(" {:>14.3f} {:>6.1f} %", cost->mean_ms, 100 * cost->share);
      }
    }
    text += '\n';
  }
  text += fmt::format("{:<12}", "FPS");
  for (const ProfileColumn& column : columns) text += fmt::format(" {:>14.1f} {:>8}", column.fps, "");
  return text + "\n";
}

std::string trace_json(const std::vector<StageLog::Thread>& threads) {
  constexpr int kThreads = 1;
  constexpr int kCores = 2;
  Clock::time_point zero = Clock::time_point::max();
  std::map<std::int32_t, std::vector<StageSpan>> cores;
  for (const StageLog::Thread& thread : threads) {
    for (const StageSpan& span : thread.spans) {
      zero = std::min(zero, span.begin);
      if (span.core >= 0) cores[span.core].push_back(span);
    }
  }
  using Json = nlohmann::ordered_json;
  std::string text = "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [";
  auto add = [&text, first = true](const Json& event) mutable {
    text += (std::exchange(first, false) ? "\n" : ",\n") + event.dump();
  };
  const auto name = [&](const char* what, int process, int thread, const std::string& is) {
    add({{"ph", "M"}, {"name", what}, {"pid", process}, {"tid", thread}, {"args", {{"name", is}}}});
  };
  const auto complete = [&](int process, int thread, const StageSpan& span) {
    add({{"ph", "X"},
         {"name", to_string(span.stage)},
         {"pid", process},
         {"tid", thread},
         {"ts", 1000 * ms(span.begin - zero)},
         {"dur", 1000 * ms(span.end - span.begin)},
         {"args", {{"frames", span.frames}}}});
  };
  name("process_name", kThreads, 0, "threads");
  name("process_name", kCores, 0, "cores");
  for (std::size_t i = 0; i < threads.size(); ++i) {
    const int id = static_cast<int>(i) + 1;
    name("thread_name", kThreads, id, threads[i].name);
    for (const StageSpan& span : threads[i].spans) {
      if (span.stage == Stage::kQueue) continue;  // nobody works on it
      complete(kThreads, id, span);
    }
  }
  for (auto& [core, spans] : cores) {
    name("thread_name", kCores, core, fmt::format("core {}", core));
    std::ranges::sort(spans, {}, &StageSpan::end);
    Clock::time_point free = zero;
    for (StageSpan span : spans) {
      span.begin = std::max(span.begin, free);  // a core does one after the other: before that, this one waited for it
      free = span.end;
      complete(kCores, core, span);
    }
  }
  return text + "\n]}\n";
}

}  // namespace posecam
