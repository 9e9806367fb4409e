#pragma once
// What a run came to, per input: read from neuroninfer's stats, printed at the end.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <gst/gst.h>

#include "app/session/outputs.h"

namespace posecam {

struct StageTimes {
  const char* stage = "";
  double median_ms = 0;
  double p99_ms = 0;
};

/// The numbers of one stream.
struct StreamStats {
  std::uint64_t frames = 0;
  std::uint64_t analysed = 0;
  std::uint64_t skipped = 0;
  std::uint64_t unanalysed = 0;
  std::uint64_t people_total = 0;
  int people = 0;  ///< in the last frame
  std::string device;
  unsigned cores = 0;
  double batch_fill = 0;
  std::array<StageTimes, 4> stages;
  double seconds = 0;  ///< from the first frame to the last result
};

/// The property "stats" of a neuroninfer; all but `seconds`.
StreamStats read_stats(GstElement* infer);

/// A few lines, the last one without newline: frames, people, FPS, stages, what was written.
std::string format_summary(const std::string& input, const StreamStats& stats, const Outputs& outputs);

}  // namespace posecam
