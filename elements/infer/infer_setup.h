#pragma once
// What the element is to run, and the engine that does: from properties to a loaded network.

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include <gst/gst.h>

#include "elements/infer/infer_settings.h"
#include "models/core/own_mutex.h"
#include "pipeline/engine/engine.h"

namespace posecam::gst {

/// Each group of functions says who may call it.
class InferSetup {
 public:
  explicit InferSetup(GstElement* self) : self_(self) {}

  // Any thread.
  InferSettings settings() const;
  /// `change` runs under the lock: it sets fields, no more.
  void change(const std::function<void(InferSettings&)>& change);
  /// As set, whether or not the engine has it yet.
  std::uint32_t max_batch_delay_ms() const;
  /// What holds from the next frame on, whatever the element's state.
  struct PerFrame {
    std::uint32_t interval;  ///< every N-th frame is analysed
    bool qos;                ///< late frames are left out
  };
  PerFrame per_frame() const;
  /// Null before open().
  std::shared_ptr<Engine> engine() const;

  // Between states.
  /// Finds the model, checks its weights, loads it.
  Result<void> open();
  /// Loads anew if the settings are not those of open() any more.
  Result<void> prepare();
  /// Lets go of the engine, which ends unless others share it.
  void close() { set_engine(nullptr); }

  // The streaming thread, which alone may change the engine while frames flow.
  /// The settings that the engine has.
  const InferSettings& active() const { return active_; }
  /// Only between open() and close().
  Engine& current() const { return *engine_; }
  /// What the engine has taken shall come out without waiting for more; nothing before open().
  void drain() const {
    if (engine_) engine_->drain();
  }
  /// The plan for video that is displayed in this size, if that takes another engine.
  Result<std::optional<EnginePlan>> plan_for(Size video) const;
  /// Has the engine that was planned.
  Result<void> adopt(EnginePlan plan);

 private:
  void set_engine(std::shared_ptr<Engine> engine);

  GstElement* const self_;
  mutable OwnMutex mutex_;  // never held while calling out
  InferSettings settings_;
  std::shared_ptr<Engine> engine_;
  InferSettings active_;  // streaming thread and states only
  InferSettings opened_;  ///< as set when active_ was made from them
};

}  // namespace posecam::gst
