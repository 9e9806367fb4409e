#pragma once
// What a stream has come to so far, in figures: neuroninfer's property "stats", read at this one place.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <gst/gst.h>

namespace posecam {

/// What a frame spends in one stage.
struct StageTimes {
  const char* stage = "";  ///< "preprocess", "queue", "infer", "post"
  double median_ms = 0;    ///< milliseconds a frame
  double p99_ms = 0;
};

/// The figures of a network that looks for people before the one that counts.
struct DetectorStats {
  std::string device;     ///< empty before the model is loaded
  unsigned cores = 0;     ///< in service
  double batch_fill = 0;  ///< frames a batch, on average
  StageTimes infer;
};

/// The figures of one stream.
struct StreamStats {
  std::uint64_t frames = 0;          ///< that came out, with any result
  std::uint64_t analysed = 0;        ///< the network saw them
  std::uint64_t skipped = 0;         ///< left out on purpose
  std::uint64_t unanalysed = 0;      ///< could not be analysed
  std::uint64_t dropped = 0;         ///< a live source sent them, and they were too many to wait; in none of the others
  std::uint64_t people_total = 0;    ///< people in all frames together
  std::uint64_t left_out = 0;        ///< people whom a detector found, and at whom the model did not look
  int people = 0;                    ///< in the last frame
  std::string device;                ///< empty before the model is loaded
  unsigned cores = 0;                ///< in service
  double batch_fill = 0;             ///< frames a batch, on average
  std::vector<std::string> notes;    ///< what happened to the cores of the device, a line each
  std::array<StageTimes, 4> stages;  ///< in the order of a frame's way
  double seconds = 0;                ///< from the first frame to the last result
  std::optional<DetectorStats> detector;
};

/// Those of a neuroninfer, and of the one before it (may be null); all but `seconds` and `dropped`. Any thread.
StreamStats read_stats(GstElement* infer, GstElement* detector);

}  // namespace posecam
