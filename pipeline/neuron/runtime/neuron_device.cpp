#include "pipeline/neuron/runtime/neuron_device.h"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "models/core/paths.h"
#include "models/store/store.h"
#include "pipeline/backend/core_list.h"
#include "pipeline/backend/noted_backend.h"
#include "pipeline/neuron/compile/compile_sim.h"
#include "pipeline/neuron/compile/sim_cache.h"
#include "pipeline/neuron/nrt/instance_family.h"
#include "pipeline/neuron/nrt/neuron_library.h"
#include "pipeline/neuron/report/neuron_report.h"
#include "pipeline/neuron/runtime/compiled_models.h"
#include "pipeline/neuron/runtime/neuron_backend.h"

namespace posecam {
namespace {

constexpr CoreId kMostCores = 1024;  // more than any instance has

/// A compiled model has the resolution that it was compiled for.
Result<void> check_resolution(const ModelWishes& wishes, const ModelSpec& original, const ModelSpec& compiled) {
  if (!wishes.resolution) return {};
  const Size size = wishes.resolution->resolve(wishes.video, original.input.multiple_of);
  if (size == compiled.input.size) return {};
  return Error{Errc::kUsage,
               fmt::format("net-resolution={}x{}: model '{}' is compiled for {}x{}; for another size run: "
                           "{} --net-resolution {}x{}",
                           wishes.resolution->width, wishes.resolution->height, compiled.name,
                           compiled.input.size.width, compiled.input.size.height,
                           compile_command(original, compiled.weights_for(kNeuron)->target), size.width, size.height)};
}

class NeuronCores final : public Device {
 public:
  NeuronCores(std::string_view name, bool simulated) : Device(name, {.neuron_cores = true, .simulated = simulated}) {}

  DeviceInfo describe() const override { return describe_neuron(name()); }
  bool is_automatic() const override { return !traits().simulated && has_neuron_device(); }

  bool can(const ModelSpec& original) const override {
    if (const BackendWeights* const compiled = original.weights_for(kNeuron)) {
      return runs_target(name(), compiled->target, product_name());
    }
    return !compiled_targets(original.name, name()).empty() || (traits().simulated && has_network_for_sim(original));
  }

  std::string why_idle(const ModelSpec& original) const override {
    if (traits().simulated) return {};
    if (!has_neuron_device()) {
      const std::string machine = product_name();
      if (family_of_product(machine).empty()) return {};
      return fmt::format(
          "this machine ({}) shows no /dev/neuron*: install its driver (aws-neuronx-dkms), or give the "
          "container its devices (--device=/dev/neuron0)",
          machine);
    }
    const auto model = find_compiled(original, name());
    if (model || can(original)) return {};
    const bool library = bool(load_neuron_library(name()));
    return model.error().message + (library ? "" : "; nor is the runtime installed (aws-neuronx-runtime-lib)");
  }

  std::string command_for(const ModelSpec& original) const override {
    if (traits().simulated && lists_network_for_sim(original)) return pull_command(original);  // open() compiles it
    return compile_command(original, traits().simulated ? "sim" : "inf1|inf2|trn1|trn2");
  }

  Result<ModelSpec> resolve(const ModelSpec& original, const ModelWishes& wishes) const override {
    if (compiles_itself(original)) return as_wished(original, wishes);
    auto model = find_compiled(original, name());
    if (!model) return model;
    if (auto fits = check_resolution(wishes, original, *model); !fits) return fits.error();
    if (auto chosen = choose_batch(*model, wishes.batch, wishes.dynamic_batch_size); !chosen) return chosen.error();
    return model;
  }

  /// How many cores there are is seen when the runtime starts.
  Result<BackendOptions> options_for(std::string_view cores) const override {
    BackendOptions options;
    if (traits().simulated) options.cache_dir = cache_dir(name());
    if (cores == "all") return options;
    auto list = parse_core_list(cores, kMostCores);
    if (!list) return list.error();
    options.cores = std::move(*list);
    return options;
  }

  Result<std::unique_ptr<InferenceBackend>> open(const ModelSpec& model, const BackendOptions& options) const override {
    if (traits().simulated && !model.weights_for(kNeuron)) {
      std::string note;
      const auto compiled = compiled_in_cache(model, options.cache_dir, note);
      if (!compiled) return compiled.error();
      auto backend = make_neuron_backend(name(), *compiled, compiled->path.parent_path(), options);
      if (!backend) return backend;
      return with_note(*std::move(backend), std::move(note));
    }
    const auto store = ModelStore::open_default();
    if (!store) return store.error();
    const auto neff = store->weights(model, kNeuron);
    if (!neff) return neff.error();
    return make_neuron_backend(name(), model, neff->parent_path(), options);
  }

 private:
  /// On the simulator open() does what `posecam compile` would, where that was not done. What was compiled by hand
  /// counts, also if it does not fit what is asked for now.
  bool compiles_itself(const ModelSpec& original) const {
    return traits().simulated && !original.weights_for(kNeuron) && lists_network_for_sim(original) &&
           compiled_targets(original.name, name()).empty();
  }
};

}  // namespace

std::shared_ptr<const Device> make_neuron_device() { return std::make_shared<NeuronCores>(kNeuron, false); }
std::shared_ptr<const Device> make_neuron_simulator() { return std::make_shared<NeuronCores>(kNeuronSim, true); }

}  // namespace posecam
