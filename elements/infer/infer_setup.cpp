#include "elements/infer/infer_setup.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "pipeline/engine/let_go.h"

namespace posecam::gst {

InferSettings InferSetup::settings() const {
  std::lock_guard lock(mutex_);
  return settings_;
}

void InferSetup::change(const std::function<void(InferSettings&)>& change) {
  std::lock_guard lock(mutex_);
  change(settings_);
}

std::uint32_t InferSetup::max_batch_delay_ms() const {
  std::lock_guard lock(mutex_);
  return settings_.max_batch_delay_ms;
}

InferSetup::PerFrame InferSetup::per_frame() const {
  std::lock_guard lock(mutex_);
  return {settings_.inference_interval, settings_.qos};
}

std::shared_ptr<Engine> InferSetup::engine() const {
  std::lock_guard lock(mutex_);
  return engine_;
}

Result<void> InferSetup::open() {
  const InferSettings wanted = settings();
  active_ = wanted;
  auto plan = plan_engine(active_, kUnknownVideo);
  if (!plan) return plan.error();
  active_.model = plan->model_name;
  if (!plan->note.empty()) GST_ELEMENT_INFO(self_, RESOURCE, SETTINGS, ("%s", plan->note.c_str()), (nullptr));
  auto adopted = adopt(std::move(*plan));
  if (adopted) opened_ = wanted;
  return adopted;
}

Result<void> InferSetup::prepare() {
  if (engine_ && settings() == opened_) return {};
  set_engine(nullptr);  // the device may not have room for both
  return open();
}

/// The old engine, which joins its threads when it goes, goes outside the lock.
void InferSetup::set_engine(std::shared_ptr<Engine> engine) {
  std::chrono::seconds limit{0};
  {
    std::lock_guard lock(mutex_);
    engine_.swap(engine);
    limit = std::chrono::seconds(settings_.teardown_limit_s);
  }
  if (const auto gone = let_go(std::move(engine), limit); !gone) {
    GST_ELEMENT_WARNING(self_, LIBRARY, SHUTDOWN, ("%s", gone.error().message.c_str()), (nullptr));
  }
}

Result<std::optional<EnginePlan>> InferSetup::plan_for(Size video) const {
  if (active_.net_resolution.empty()) return std::optional<EnginePlan>();
  auto plan = plan_engine(active_, video);
  if (!plan) return plan.error();
  if (plan->model.input.size == engine_->model().input.size) return std::optional<EnginePlan>();
  return std::optional(std::move(*plan));
}

Result<void> InferSetup::adopt(EnginePlan plan) {
  if (active_.inference_region == "auto") active_.inference_region = plan.model.crop_factor ? "follow" : "full-frame";
  if (active_.inference_region == "roi-list" && plan.model.task == Task::kClassification) {
    return Error{Errc::kUsage,
                 fmt::format("inference-region={}: model {} says what a whole picture shows; use full-frame",
                             active_.inference_region, plan.model.name)};
  }
  if (active_.inference_region == "follow" && !plan.model.crop_factor) {
    return Error{Errc::kUsage,
                 fmt::format("inference-region=follow: model {} does not look at one person (it has no `crop` "
                             "in its descriptor); use full-frame",
                             plan.model.name)};
  }
  // That is of frames then; of several people in a region the one is chosen whom it is about.
  if (active_.inference_region == "roi-list") plan.engine.decode.max_people = std::nullopt;
  auto engine = acquire_engine(active_, std::move(plan));
  if (!engine) return engine.error();
  set_engine(std::move(*engine));
  return {};
}

}  // namespace posecam::gst
