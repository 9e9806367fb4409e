// Cores that are lost, and how they come back.

#include <chrono>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "models/core/log.h"
#include "models/core/text.h"
#include "pipeline/engine/engine_impl.h"

namespace posecam {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::minutes kPatience{3};  // of frames, while no core is left

}  // namespace

/// For whoever asks the engine, and in the log.
void Engine::Impl::note(EngineNote::Kind kind, CoreId core, std::uint32_t left, std::string_view what) {
  std::string text(what);
  if (kind == EngineNote::Kind::kCoreLost) {
    text += left > 0 ? fmt::format("; {} {} on", counted(left, "core", "cores"), left == 1 ? "goes" : "go")
            : scheduler.restores_cores() ? "; no core is left: frames wait until one is back"
                                         : "; no core is left";
    logger().error("{}", text);
  } else {
    logger().warn("{}", text);
  }
  notes.add({kind, core, left, std::move(text)});
}

/// Restores lost cores when they are due, one after the other.
void Engine::Impl::restore_cores(std::stop_token stop) {
  Clock::time_point none_since{};
  while (const auto core = scheduler.wait_for_lost_core(stop)) {
    if (scheduler.living_cores() == 0 && none_since == Clock::time_point{}) none_since = Clock::now();
    const auto restored = restore(*core);
    scheduler.restored(*core, static_cast<bool>(restored));
    if (restored) {
      none_since = {};
      std::lock_guard lock(lost_mutex);
      note(EngineNote::Kind::kCoreBack, *core, scheduler.living_cores(),
           fmt::format("core {} of device {} is back", *core, backend->name()));
      continue;
    }
    logger().warn("core {} of device {} is still lost: {}", *core, backend->name(), restored.error().message);
    if (scheduler.living_cores() > 0) {
      none_since = {};
      continue;
    }
    if (Clock::now() - none_since < kPatience) continue;
    scheduler.fail(fmt::format("device {}: no core is back after {} minutes, the last error was: {}", backend->name(),
                               kPatience.count(), restored.error().message));
  }
}

/// A core that never worked gets its slots now.
Result<void> Engine::Impl::restore(CoreId core) {
  try {
    if (auto restored = backend->restore(core); !restored) return restored;
  } catch (const std::exception& e) {
    return Error{Errc::kDevice, e.what()};
  }
  for (std::uint32_t i = 0; i < scheduler.batch_count(); ++i) {
    Batch& batch = scheduler.batch(i);
    if (batch.core->id != core || batch.slot) continue;
    auto slot = make_slot(core);
    if (!slot) return slot.error();
    batch.slot = std::move(*slot);  // of a lost core: nobody else looks at it
  }
  return {};
}

}  // namespace posecam
