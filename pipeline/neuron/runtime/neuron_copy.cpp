#include "pipeline/neuron/runtime/neuron_copy.h"

#include <utility>

#include <fmt/format.h>

#include "pipeline/neuron/runtime/neuron_lanes.h"

namespace posecam {

NeuronCopy::NeuronCopy(std::shared_ptr<NeuronRuntime> runtime, std::vector<CompiledBatch> batches, ModelSpec spec,
                       CoreId core, CoreBoard::Entry board)
    : runtime_(std::move(runtime)),
      batches_(std::move(batches)),
      spec_(std::move(spec)),
      core_(core),
      board_(std::move(board)),
      where_(fmt::format("core {} of device {}", core, runtime_->device())),
      times_(batches_.size()) {}

Result<std::shared_ptr<NeuronCopy>> NeuronCopy::load(std::shared_ptr<NeuronRuntime> runtime,
                                                     const std::vector<CompiledBatch>& batches, const ModelSpec& spec,
                                                     CoreId core, CoreBoard::Entry board) {
  const std::shared_ptr<NeuronCopy> copy(new NeuronCopy(std::move(runtime), batches, spec, core, std::move(board)));
  if (auto loaded = copy->load_models(); !loaded) return loaded.error();
  copy->runtime_->add(copy);
  return copy;
}

Result<void> NeuronCopy::load_models() {
  for (const CompiledBatch& batch : batches_) {
    auto model = NeuronModel::load(runtime_, batch, spec_, core_);
    if (!model) return model.error();
    models_.push_back(std::move(*model));
  }
  return {};
}

void NeuronCopy::let_go() {
  std::erase_if(lanes_, [](const auto& lanes) { return lanes.expired(); });
  for (const auto& weak : lanes_) {
    if (const auto lanes = weak.lock()) lanes->let_go();
  }
  models_.clear();
  state_ = Error{Errc::kDevice, where_ + ": not set up again"};
}

Result<void> NeuronCopy::take_all_back() {
  if (auto loaded = load_models(); !loaded) return loaded;
  for (const auto& weak : lanes_) {
    const auto lanes = weak.lock();
    if (!lanes) continue;
    if (auto made = lanes->take(); !made) return made;
  }
  return {};
}

void NeuronCopy::take_back() {
  auto taken = take_all_back();
  if (!taken) let_go();
  state_ = std::move(taken);
}

}  // namespace posecam
