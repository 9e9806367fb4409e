#include "pipeline/settings/engine_settings.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "models/core/log.h"
#include "models/spec/labels.h"
#include "models/spec/zoo.h"
#include "models/store/store.h"
#include "pipeline/devices/backends.h"
#include "pipeline/neuron/nrt/neuron_library.h"
#include "pipeline/neuron/runtime/compiled_models.h"

namespace posecam {
namespace {

/// A non-negative number stands over the model's own value.
template <class T, class V>
std::optional<T> if_set(V value) {
  return value < 0 ? std::optional<T>{} : std::optional<T>{static_cast<T>(value)};
}

constexpr const char* kBetter = "openpose";
constexpr const char* kBuiltIn = "openpose-lite";

DefaultModel default_compiled(std::string_view device) {
  const auto better = find_model(kBetter);
  if (!better || !compiled_targets(kBetter, device).empty()) return {kBetter, {}};
  const std::string_view target = device == kNeuronSim ? "sim" : "inf1|inf2|trn1|trn2";
  return {kBuiltIn,
          fmt::format("no model named: running {}, which comes with the program; for the more accurate {} run: "
                      "{}",
                      kBuiltIn, kBetter, compile_command(*better, target))};
}

/// The compiled model. Its resolution is what it was compiled for.
Result<ModelSpec> resolve_compiled(const EngineSettings& s, std::string_view device, const ModelSpec& original,
                                   Size video) {
  auto spec = find_compiled(original, device);
  if (!spec) return spec;
  if (!s.net_resolution.empty()) {
    const auto wanted = parse_net_resolution(s.net_resolution);
    if (!wanted) return wanted.error();
    const Size size = wanted->resolve(video, original.input.multiple_of);
    if (size != spec->input.size) {
      return Error{Errc::kUsage,
                   fmt::format("net-resolution={}: model '{}' is compiled for {}x{}; for another size run: "
                               "{} --net-resolution {}x{}",
                               s.net_resolution, spec->name, spec->input.size.width, spec->input.size.height,
                               compile_command(original, spec->weights_for(kNeuron)->target), size.width, size.height)};
    }
  }
  if (auto chosen = choose_batch(*spec, s.batch_size, s.dynamic_batch_size); !chosen) return chosen.error();
  return spec;
}

Result<ModelSpec> resolve_plain(const EngineSettings& s, Result<ModelSpec> spec, Size video) {
  if (!s.net_resolution.empty()) {
    const auto wanted = parse_net_resolution(s.net_resolution);
    if (!wanted) return wanted.error();
    spec = spec->at_resolution(wanted->resolve(video, spec->input.multiple_of));
  }
  if (spec && s.batch_size > 0) spec->input.batch = static_cast<int>(s.batch_size);
  return spec;
}

}  // namespace

DefaultModel default_model(std::string_view device) {
  if (is_neuron(device)) return default_compiled(device);
  const auto spec = find_model(kBetter);
  if (spec && device_for(device, *spec) == kNeuron) return {kBetter, {}};
  const auto store = ModelStore::open_default();
  for (const BackendWeights& weights : spec&& store ? spec->weights : std::vector<BackendWeights>{}) {
    if ((device == "auto" || device == weights.backend) && store->has(*spec, weights.backend)) return {kBetter, {}};
  }
  return {kBuiltIn,
          fmt::format("no model named: running {}, which comes with the program; for the more accurate {} run: {}",
                      kBuiltIn, kBetter, spec ? pull_command(*spec) : "posecam models list")};
}

Result<NetResolution> parse_net_resolution(const std::string& text) {
  NetResolution r;
  const char* end = text.data() + text.size();
  const auto w = std::from_chars(text.data(), end, r.width);
  const bool cross = w.ec == std::errc{} && w.ptr != end && *w.ptr == 'x';
  const auto h =
      cross ? std::from_chars(w.ptr + 1, end, r.height) : std::from_chars_result{end, std::errc::invalid_argument};
  const auto valid = [](int side) { return side == -1 || (side > 0 && side <= 4096); };
  if (h.ec != std::errc{} || h.ptr != end || !valid(r.width) || !valid(r.height) || (r.width < 0 && r.height < 0)) {
    return Error{Errc::kUsage,
                 fmt::format("net-resolution={}: must be WIDTHxHEIGHT in pixels, one of them -1 to follow "
                             "the video's aspect, e.g. 456x256 or -1x256",
                             text)};
  }
  return r;
}

Size NetResolution::resolve(Size video, int multiple_of) const {
  const int step = std::max(1, multiple_of);
  const auto follow = [step](int fixed, int of, int to) {
    const double exact = static_cast<double>(fixed) * to / of;
    return std::clamp(static_cast<int>(std::lround(exact / step)), 1, 4096 / step) * step;
  };
  if (width < 0) return {follow(height, video.height, video.width), height};
  if (height < 0) return {width, follow(width, video.width, video.height)};
  return {width, height};
}

std::string device_for(std::string_view device, const ModelSpec& model) {
  const bool can = device == "auto" && has_neuron_device() &&
                   (model.weights_for(kNeuron) || !compiled_targets(model.name, kNeuron).empty());
  return std::string(can ? kNeuron : device);
}

Result<ModelSpec> resolve_model(const EngineSettings& s, Size video) {
  const auto found = find_model(s.model.empty() ? default_model(s.device).name : s.model);
  if (!found) return found.error();
  const std::string device = device_for(s.device, *found);
  auto spec = is_neuron(device) ? resolve_compiled(s, device, *found, video) : resolve_plain(s, found, video);
  if (!spec || s.labels_file.empty()) return spec;
  auto labels = read_labels(s.labels_file);
  if (!labels) return Error{Errc::kUsage, "labels-file=" + labels.error().message};
  if (labels->size() != spec->labels.size()) {
    return Error{Errc::kUsage, fmt::format("labels-file={}: {} labels, but model {} has {} classes", s.labels_file,
                                           labels->size(), spec->name, spec->labels.size())};
  }
  spec->labels = std::move(*labels);
  return spec;
}

Result<LoadedModel> load_backend(const EngineSettings& s, Size video) {
  auto spec = resolve_model(s, video);
  if (!spec) return spec.error();
  const std::string device = device_for(s.device, *spec);
  if (device != s.device) logger().info("device {}: {}", s.device, device);
  auto options = BackendOptions::parse(s.cores, s.precision, s.scheduling_policy, device);
  if (!options) return options.error();
  options->dynamic_batch_size = s.dynamic_batch_size;
  auto backend = make_backend(device, *spec, *options);
  if (!backend) return backend.error();
  return LoadedModel{std::move(*spec), std::move(*backend)};
}

Result<std::shared_ptr<Engine>> make_engine(const EngineSettings& s, Size video) {
  auto loaded = load_backend(s, video);
  if (!loaded) return loaded.error();
  auto& [model, backend] = *loaded;
  EngineOptions engine;
  engine.max_batch_delay = std::chrono::milliseconds(s.max_batch_delay_ms);
  if (is_neuron(backend->name()) && !s.dynamic_batch_size) engine.max_batch_delay = kUntilFull;
  engine.core_retry = std::chrono::seconds(s.core_retry_s);
  if (s.max_in_flight > 0) {
    const std::size_t rows = backend->cores().size() * static_cast<std::size_t>(model.input.batch);
    engine.slots_per_core =
        static_cast<std::uint32_t>(std::max<std::size_t>(1, s.max_in_flight / std::max<std::size_t>(1, rows)));
  }
  if (s.decode != "fast" && s.decode != "reference") {
    return Error{Errc::kUsage, fmt::format("decode={}: must be fast or reference", s.decode)};
  }
  engine.decode.mode = s.decode == "fast" ? DecodeOptions::Mode::kFast : DecodeOptions::Mode::kReference;
  engine.decode.smoothing_taps = static_cast<int>(s.taps);
  engine.decode.threshold = if_set<float>(s.threshold);
  engine.decode.paf_threshold = if_set<float>(s.paf_threshold);
  engine.decode.nms_threshold = if_set<float>(s.nms_threshold);
  engine.decode.max_people = if_set<int>(s.max_people);
  return Engine::create(std::move(backend), std::make_shared<const ModelSpec>(std::move(model)), engine);
}

}  // namespace posecam
