#pragma once
// What networks run on. Which devices there are: pipeline/devices/devices.h.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "models/core/geometry.h"
#include "models/core/result.h"
#include "models/spec/model_spec.h"
#include "pipeline/backend/backend.h"
#include "pipeline/backend/backend_options.h"
#include "pipeline/backend/net_resolution.h"

namespace posecam {

/// What is asked of a model besides its name.
struct ModelWishes {
  std::optional<NetResolution> resolution{};  ///< none: the model's own
  Size video = kUnknownVideo;                 ///< whose aspect a free side of the resolution follows
  std::uint32_t batch = 0;                    ///< 0: the model's own; the largest one of a compiled model
  bool dynamic_batch_size = true;             ///< as in BackendOptions
};

/// The model at that resolution and batch, as devices run it that take any. kUsage.
Result<ModelSpec> as_wished(const ModelSpec& original, const ModelWishes& wishes);

/// What is true of a device on every machine.
struct DeviceTraits {
  /// NeuronCores, real or simulated: they run networks compiled for batches of fixed sizes, and CoreBoard has their
  /// work.
  bool neuron_cores = false;
  bool simulated = false;  ///< its times are those of a simulator
};

/// What a device says of itself on this machine.
struct DeviceInfo {
  std::string name;         ///< as `device` takes it
  std::string description;  ///< what it is; or why it is not available
  bool available = false;   ///< can be used now; if not, `description` says why
  CoreId cores = 0;         ///< how many there are; 0 where that is not known
};

/// Immutable, for any thread.
class Device {
 public:
  Device(std::string_view name, DeviceTraits traits) : name_(name), traits_(traits) {}
  virtual ~Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  /// As users name it.
  const std::string& name() const { return name_; }
  /// The same on every machine, unlike describe().
  const DeviceTraits& traits() const { return traits_; }

  /// May load the device's library; takes no core.
  virtual DeviceInfo describe() const = 0;
  /// Whether "auto" may mean this one here. Loads nothing.
  virtual bool is_automatic() const = 0;
  /// Whether what it needs of a model is on this machine: weights by their sizes, or a compiled network. What is there
  /// but damaged counts: open() is to say so, where another device or model in its place would hide it.
  virtual bool can(const ModelSpec& original) const = 0;
  /// Why auto passes it over although the machine has its hardware: one line; empty where there is no such story. May
  /// load the device's library.
  virtual std::string why_idle(const ModelSpec& /*original*/) const { return {}; }
  /// What a user types to get what can() misses.
  virtual std::string command_for(const ModelSpec& original) const = 0;
  /// The model as it runs here, in place of the one that was named: for NeuronCores the compiled one. kUsage, kModel.
  virtual Result<ModelSpec> resolve(const ModelSpec& original, const ModelWishes& wishes) const = 0;
  /// Options with the cores of a list as in core_list.h, and else what is usual for the device. kUsage.
  virtual Result<BackendOptions> options_for(std::string_view cores) const = 0;
  /// Finds and checks the weights, and makes what loads them. Blocks. `model`: from resolve(). kUsage, kModel, kDevice.
  virtual Result<std::unique_ptr<InferenceBackend>> open(const ModelSpec& model,
                                                         const BackendOptions& options) const = 0;

 private:
  const std::string name_;
  const DeviceTraits traits_;
};

}  // namespace posecam
