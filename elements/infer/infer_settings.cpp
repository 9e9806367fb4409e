#include "elements/infer/infer_settings.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>
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

/// What elements with one id have in common. It lives as long as any of them holds its engine, or waits for it.
struct Shared {
  std::mutex mutex;  // held while the engine is made: the next element of this id waits, those of others do not
  std::shared_ptr<Engine> engine;
  std::string settings;
};

std::shared_ptr<Shared> find_shared(const std::string& id) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<Shared>> all;
  std::lock_guard lock(mutex);
  std::erase_if(all, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<Shared>& known = all[id];
  auto shared = known.lock();
  if (!shared) known = shared = std::make_shared<Shared>();
  return shared;
}

}  // namespace

Result<std::shared_ptr<Engine>> acquire_engine(const InferSettings& settings, EnginePlan plan) {
  if (settings.model_instance_id.empty()) return make_engine(std::move(plan));
  const Size size = plan.model.input.size;  // it may follow the video: so it is part of the name
  const auto shared = find_shared(fmt::format("{}@{}x{}", settings.model_instance_id, size.width, size.height));
  const std::string wanted = fingerprint(settings);
  std::lock_guard lock(shared->mutex);
  if (!shared->engine) {
    auto engine = make_engine(std::move(plan));
    if (!engine) return engine;
    shared->engine = std::move(*engine);
    shared->settings = wanted;
  } else if (shared->settings != wanted) {
    return Error{Errc::kUsage,
                 fmt::format("model-instance-id={} is in use with other settings ({}), not these ({}): give "
                             "both elements the same settings or another id",
                             settings.model_instance_id, shared->settings, wanted)};
  }
  return std::shared_ptr<Engine>(shared, shared->engine.get());
}

}  // namespace posecam::gst
