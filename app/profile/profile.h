#pragma once
// What `posecam profile` makes of spans: the table and the trace.

#include <cstdint>
#include <string>
#include <vector>

#include "models/core/stage_log.h"

namespace posecam {

/// A stage over all frames.
struct StageCost {
  Stage stage{};
  std::uint64_t spans = 0;  ///< how often it occurred
  double total_ms = 0;      ///< of all threads together
  double mean_ms = 0;       ///< a frame
  double p50_ms = 0;        ///< of a span, divided by its frames
  double p99_ms = 0;
  double share = 0;  ///< of the sum over all stages but the queue, 0 to 1
};

/// Stages that occurred, in the order of a frame's way, each with its own time. `frames`: that were analysed.
std::vector<StageCost> stage_costs(const std::vector<StageLog::Thread>& threads, std::uint64_t frames);

/// One run, in words ("fast, 9 taps") and figures.
struct ProfileColumn {
  std::string name;              ///< heads the column
  double fps = 0;                ///< frames a second of the run
  std::vector<StageCost> costs;  ///< as stage_costs() has them
};
/// Stages as rows. One column: mean, p50, p99, share; several: mean and share of each.
std::string profile_table(const std::vector<ProfileColumn>& columns);

/// Chrome's and Perfetto's trace events (JSON): a track for each thread, and one for each core. Spans of a track lie
/// one after the other or within each other, if those of the threads do.
std::string trace_json(const std::vector<StageLog::Thread>& threads);

}  // namespace posecam
