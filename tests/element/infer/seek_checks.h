#pragma once
// Looks at all that reaches a sink and says what a seek must not let through: frames of before it, frames out of order,
// frames outside the segment, a result of another frame.

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gst/gst.h>

#include "models/spec/frame_result.h"

namespace posecam::test {

struct Seek {
  double rate = 1;
  GstSeekFlags flags = GST_SEEK_FLAG_FLUSH;
  GstClockTime start = 0;
  GstClockTime stop = GST_CLOCK_TIME_NONE;

  bool accurate() const { return (flags & GST_SEEK_FLAG_ACCURATE) != 0; }
  std::string describe() const;
};

/// What was found at each time of the clip (stream time).
using Results = std::map<GstClockTime, std::shared_ptr<const FrameResult>>;

/// Watches one pad, from its streaming thread and those that flush it; asked by the test's thread.
class SeekChecks {
 public:
  /// `expected`: results of the clip played through; empty: they are collected in results().
  SeekChecks(GstPad* pad, GstClockTime frame_duration, Results expected = {});
  SeekChecks(const SeekChecks&) = delete;
  SeekChecks& operator=(const SeekChecks&) = delete;
  ~SeekChecks();

  /// Before a seek is sent: what its seqnum stands for.
  void expect(std::uint32_t seqnum, const Seek& seek);
  /// Blocks until `frames` have come since the flush of seek `seqnum`, or the stream's end. False: not within 30 s.
  bool wait(std::uint32_t seqnum, int frames);

  const Results& results() const { return results_; }
  std::uint64_t frames() const;
  /// One line each; empty: nothing was wrong.
  std::vector<std::string> faults() const;

 private:
  static GstPadProbeReturn probe(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  void see_event(GstEvent* event);
  void see_buffer(GstBuffer* buffer);
  void check_first(GstClockTime time);
  void check_result(GstClockTime time, const FrameResult& result);
  void fault(const std::string& what);

  GstPad* pad_;
  gulong probe_;
  const GstClockTime frame_duration_;
  const Results expected_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint32_t, Seek> seeks_;
  std::uint32_t flushed_by_ = 0;  ///< seqnum of the last flush
  bool has_segment_ = false;      ///< since that flush
  GstSegment segment_{};
  int since_segment_ = 0;
  int since_flush_ = 0;
  GstClockTime last_ = GST_CLOCK_TIME_NONE;
  bool eos_ = false;
  std::uint64_t frames_ = 0;
  Results results_;
  std::vector<std::string> faults_;
};

}  // namespace posecam::test
