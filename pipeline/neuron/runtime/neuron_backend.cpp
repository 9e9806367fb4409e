#include "pipeline/neuron/runtime/neuron_backend.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/core/log.h"
#include "models/core/text.h"
#include "pipeline/neuron/nrt/neuron_library.h"
#include "pipeline/neuron/report/core_groups.h"
#include "pipeline/neuron/runtime/neuron_slot.h"

namespace posecam {
namespace {

/// The files for the batches up to the spec's, ascending.
Result<std::vector<CompiledBatch>> open_batches(const ModelSpec& spec, const std::filesystem::path& folder) {
  const BackendWeights* const weights = spec.weights_for("neuron");
  if (!weights) return Error{Errc::kModel, fmt::format("model '{}' is not compiled for Neuron", spec.name)};
  std::vector<CompiledBatch> batches;
  std::vector<int> sizes;
  for (const WeightFile& file : weights->files) {
    const int rows = file.batch == 0 ? spec.input.batch : file.batch;
    sizes.push_back(rows);
    if (rows > spec.input.batch) continue;
    auto neff = NeffFile::open(folder / file.name);
    if (!neff) return neff.error();
    batches.push_back({static_cast<std::uint32_t>(rows), std::move(*neff)});
  }
  std::ranges::sort(batches, {}, &CompiledBatch::rows);
  if (batches.empty() || batches.back().rows != static_cast<std::uint32_t>(spec.input.batch)) {
    std::ranges::sort(sizes);
    return Error{Errc::kModel, fmt::format("model '{}' is not compiled for batch {}, only for {}", spec.name,
                                           spec.input.batch, fmt::join(sizes, ", "))};
  }
  return batches;
}

/// How many physical cores make one of those that the files were compiled for; 0: the target has no choice.
Result<std::uint32_t> logical_core_size(const std::vector<CompiledBatch>& batches, std::string_view target) {
  if (target != "trn2") return 0U;
  const std::uint32_t size = batches.front().file->header().lnc_size;
  for (const CompiledBatch& batch : batches) {
    if (batch.file->header().lnc_size == size) continue;
    return Error{Errc::kModel, fmt::format("{}: compiled with -lnc {}, but {} with {}: compile all batches alike",
                                           batch.file->path().string(), batch.file->header().lnc_size,
                                           batches.front().file->path().filename().string(), size)};
  }
  return size;
}

class NeuronBackend final : public InferenceBackend {
 public:
  NeuronBackend(std::string_view device, ModelSpec spec, bool dynamic, std::vector<CompiledBatch> batches)
      : device_(device), spec_(std::move(spec)), dynamic_(dynamic), batches_(std::move(batches)) {}

  /// Finds the cores. Part of construction.
  Result<void> place(std::shared_ptr<NeuronRuntime> runtime, const BackendOptions& options);

  std::string_view name() const override { return device_; }
  std::vector<CoreId> cores() const override { return firsts_; }
  std::string note() const override { return runtime_->take_remark(); }
  Result<std::unique_ptr<Slot>> make_slot(const ModelSpec& spec, CoreId core) override;
  Result<void> restore(CoreId core) override;

 private:
  struct Home {
    std::mutex mutex;  // held while the networks are loaded: other slots of this core wait, those of others do not
    std::weak_ptr<NeuronCopy> copy;
    std::atomic<std::uint64_t> failed_in = 0;  // the generation of the runtime in which it did not work
  };
  Result<Home*> home_of(CoreId core);
  Result<std::unique_ptr<Slot>> make_slot_in(Home& home, CoreId core);

