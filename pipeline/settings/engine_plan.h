#pragma once
// What an engine comes to, decided once from its settings and the video: everybody who must know its model, device,
// batch or input size reads it here.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "models/core/geometry.h"
#include "models/core/result.h"
#include "models/spec/model_spec.h"
#include "pipeline/backend/device.h"
#include "pipeline/engine/engine.h"
#include "pipeline/settings/engine_settings.h"

namespace posecam {

/// The model that runs when none is named: the zoo's better one if the device (auto: one of the automatic ones) has all
/// that it needs, else the built-in one. Damaged, it is still the one: who asks for it then hears what is damaged.
struct DefaultModel {
  std::string name;  ///< of the zoo
  std::string note;  ///< for people: that it is not the better one, and how to get that; may be empty
};
/// `device`: a name, or auto.
DefaultModel default_model(std::string_view device);

/// A value: loads and holds nothing.
struct EnginePlan {
  std::string model_name;  ///< as the settings name it, or the default model's
  std::string note;        ///< of default_model(), where the settings name none
  ModelSpec model;         ///< as it will run: the compiled one where the device needs that; resolution, batch, labels
  std::shared_ptr<const Device> device;  ///< never null once planned
  bool automatic = false;                ///< the device was not named
  BackendOptions backend;                ///< for the device's open()
  EngineOptions engine;  ///< but for slots_per_core, which follows from max_in_flight and the cores there are
  std::uint32_t max_in_flight = 0;  ///< as in EngineSettings
};

/// `video`: as displayed; counts only where the net resolution follows its aspect. kUsage, kModel.
Result<EnginePlan> plan_engine(const EngineSettings& settings, Size video);

/// Finds the weights and loads them on the device. kUsage, kModel, kDevice.
Result<std::unique_ptr<InferenceBackend>> open_backend(const EnginePlan& plan);

/// The same, and starts the engine.
Result<std::shared_ptr<Engine>> make_engine(EnginePlan plan);

}  // namespace posecam
