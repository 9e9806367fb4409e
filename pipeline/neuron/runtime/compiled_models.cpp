#include "pipeline/neuron/runtime/compiled_models.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/store/store.h"
#include "pipeline/neuron/nrt/instance_family.h"
#include "pipeline/neuron/nrt/neuron_library.h"
#include "postprocess/decode/decoders.h"

namespace posecam {
namespace {

constexpr std::string_view kSim = "sim";
constexpr std::array<std::string_view, 5> kTargets{"inf1", "inf2", "sim", "trn1", "trn2"};

std::filesystem::path descriptor(const ModelStore& store, std::string_view model, std::string_view target) {
  return store.root() / model / fmt::format("neuron-{}.json", target);
}

/// What to compile for where nothing is compiled.
std::string_view usual_target(std::string_view device) {
  if (device == kNeuronSim) return kSim;
  const auto family = family_of_product(product_name());
  return family.empty() ? "inf2" : family;
}

}  // namespace

bool runs_target(std::string_view device, std::string_view target, std::string_view product) {
  if (device == kNeuronSim) return target == kSim;
  if (target == kSim) {
    const char* const library = std::getenv("POSECAM_NRT_LIBRARY");
    return library && *library;
  }
  const auto cores_of = [](std::string_view family) {
    return family == "trn1" ? "inf2" : family;
  };  // NeuronCore-v2, both
  const auto family = family_of_product(product);
  return family.empty() || cores_of(family) == cores_of(target);
}

std::vector<std::string> compiled_targets(std::string_view model, std::string_view device) {
  std::vector<std::string> targets;
  const auto store = ModelStore::open_default();
  if (!store) return targets;
  const std::string product = product_name();
  for (const std::string_view target : kTargets) {
    std::error_code error;
    // Whatever lies there: if it is no descriptor, find_compiled() says so.
    const auto status = std::filesystem::symlink_status(descriptor(*store, model, target), error);
    if (runs_target(device, target, product) && std::filesystem::exists(status)) {
      targets.emplace_back(target);
    }
  }
  return targets;
}

Result<ModelSpec> find_compiled(const ModelSpec& original, std::string_view device) {
  if (const BackendWeights* const weights = original.weights_for(kNeuron)) {
    const std::string product = product_name();
    if (runs_target(device, weights->target, product)) return original;
    const bool machine = device == kNeuron && !product.empty();
    return Error{Errc::kModel,
                 fmt::format("{}: is compiled for {}, which device {} does not run{}: run: {}", original.path.string(),
                             weights->target, device, machine ? fmt::format(" on this machine ({})", product) : "",
                             compile_command(original, usual_target(device)))};
  }
  const auto targets = compiled_targets(original.name, device);
  if (targets.empty()) {
    return Error{Errc::kModel, fmt::format("model '{}' is not compiled for device {}: run: {}", original.name, device,
                                           compile_command(original, usual_target(device)))};
  }
  std::string_view target = targets.front();
  if (targets.size() > 1) {
    target = family_of_product(product_name());
    if (std::ranges::find(targets, target) == targets.end()) {
      return Error{Errc::kModel,
                   fmt::format("model '{}' is compiled for {}, and this machine ('{}') does not say which it is: give "
                               "the descriptor's path as model (neuron-TARGET.json in the store)",
                               original.name, fmt::join(targets, ", "), product_name())};
    }
  }
  const auto store = ModelStore::open_default();
  if (!store) return store.error();
  auto compiled = ModelSpec::load(descriptor(*store, original.name, target), decoders());
  if (compiled && !compiled->weights_for(kNeuron)) {
    return Error{Errc::kModel, fmt::format("{}: lists no compiled files; run: {}", compiled->path.string(),
                                           compile_command(original, target))};
  }
  return compiled;
}

Result<void> choose_batch(ModelSpec& compiled, std::uint32_t asked, bool dynamic_batch_size) {
  const BackendWeights* const weights = compiled.weights_for(kNeuron);
  std::vector<int> sizes;
  for (const WeightFile& file : weights->files) sizes.push_back(file.batch == 0 ? compiled.input.batch : file.batch);
  std::ranges::sort(sizes);
  const int most = asked == 0 ? sizes.back() : static_cast<int>(std::min<std::uint32_t>(asked, 1U << 20U));
  const auto above = std::ranges::upper_bound(sizes, most);
  const bool exact = above != sizes.begin() && *(above - 1) == most;
  if (above == sizes.begin() || (!dynamic_batch_size && !exact)) {
    std::vector<int> wanted = sizes;  // a compilation replaces the last one
    wanted.insert(above - sizes.begin() + wanted.begin(), most);
    return Error{Errc::kUsage,
                 fmt::format("batch-size={}: model '{}' is compiled for {}: take one of these{}, or run: "
                             "{} --batch {}",
                             asked, compiled.name, fmt::join(sizes, ", "), dynamic_batch_size ? " or a larger one" : "",
                             compile_command(compiled, weights->target), fmt::join(wanted, ","))};
  }
  compiled.input.batch = *(above - 1);
  return {};
}

}  // namespace posecam
