#pragma once
// An engine as people ask for it: the words and numbers that the element's properties, the command line and
// configuration files share.

#include <cstdint>
#include <string>

namespace posecam {

/// Numbers below 0, sizes of 0 and empty texts: the model's own.
struct EngineSettings {
  std::string model;            ///< name from the zoo, or path of a descriptor; empty: default_model() of engine_plan.h
  std::string device = "auto";  ///< a name of devices.h
  std::string cores = "all";    ///< as core_list.h reads it
  std::string net_resolution;   ///< "WxH" in pixels, -1 for one of them: follows the video
  std::string precision = "auto";                ///< a word of kPrecisionWords in engine_options.h
  std::string scheduling_policy = "throughput";  ///< of kSchedulingWords
  std::string decode = "fast";                   ///< of kDecodeWords
  std::string labels_file;  ///< names of a detector's classes, one a line, in place of the model's own
  std::string classes;      ///< the only labels that a detector or classifier tells, separated by commas; empty: all
  std::uint32_t batch_size = 0;          ///< frames
  std::uint32_t max_batch_delay_ms = 5;  ///< how long a frame may wait for others while its core is idle
  std::uint32_t max_in_flight = 0;  ///< frames; 0: two batches a core. Rounded to whole batches, at least one a core
  /// neuron: false: whole batches of a compiled size only, shorter ones come back unanalysed.
  bool dynamic_batch_size = true;
  std::uint32_t core_retry_s = 0;       ///< after how many seconds a lost core is set up again; 0: never
  std::uint32_t core_patience_s = 3;    ///< neuron: how long to wait for cores that another process still holds
  bool require_all_cores = false;       ///< do not start without each of them
  std::uint32_t teardown_limit_s = 15;  ///< how long the device may take to be closed; then it is left behind
  std::uint32_t taps = 0;               ///< of the Gaussian that smooths heatmaps
  std::int32_t max_people = -1;         ///< in a frame
  float threshold = -1;                 ///< least confidence of a keypoint, object or class, 0 to 1
  float paf_threshold = -1;             ///< least agreement of a limb with its field, 0 to 1
  float nms_threshold = -1;             ///< most IoU of two boxes of a class, 0 to 1

  friend bool operator==(const EngineSettings&, const EngineSettings&) = default;
};

}  // namespace posecam