  const std::string device_;
  const ModelSpec spec_;
  const bool dynamic_;
  const std::vector<CompiledBatch> batches_;
  std::shared_ptr<NeuronRuntime> runtime_;
  std::shared_ptr<const std::vector<CoreId>> group_;  // ours for as long as we live
  std::vector<CoreId> firsts_;
  std::unique_ptr<Home[]> homes_;  // NOLINT(modernize-avoid-c-arrays): neither copies nor moves
};

Result<void> NeuronBackend::place(std::shared_ptr<NeuronRuntime> runtime, const BackendOptions& options) {
  runtime_ = std::move(runtime);
  std::vector<CoreId> cores = options.cores;
  if (cores.empty()) {
    group_ = runtime_->lease_group();
    cores = group_ ? *group_ : runtime_->cores();
  }
  const BackendWeights* const weights = spec_.weights_for("neuron");
  const std::string target = weights ? weights->target : "";
  std::uint32_t need = 1;
  for (const CompiledBatch& batch : batches_) need = std::max(need, cores_of(batch.file->header(), target));
  for (const auto& run : neighbours(cores, need)) firsts_.push_back(run.front());
  if (firsts_.empty()) {
    return Error{Errc::kUsage, fmt::format("model '{}' needs {} neighbouring NeuronCores, but may only use {}",
                                           spec_.name, need, fmt::join(cores, ", "))};
  }
  homes_ = std::make_unique<Home[]>(firsts_.size());  // NOLINT(modernize-avoid-c-arrays)
  if (need > 1 || group_) {
    logger().info("model {}: {} on {} each, from cores {}", spec_.name, counted(firsts_.size(), "copy", "copies"),
                  counted(need, "NeuronCore", "NeuronCores"), fmt::join(firsts_, ", "));
  }
  return {};
}

Result<NeuronBackend::Home*> NeuronBackend::home_of(CoreId core) {
  const auto at = std::ranges::find(firsts_, core);
  if (at != firsts_.end()) return &homes_[static_cast<std::size_t>(at - firsts_.begin())];
  return Error{Errc::kUsage, fmt::format("device {}: core {} is none of {}", device_, core, fmt::join(firsts_, ", "))};
}

Result<std::unique_ptr<Slot>> NeuronBackend::make_slot(const ModelSpec& spec, CoreId core) {
  if (auto same = check_same_tensors(spec_, spec); !same) return same.error();
  auto home = home_of(core);
  if (!home) return home.error();
  const auto use = runtime_->use();
  if (!use) return Error{Errc::kDevice, fmt::format("device {}: the Neuron runtime hangs", device_)};
  std::lock_guard lock((*home)->mutex);
  auto slot = make_slot_in(**home, core);
  if (!slot) (*home)->failed_in = runtime_->generation();
  return slot;
}

Result<std::unique_ptr<Slot>> NeuronBackend::make_slot_in(Home& home, CoreId core) {
  auto copy = home.copy.lock();
  if (!copy) {
    auto loaded = NeuronCopy::load(runtime_, batches_, spec_, core, CoreBoard::take(device_, spec_.name, core));
    if (!loaded) return loaded.error();
    home.copy = copy = std::move(*loaded);
  }
  if (const auto& state = copy->state(); !state) return state.error();
  auto lanes = std::make_shared<NeuronLanes>(copy);
  if (auto taken = lanes->take(); !taken) return taken.error();
  copy->add(lanes);
  return make_neuron_slot(std::move(lanes), spec_, dynamic_);
}

/// AWS: a lost execution unit is terminal until the runtime is initialised anew; unloading and loading does not help.
Result<void> NeuronBackend::restore(CoreId core) {
  const auto home = home_of(core);
  if (!home) return home.error();
  std::shared_ptr<NeuronCopy> copy;
  std::uint64_t seen = 0;
  {
    std::lock_guard lock((*home)->mutex);
    copy = (*home)->copy.lock();
    seen = (*home)->failed_in;
    if (copy) seen = std::max(seen, copy->lost_in());
  }
  auto reset = runtime_->reset(seen);
  const auto use = runtime_->use();  // the copy may be gone with us
  if (reset && copy) reset = copy->state();
  if (!reset) (*home)->failed_in = runtime_->generation();
  if (!use) runtime_->leave(copy);
  copy.reset();
  return reset;
}

}  // namespace

Result<std::unique_ptr<InferenceBackend>> make_neuron_backend(std::string_view device, const ModelSpec& spec,
                                                              const std::filesystem::path& folder,
                                                              const BackendOptions& options) {
  auto batches = open_batches(spec, folder);
  if (!batches) return batches.error();
  auto library = load_neuron_library(device);
  if (!library) return library.error();
  RuntimeOptions start;
  start.device = device;
  start.cores = options.cores;
  start.patience = options.core_patience;
  const auto logical = logical_core_size(*batches, spec.weights_for("neuron")->target);
  if (!logical) return logical.error();
  start.logical_core_size = *logical;
  auto runtime = NeuronRuntime::open(std::move(*library), start);
  if (!runtime) return runtime.error();
  if (!options.dynamic_batch_size) batches->erase(batches->begin(), batches->end() - 1);
  auto backend = std::make_unique<NeuronBackend>(device, spec, options.dynamic_batch_size, std::move(*batches));
  if (auto placed = backend->place(std::move(*runtime), options); !placed) return placed.error();
  return std::unique_ptr<InferenceBackend>(std::move(backend));
}

}  // namespace posecam
