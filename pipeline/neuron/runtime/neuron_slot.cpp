#include "pipeline/neuron/runtime/neuron_slot.h"

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "models/core/log.h"
#include "models/core/stage_log.h"
#include "models/core/text.h"
#include "pipeline/backend/host_memory.h"
#include "pipeline/neuron/nrt/nrt_status.h"
#include "pipeline/neuron/runtime/convert.h"

namespace posecam {
namespace {

using Clock = BatchTimes::Clock;

class NeuronSlot final : public Slot {
 public:
  NeuronSlot(std::shared_ptr<NeuronLanes> lanes, const ModelSpec& spec, bool short_batches);
  ~NeuronSlot() override;
  NeuronSlot(const NeuronSlot&) = delete;
  NeuronSlot& operator=(const NeuronSlot&) = delete;

  MutableTensorView input() override { return input_; }
  TensorView output(std::size_t index) const override { return outputs_[index]; }
  Result<void> run(std::uint32_t frames) override;
  bool reached_device() const override { return reached_; }
  std::string take_remark() override { return std::exchange(remark_, {}); }

 private:
  Error failure(const char* call, NRT_STATUS status);
  Result<void> run_sizes(std::uint32_t frames);
  Result<void> run_rows(std::size_t index, std::uint32_t first, std::uint32_t count);
  NRT_STATUS write_rows(std::size_t index, std::uint32_t first, std::uint32_t count);
  NRT_STATUS read_rows(std::size_t index, std::uint32_t first, std::uint32_t count);

