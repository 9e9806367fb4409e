#pragma once
// What neuroninfer counts: frames by outcome, people, and the time of each stage.

#include <cstdint>
#include <mutex>

#include <gst/gst.h>

#include "models/core/own_mutex.h"
#include "models/spec/frame_result.h"
#include "pipeline/engine/engine.h"
#include "pipeline/engine/histogram.h"

namespace posecam::gst {

/// Thread-safe.
class InferStats {
 public:
  /// All counts are 0 again.
  void reset();
  /// `latency_ms`: from the frame's arrival to its result.
  void count(const FrameResult& result, float latency_ms);
  /// A frame was left out because it was late; it is counted as skipped too.
  void count_late();
  /// How long a frame takes from its arrival to its result, 99 of 100 times, in ns; a guess before the first frames.
  GstClockTime latency() const;
  /// "neuron-stats": frames, analysed, skipped, unanalysed, late, people-total, people-left-out
  /// (that were more than max-people) (uint64), people (int, in the last
  /// frame), STAGE-median-ms, STAGE-p90-ms and STAGE-p99-ms for preprocess, queue, infer, post and for all of a frame's
  /// way through the element, latency (double), and of the engine, if there is one: device (string), cores (uint, that
  /// are left), cores-lost (uint64), batches (uint64), batch-fill (double, mean rows a batch). The caller frees it.
  GstStructure* to_structure(const Engine* engine) const;

 private:
  struct Counts {
    std::uint64_t frames = 0;
    std::uint64_t analysed = 0;
    std::uint64_t skipped = 0;
    std::uint64_t unanalysed = 0;
    std::uint64_t late = 0;
    std::uint64_t left_out = 0;
    std::uint64_t people_total = 0;
    std::size_t people = 0;
    Histogram preprocess;
    Histogram queue;
    Histogram infer;
    Histogram post;
    Histogram latency;
  };
  Counts counts() const;

  mutable OwnMutex mutex_;  // never held while calling out
  Counts counts_;
};

}  // namespace posecam::gst
