#include "pipeline/settings/engine_plan.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "models/core/log.h"
#include "models/core/text.h"
#include "models/spec/labels.h"
#include "models/spec/zoo.h"
#include "models/store/store.h"
#include "pipeline/backend/noted_backend.h"
#include "pipeline/devices/devices.h"
#include "postprocess/decode/decoders.h"

namespace posecam {
namespace {

Result<Precision> parse_precision(const std::string& word) {
  if (word == "auto") return Precision::kAuto;
  if (word == "f32") return Precision::kF32;
  if (word == "bf16") return Precision::kBf16;
  return Error{Errc::kUsage, fmt::format("precision={}: must be auto, f32 or bf16", word)};
}

Result<Scheduling> parse_scheduling(const std::string& word) {
  if (word == "throughput") return Scheduling::kThroughput;
  if (word == "latency") return Scheduling::kLatency;
  return Error{Errc::kUsage, fmt::format("scheduling-policy={}: must be throughput or latency", word)};
}

Result<DecodeOptions::Mode> parse_decode(const std::string& word) {
  if (word == "fast") return DecodeOptions::Mode::kFast;
  if (word == "reference") return DecodeOptions::Mode::kReference;
  return Error{Errc::kUsage, fmt::format("decode={}: must be fast or reference", word)};
}

Result<void> take_labels(const std::string& file, ModelSpec& model) {
  auto labels = read_labels(file);
  if (!labels) return Error{Errc::kUsage, "labels-file=" + labels.error().message};
  if (labels->size() != model.labels.size()) {
    return Error{Errc::kUsage, fmt::format("labels-file={}: {}, but model {} has {}", file,
                                           counted(labels->size(), "label", "labels"), model.name,
                                           counted(model.labels.size(), "class", "classes"))};
  }
  model.labels = std::move(*labels);
  return {};
}

Result<ModelSpec> plan_model(const EngineSettings& s, const ModelSpec& original, const Device& device, Size video) {
  ModelWishes wishes{.video = video, .batch = s.batch_size, .dynamic_batch_size = s.dynamic_batch_size};
  if (!s.net_resolution.empty()) {
    auto resolution = parse_net_resolution(s.net_resolution);
    if (!resolution) return resolution.error();
    wishes.resolution = *resolution;
  }
  auto model = device.resolve(original, wishes);
  if (!model || s.labels_file.empty()) return model;
  if (auto taken = take_labels(s.labels_file, *model); !taken) return taken.error();
  return model;
}

Result<BackendOptions> plan_backend(const EngineSettings& s, const Device& device) {
  auto options = device.options_for(s.cores);
  if (!options) return options;
  const auto precision = parse_precision(s.precision);
  if (!precision) return precision.error();
  const auto scheduling = parse_scheduling(s.scheduling_policy);
  if (!scheduling) return scheduling.error();
  options->precision = *precision;
  options->scheduling = *scheduling;
  options->dynamic_batch_size = s.dynamic_batch_size;
  options->core_patience = std::chrono::seconds(s.core_patience_s);
  return options;
}

/// A non-negative number stands over the model's own value.
template <class T, class V>
std::optional<T> if_set(V value) {
  return value < 0 ? std::optional<T>{} : std::optional<T>{static_cast<T>(value)};
}

Result<EngineOptions> plan_options(const EngineSettings& s, const Device& device) {
  const auto mode = parse_decode(s.decode);
  if (!mode) return mode.error();
  EngineOptions engine;
  engine.max_batch_delay = std::chrono::milliseconds(s.max_batch_delay_ms);
  if (device.traits().neuron_cores && !s.dynamic_batch_size) engine.max_batch_delay = kUntilFull;
  engine.core_retry = std::chrono::seconds(s.core_retry_s);
  engine.require_all_cores = s.require_all_cores;
  engine.decode.mode = *mode;
  engine.decode.smoothing_taps = static_cast<int>(s.taps);
  engine.decode.threshold = if_set<float>(s.threshold);
  engine.decode.paf_threshold = if_set<float>(s.paf_threshold);
  engine.decode.nms_threshold = if_set<float>(s.nms_threshold);
  if (s.max_people == 0) return Error{Errc::kUsage, "max-people=0: give 1 or more, or -1 for the model's own"};
  engine.decode.max_people = if_set<int>(s.max_people);
  return engine;
}

/// What decoders are told of `classes`. Nothing if it is empty.
Result<std::vector<std::uint8_t>> plan_labels(const EngineSettings& s, const ModelSpec& model) {
  if (s.classes.empty()) return std::vector<std::uint8_t>{};
  if (model.task == Task::kPose) {
    return Error{Errc::kUsage,
                 fmt::format("classes={}: model {} finds people only; leave it out, or choose a model that "
                             "finds objects (posecam models list)",
                             short_line(s.classes), model.name)};
  }
  auto picked = pick_labels(model.labels, s.classes);
  if (!picked) return Error{Errc::kUsage, fmt::format("classes={}: {}", short_line(s.classes), picked.error().message)};
  return picked;
}

}  // namespace

DefaultModel default_model(std::string_view device) {
  const auto better = find_model(kBetterModel);
  if (!better && find_descriptor(kBetterModel))
    return {std::string(kBetterModel), {}};  // damaged: whoever loads it says so
  if (!better) return {std::string(kBuiltInModel), built_in_model_note("posecam models list")};
  const auto named = find_device(device);
  const bool can = named ? (*named)->can(*better) : device == kAutoDevice && best_device(*better);
  if (can) return {std::string(kBetterModel), {}};
  return {std::string(kBuiltInModel),
          built_in_model_note(named ? (*named)->command_for(*better) : pull_command(*better))};
}

Result<EnginePlan> plan_engine(const EngineSettings& s, Size video) {
  EnginePlan plan;
  plan.model_name = s.model;
  if (s.model.empty()) {
    DefaultModel standard = default_model(s.device);
    plan.model_name = std::move(standard.name);
    plan.note = std::move(standard.note);
  }
  const auto original = find_model(plan.model_name);
  if (!original) return original.error();
  auto device = choose_device(s.device, *original);
  if (!device) return device.error();
  auto model = plan_model(s, *original, **device, video);
  if (!model) return model.error();
  auto backend = plan_backend(s, **device);
  if (!backend) return backend.error();
  auto engine = plan_options(s, **device);
  if (!engine) return engine.error();
  auto labels = plan_labels(s, *model);
  if (!labels) return labels.error();
  engine->decode.labels = std::move(*labels);
  plan.model = std::move(*model);
  plan.device = std::move(*device);
  plan.automatic = s.device == kAutoDevice;
  plan.backend = std::move(*backend);
  plan.engine = std::move(*engine);
  plan.max_in_flight = s.max_in_flight;
  return plan;
}

Result<std::unique_ptr<InferenceBackend>> open_backend(const EnginePlan& plan) {
  std::string note;
  if (plan.automatic) {
    const std::string better = passed_over(*plan.device, plan.model);
    if (better.empty()) {
      logger().info("device {}: {}", kAutoDevice, plan.device->name());
    } else {
      note = fmt::format("device {}: {}, not {}", kAutoDevice, plan.device->name(), better);
      logger().warn("{}", note);
    }
  }
  auto backend = plan.device->open(plan.model, plan.backend);
  if (!backend) return backend;
  return with_note(*std::move(backend), std::move(note));
}

Result<std::shared_ptr<Engine>> make_engine(EnginePlan plan) {
  auto backend = open_backend(plan);
  if (!backend) return backend.error();
  EngineOptions options = plan.engine;
  if (plan.max_in_flight > 0) {
    const std::size_t rows = (*backend)->cores().size() * static_cast<std::size_t>(plan.model.input.batch);
    options.slots_per_core =
        static_cast<std::uint32_t>(std::max<std::size_t>(1, plan.max_in_flight / std::max<std::size_t>(1, rows)));
  }
  return Engine::create(std::move(*backend), std::make_shared<const ModelSpec>(std::move(plan.model)), options);
}

}  // namespace posecam
