#pragma once
// An engine as people ask for it: the words and numbers that the element's properties, the command line and
// configuration files share.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "models/core/geometry.h"
#include "models/core/result.h"
#include "models/spec/model_spec.h"
#include "pipeline/backend/backend.h"
#include "pipeline/engine/engine.h"

namespace posecam {

/// Numbers below 0, sizes of 0 and empty texts: the model's own.
struct EngineSettings {
  std::string model;  ///< name from the zoo, or path of a descriptor; empty: default_model()
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

/// The model that runs when none is named: openpose if its weights for the device are in the user's store (on a Neuron
/// device, and for auto where there is one: compiled), else openpose-lite, which comes with the program.
struct DefaultModel {
  std::string name;
  std::string note;  ///< for people: that it is not the better one, and how to get that; may be empty
};
DefaultModel default_model(std::string_view device);

/// The aspect that a net resolution follows where no video is known (yet).
inline constexpr Size kUnknownVideo = {16, 9};

/// "WxH"; one of the two may be -1: to be chosen by the aspect of the video.
struct NetResolution {
  int width = -1;
  int height = -1;
  /// The size for a video: the free side follows the aspect, rounded to a multiple of `multiple_of`.
  Size resolve(Size video, int multiple_of) const;
};
/// kUsage unless the text has that form, each side at most 4096.
Result<NetResolution> parse_net_resolution(const std::string& text);

/// The device that "auto" means for this model: neuron if the machine has one and the model is compiled for it, else
/// still "auto", which make_backend() decides. Other devices are what they are.
std::string device_for(std::string_view device, const ModelSpec& model);

/// The model as the settings want it: resolution, batch size and labels applied. On a Neuron device it is the compiled
/// one. `video` counts only when the net resolution follows the video's aspect. kUsage, kModel.
Result<ModelSpec> resolve_model(const EngineSettings& settings, Size video);

struct LoadedModel {
  ModelSpec model;
  std::unique_ptr<InferenceBackend> backend;
};
/// Finds the weights and loads them on the device. kUsage, kModel, kDevice.
Result<LoadedModel> load_backend(const EngineSettings& settings, Size video);

/// The same, and starts the engine. kUsage, kModel, kDevice.
Result<std::shared_ptr<Engine>> make_engine(const EngineSettings& settings, Size video);

}  // namespace posecam
