#pragma once
// The sink pad's streaming thread: frames become rows of the engine, or pass it by; events and queries take their place
// among them.

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include <gst/gst.h>
#include <gst/video/video.h>

#include "elements/base/handles.h"
#include "elements/infer/infer_parts.h"
#include "models/core/geometry.h"
#include "models/spec/frame_result.h"
#include "pipeline/engine/engine.h"
#include "pipeline/engine/person_follower.h"
#include "pipeline/engine/region_gather.h"
#include "pipeline/image/preprocess.h"

namespace posecam::gst {

/// Each group of functions says who may call it.
class SinkSide {
 public:
  explicit SinkSide(InferParts& parts);

  // Between states.
  /// The stream starts anew.
  void start();
  /// The setup has another engine.
  void use_engine();

  // The streaming thread (flush events: any thread).
  /// Blocks while enough frames are under way. GST_FLOW_ERROR: an error was posted; else what downstream said last, EOS
  /// after the end of the stream, NOT_NEGOTIATED without caps.
  GstFlowReturn push(BufferPtr buffer);
  /// False if the event was refused; a serialized one that was taken goes on in its turn.
  bool handle_event(EventPtr event);
  /// False if it was not answered. Serialized ones wait until all before them is pushed.
  bool handle_query(GstQuery* query);

 private:
  std::optional<FrameStatus> reason_to_pass(GstBuffer* buffer);
  bool too_late(GstBuffer* buffer);
  void pass_through(BufferPtr buffer, FrameStatus status);
  Result<void> analyse(BufferPtr buffer, std::stop_token stop);
  Result<void> analyse_regions(BufferPtr buffer, std::stop_token stop);
  Result<void> follow(BufferPtr buffer, std::stop_token stop);
  float write_row(const Engine::Row& row, const ImageView& image, Letterbox& letterbox);
  float write_row(const Engine::Row& row, const ImageView& frame, const Region& region, Letterbox& letterbox);

  bool start_flushing(EventPtr event);
  bool stop_flushing(EventPtr event);
  void keep_sticky(InferItem& item);
  bool heed(GstEvent* event);
  Result<void> use_caps(GstCaps* caps);
  GstFlowReturn report(const Error& error);
  Size frame_size() const { return {GST_VIDEO_INFO_WIDTH(&info_), GST_VIDEO_INFO_HEIGHT(&info_)}; }

  InferParts& parts_;
  GstVideoInfo info_{};
  GstSegment segment_{};
  std::optional<Preprocessor> preprocessor_;
  std::uint64_t arrived_ = 0;
  std::vector<Region> regions_;  ///< of the frame in hand
  RegionGathers gathers_;
  std::shared_ptr<PersonFollower> follower_;  ///< of the engine that the setup has
};

}  // namespace posecam::gst
