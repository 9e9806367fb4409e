#include "elements/infer/infer_settings.h"

#include <map>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "pipeline/settings/engine_options.h"

namespace posecam::gst {
namespace {

/// Everything that shapes an engine, to compare two elements that want to share one.
std::string fingerprint(const EngineSettings& settings) {
  std::string text;
  for (const auto& option : kEngineOptions)
    text += fmt::format("{}{}", text.empty() ? "" : " ", to_text(option, settings));
  return text;
}

struct Shared {
  std::weak_ptr<Engine> engine;
  std::string settings;
};
std::mutex g_shared_mutex;  // held while an engine is made: the second element must wait for the first
std::map<std::string, Shared>& shared_engines() {
  static std::map<std::string, Shared> engines;
  return engines;
}

}  // namespace

Result<std::shared_ptr<Engine>> acquire_engine(const InferSettings& settings, EnginePlan plan) {
  if (settings.model_instance_id.empty()) return make_engine(std::move(plan));
  const Size size = plan.model.input.size;  // it may follow the video: so it is part of the name
  std::lock_guard lock(g_shared_mutex);
  std::erase_if(shared_engines(), [](const auto& entry) { return entry.second.engine.expired(); });
  Shared& shared = shared_engines()[fmt::format("{}@{}x{}", settings.model_instance_id, size.width, size.height)];
  const std::string wanted = fingerprint(settings);
  if (auto engine = shared.engine.lock()) {
    if (shared.settings == wanted) return engine;
    return Error{Errc::kUsage,
                 fmt::format("model-instance-id={} is in use with other settings ({}), not these ({}): give "
                             "both elements the same settings or another id",
                             settings.model_instance_id, shared.settings, wanted)};
  }
  auto engine = make_engine(std::move(plan));
  if (engine) shared = {*engine, wanted};
  return engine;
}

}  // namespace posecam::gst
