#pragma once
// A pipeline on an RTSP camera as users build it, with a watch on both sides of neuroninfer and at the sink.

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <gst/gst.h>

#include "tests/element/harness.h"
#include "tests/support/rtsp_server.h"

namespace posecam::test {

/// One frame's way. Times in ns of the pipeline's clock, 0 being the frame's own running time: how late it was there.
struct Passage {
  GstClockTimeDiff into = 0;   ///< at neuroninfer's sink pad
  GstClockTimeDiff out = 0;    ///< at its source pad
  GstClockTimeDiff shown = 0;  ///< when the sink was through with waiting
  GstClockTimeDiff due = 0;    ///< when it should have been: the latency that the sink was told
  GstClockTime time = 0;       ///< the frame's running time
};

class LiveStream {
 public:
  /// rtspsrc over TCP ! depay ! decodebin ! neuroninfer `infer` ! queue ! neuronjson ! fakesink sync=true.
  LiveStream(const RtspServer& camera, const std::string& infer);
  LiveStream(const LiveStream&) = delete;
  LiveStream& operator=(const LiveStream&) = delete;
  ~LiveStream();

  /// Before play().
  void give_password(const char* password);
  void play() { gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING); }
  /// Blocks until `frames` more have been shown. False: not within `seconds`.
  bool wait_frames(std::size_t frames, int seconds = 20);
  /// Blocks until frames that went in have come out. False: not within `seconds`.
  bool wait_all_out(int seconds = 5);
  /// Sends EOS and waits for it. False: not within 10 s.
  bool finish();
  /// "eos", or the text of an error; "" when neither came within `seconds`.
  std::string wait_end(int seconds);
  void stop() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

  std::size_t frames_in() const;
  std::size_t frames_out() const;
  /// Of the frames that were shown, in their order, from the `first`-th on.
  std::vector<Passage> passages(std::size_t first = 0) const;
  std::size_t shown() const;

  /// What the LATENCY query says neuroninfer adds.
  GstClockTime reported_latency() const;
  /// What the pipeline's sink waits, from the LATENCY query of the whole.
  GstClockTime pipeline_latency() const;
  unsigned queue_level() const;

 private:
  enum class Place : std::uint8_t { kInto, kOut, kShown };
  struct Watch {
    LiveStream* stream;
    Place place;
    GstPad* pad;
    gulong probe;
  };
  void watch(const char* element, const char* pad, Place place);
  void see(Place place, GstPad* pad, GstBuffer* buffer);
  static GstBusSyncReply see_message(GstBus*, GstMessage* message, gpointer self);
  static void handoff(GstElement*, GstBuffer* buffer, GstPad* pad, gpointer self);

  PipelinePtr pipeline_;
  std::vector<std::unique_ptr<Watch>> watches_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<GstClockTime, Passage> under_way_;  ///< by pts
  std::vector<Passage> shown_;
  std::size_t in_ = 0;
  std::size_t out_ = 0;
};

}  // namespace posecam::test
