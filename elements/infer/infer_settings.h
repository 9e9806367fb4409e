#pragma once
// What the properties of neuroninfer say, as plain values; frozen when the element goes to READY, and again to
// PAUSED, but for those that may change while playing.

#include <cstdint>
#include <memory>
#include <string>

#include "pipeline/settings/engine_settings.h"

namespace posecam::gst {

struct InferSettings : EngineSettings {
  std::string model_instance_id;
  std::string inference_region = "full-frame";  ///< or "roi-list"
  std::string object_class = "person";          ///< of the regions to analyse; empty: all
  std::uint32_t inference_interval = 1;
  bool qos = true;

  friend bool operator==(const InferSettings&, const InferSettings&) = default;
};

/// The engine for these settings: its own, or with a model-instance-id the one that all elements of this process with
/// that id (and the same network size) share as long as any of them holds it. kUsage if they disagree on settings.
Result<std::shared_ptr<Engine>> acquire_engine(const InferSettings& settings, Size video);

}  // namespace posecam::gst
