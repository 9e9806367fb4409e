#pragma once
// What the properties of neuroninfer say, as plain values; frozen when the element goes to READY, and again to
// PAUSED, but for those that may change while playing.

#include <cstdint>
#include <memory>
#include <string>

#include "pipeline/settings/engine_plan.h"

namespace posecam::gst {

/// The defaults are those of the properties.
struct InferSettings : EngineSettings {
  std::string model_instance_id;          ///< empty: a model of its own
  std::string inference_region = "auto";  ///< or "full-frame", "roi-list", "follow"
  std::string object_class = "person";    ///< of the regions to analyse; empty: all
  std::uint32_t inference_interval = 1;   ///< every N-th frame is analysed
  bool repeat_objects = false;            ///< in frames that are not analysed
  bool qos = true;                        ///< frames that would come too late are not analysed

  friend bool operator==(const InferSettings&, const InferSettings&) = default;
};

/// The engine that was planned for these settings: its own, or with a model-instance-id the one that all elements of
/// this process with that id (and the same network size) share as long as any of them holds it. Blocks while another
/// thread makes that one. kUsage if they disagree on settings, and those of make_engine().
Result<std::shared_ptr<Engine>> acquire_engine(const InferSettings& settings, EnginePlan plan);

}  // namespace posecam::gst
