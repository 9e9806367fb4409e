#pragma once
// An engine as people ask for it: the words and numbers that the element's properties, the command line and
// configuration files share.

#include <cstdint>
#include <string>

namespace posecam {

/// Numbers below 0, sizes of 0 and empty texts: the model's own.
struct EngineSettings {
  std::string model;  ///< name from the zoo, or path of a descriptor; empty: default_model() of engine_plan.h
  std::string device = "auto";
  std::string cores = "all";
  std::string net_resolution;
  std::string precision = "auto";
  std::string scheduling_policy = "throughput";
  std::string decode = "fast";
  std::string labels_file;  ///< names of a detector's classes, one a line, in place of the model's own
  std::uint32_t batch_size = 0;
  std::uint32_t max_batch_delay_ms = 5;
  std::uint32_t max_in_flight = 0;  ///< frames; 0: two batches a core. Rounded to whole batches, at least one a core
  /// neuron: false: whole batches of a compiled size only, shorter ones come back unanalysed.
  bool dynamic_batch_size = true;
  std::uint32_t core_retry_s = 0;  ///< after how many seconds a lost core is set up again; 0: never
  std::uint32_t taps = 0;
  std::int32_t max_people = -1;
  float threshold = -1;
  float paf_threshold = -1;
  float nms_threshold = -1;

  friend bool operator==(const EngineSettings&, const EngineSettings&) = default;
};

}  // namespace posecam
