#pragma once
// What the properties of neuroninfer say, as plain values; frozen when the element goes to READY.

#include <cstdint>
#include <memory>
#include <string>

#include "models/result.h"
#include "pipeline/engine.h"

namespace posecam::gst {

struct InferSettings {
  std::string model;
  std::string model_instance_id;
  std::string device = "auto";
  std::string cores = "all";
  std::string net_resolution;
  std::string precision = "auto";
  std::string scheduling_policy = "throughput";
  std::string decode = "fast";
  std::uint32_t batch_size = 0;
  std::uint32_t max_batch_delay_ms = 5;
  std::uint32_t max_in_flight = 0;
  std::uint32_t inference_interval = 1;
  std::uint32_t taps = 0;
  std::int32_t max_people = -1;
  float threshold = -1;
  float paf_threshold = -1;
  float nms_threshold = -1;
};

/// "WxH"; one of the two may be -1: to be chosen by the aspect of the video.
struct NetResolution {
  int width = -1;
  int height = -1;
  bool from_aspect() const { return width < 0 || height < 0; }
  /// The size for a video: the free side follows the aspect, rounded to a multiple of `multiple_of`.
  Size resolve(Size video, int multiple_of) const;
};
/// kUsage unless the text has that form.
Result<NetResolution> parse_net_resolution(const std::string& text);

/// The model as the settings want it: resolution and batch size applied. `video` counts only when the net resolution
/// follows the video's aspect.
Result<ModelSpec> resolve_model(const InferSettings& settings, Size video);

/// The engine for these settings: its own, or with a model-instance-id the one that all elements of this process with
/// that id (and the same network size) share as long as any of them holds it. kUsage if they disagree on settings.
Result<std::shared_ptr<Engine>> acquire_engine(const InferSettings& settings, Size video);

}  // namespace posecam::gst