  std::shared_ptr<NeuronLanes> lanes_;
  NeuronCopy& copy_;  // the lanes'
  const bool short_batches_;
  const std::uint32_t batch_;
  BatchPlanner planner_;
  std::vector<double> ms_;
  HostMemory input_memory_;
  MutableTensorView input_;
  std::vector<HostMemory> output_memory_;
  std::vector<MutableTensorView> outputs_;
  HostMemory staging_;  // rows as the network wants or gives them, where that differs
  std::string remark_;
  bool reached_ = true;
};

std::vector<std::uint32_t> sizes_of(const NeuronCopy& copy) {
  std::vector<std::uint32_t> sizes;
  for (const auto& model : copy.models()) sizes.push_back(model->rows());
  return sizes;
}

/// What the largest conversion of any size needs; each size has types of its own.
std::size_t staging_bytes(const NeuronCopy& copy, const ModelSpec& spec) {
  std::size_t bytes = 0;
  for (const auto& model : copy.models()) {
    const NeuronTensor& input = model->input();
    if (input.dtype != spec.input.dtype) bytes = std::max(bytes, input.bytes);
    for (const NeuronTensor& tensor : model->outputs()) {
      if (tensor.output && tensor.dtype != DType::kF32) bytes = std::max(bytes, tensor.bytes);
    }
  }
  return bytes;
}

NeuronSlot::NeuronSlot(std::shared_ptr<NeuronLanes> lanes, const ModelSpec& spec, bool short_batches)
    : lanes_(std::move(lanes)),
      copy_(lanes_->copy()),
      short_batches_(short_batches),
      batch_(static_cast<std::uint32_t>(spec.input.batch)),
      planner_(sizes_of(copy_), batch_),
      ms_(copy_.models().size(), 0) {
  input_ = {nullptr, spec.input.dtype, spec.input.shape()};
  input_memory_ = HostMemory(input_.bytes());
  input_.data = input_memory_.data();
  if (const std::size_t staging = staging_bytes(copy_, spec); staging > 0) staging_ = HostMemory(staging);

  outputs_.resize(spec.outputs.size());
  output_memory_.resize(spec.outputs.size());
  for (const NeuronTensor& tensor : copy_.models().back()->outputs()) {
    if (!tensor.output) continue;
    MutableTensorView& view = outputs_[*tensor.output];
    view = {nullptr, DType::kF32, tensor.shape};
    output_memory_[*tensor.output] = HostMemory(view.bytes());
    view.data = output_memory_[*tensor.output].data();
  }
}

/// Where the runtime hangs, its handles are left to it.
NeuronSlot::~NeuronSlot() {
  try {
    const auto runtime = copy_.runtime().shared_from_this();  // outlives the use of it
    const auto use = runtime->use();
    if (!use) runtime->leave(lanes_);
    lanes_.reset();
  } catch (const std::exception&) {  // no memory to leave them: they go as they are
    lanes_.reset();
  }
}

/// Every size must give the same rows.
Result<void> check_sizes(const NeuronCopy& copy, const ModelSpec& spec) {
  const NeuronModel& largest = *copy.models().back();
  for (const auto& model : copy.models()) {
    for (const NeuronTensor& tensor : model->outputs()) {
      if (!tensor.output) continue;
      const auto same = std::ranges::find(largest.outputs(), tensor.output, &NeuronTensor::output);
      if (tensor.row_elements() == same->row_elements() && tensor.shape.rank() == same->shape.rank()) continue;
      return Error{Errc::kModel,
                   fmt::format("model {}: output '{}' is {} compiled for batch {}, but {} for batch {}: compile again",
                               spec.name, tensor.name, to_string(tensor.shape), model->rows(), to_string(same->shape),
                               largest.rows())};
    }
  }
  return {};
}

// --- runs ---------------------------------------------------------------------------------------------------------

/// Of a call that a run makes. A core that is lost so is marked as such.
Error NeuronSlot::failure(const char* call, NRT_STATUS status) {
  Error error = nrt_run_error(fmt::format("{}: {}", copy_.where(), call), status);
  if (error.code == Errc::kCoreLost) copy_.lost();
  return error;
}

Result<void> NeuronSlot::run(std::uint32_t frames) {
  if (frames > batch_ || (!short_batches_ && frames != batch_)) {
    return Error{Errc::kBadInput,
                 fmt::format("{}: {}, but the network is compiled for {} and dynamic-batch-size is off", copy_.where(),
                             counted(frames, "frame", "frames"), batch_)};
  }
  const auto use = copy_.runtime().use();
  if (!use) return Error{Errc::kDevice, copy_.where() + ": the Neuron runtime hangs; restart the program"};
  reached_ = bool(copy_.state());
  if (!reached_) return Error{Errc::kCoreLost, copy_.state().error().message};
  return run_sizes(frames);
}

Result<void> NeuronSlot::run_sizes(std::uint32_t frames) {
  copy_.times().read(ms_);
  std::uint32_t row = 0;
  const auto run_next = [&](std::size_t index) {
    const std::uint32_t count = std::min(frames - row, planner_.sizes()[index]);
    auto ran = run_rows(index, row, count);
    if (!ran && ran.error().code != Errc::kBusy) copy_.board().failed();
    row += count;
    return ran;
  };
  if (const auto size = copy_.times().look_again(planner_.sizes(), frames)) {
    if (auto ran = run_next(*size); !ran || row == frames) return ran;
  }
  for (const std::uint32_t index : planner_.plan(frames - row, ms_)) {
    if (auto ran = run_next(index); !ran) return ran;
  }
  return {};
}

Result<void> NeuronSlot::run_rows(std::size_t index, std::uint32_t first, std::uint32_t count) {
  StageLaps laps(count, static_cast<std::int32_t>(copy_.core()));
  if (const NRT_STATUS status = write_rows(index, first, count); status != NRT_SUCCESS) {
    return failure("nrt_tensor_write", status);
  }
  laps.lap(Stage::kToDevice);
  Clock::time_point asked;
  const NRT_STATUS status = lanes_->execute(index, asked);
  laps.lap(Stage::kExecute);
  if (!nrt_succeeded(status)) return failure("nrt_execute", status);
  copy_.board().executed(count, copy_.times().add(index, asked, Clock::now()));
  if (status != NRT_SUCCESS && copy_.tell_of_nan()) {
    remark_ = failure("nrt_execute", status).message + "; the results are used all the same";
  }
  if (const NRT_STATUS read = read_rows(index, first, count); read != NRT_SUCCESS) {
    return failure("nrt_tensor_read", read);
  }
  laps.lap(Stage::kFromDevice);
  return {};
}

NRT_STATUS NeuronSlot::write_rows(std::size_t index, std::uint32_t first, std::uint32_t count) {
  const NeuronTensor& tensor = copy_.models()[index]->input();
  const std::byte* rows = input_.row(first).data;
  if (tensor.dtype != input_.dtype) {
    convert(rows, input_.dtype, staging_.data(), tensor.dtype, count * tensor.row_elements());
    rows = staging_.data();
  }
  return lanes_->write(index, rows, count);
}

NRT_STATUS NeuronSlot::read_rows(std::size_t index, std::uint32_t first, std::uint32_t count) {
  const auto& tensors = copy_.models()[index]->outputs();
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const NeuronTensor& tensor = tensors[i];
    if (!tensor.output) continue;
    std::byte* const to = outputs_[*tensor.output].row(first).data;
    const bool direct = tensor.dtype == DType::kF32;
    const NRT_STATUS status = lanes_->read(index, i, direct ? to : staging_.data(), count);
    if (status != NRT_SUCCESS) return status;
    if (!direct) convert(staging_.data(), tensor.dtype, to, DType::kF32, count * tensor.row_elements());
  }
  return NRT_SUCCESS;
}

}  // namespace

Result<std::unique_ptr<Slot>> make_neuron_slot(std::shared_ptr<NeuronLanes> lanes, const ModelSpec& spec,
                                               bool short_batches) {
  if (auto same = check_sizes(lanes->copy(), spec); !same) return same.error();
  return std::unique_ptr<Slot>(std::make_unique<NeuronSlot>(std::move(lanes), spec, short_batches));
}

}  // namespace posecam
