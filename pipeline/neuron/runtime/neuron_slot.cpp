#include "pipeline/neuron/runtime/neuron_slot.h"

#include <algorithm>
#include <thread>
#include <utility>

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
constexpr int kMostBusyTries = 8;            // of one call: 1 + 2 + ... + 128 ms
constexpr std::uint64_t kLastWithInf1 = 22;  // runtime 2.22 is the last one that knows Inf1

/// Device memory of one compiled size. Sets go first, then tensors: the order of the members.
struct Lane {
  const NeuronModel* model = nullptr;
  NrtTensor input;
  std::vector<NrtTensor> outputs;
  NrtTensorSet inputs_set;
  NrtTensorSet outputs_set;
  std::uint32_t written = 0;  ///< rows of the input that are not zero
};

class NeuronSlot final : public Slot {
 public:
  NeuronSlot(std::shared_ptr<NeuronCopy> copy, const ModelSpec& spec, bool short_batches);

  /// Tensors, sets and the first runs. Part of construction.
  Result<void> prepare(const ModelSpec& spec);

  MutableTensorView input() override { return input_; }
  TensorView output(std::size_t index) const override { return outputs_[index]; }
  Result<void> run(std::uint32_t frames) override;

 private:
  const NrtFunctions& nrt() const { return copy_->runtime->nrt(); }
  Error failure(const char* call, NRT_STATUS status) const {
    return nrt_error(fmt::format("{}: {}", copy_->where, call), status);
  }

  Result<NrtTensor> allocate(const NeuronTensor& tensor) const;
  Result<NrtTensorSet> make_set() const;
  Result<void> add(const NrtTensorSet& set, const NeuronTensor& tensor, const NrtTensor& memory) const;
  Result<Lane> make_lane(const NeuronModel& model) const;
  Result<void> warm_up(std::size_t index);

  Result<void> run_rows(std::size_t index, std::uint32_t first, std::uint32_t count);
  NRT_STATUS execute(const Lane& lane, Clock::time_point& asked) const;
  NRT_STATUS write_rows(Lane& lane, std::uint32_t first, std::uint32_t count);
  NRT_STATUS clear_rows(Lane& lane, std::uint32_t from);
  NRT_STATUS read_rows(const Lane& lane, std::uint32_t first, std::uint32_t count);

  const std::shared_ptr<NeuronCopy> copy_;  // outlives the lanes, whose models it has
  const bool short_batches_;
  const std::uint32_t batch_;
  BatchPlanner planner_;
  std::vector<double> ms_;
  HostMemory input_memory_;
  MutableTensorView input_;
  std::vector<HostMemory> output_memory_;
  std::vector<MutableTensorView> outputs_;
  HostMemory staging_;  // rows as the network wants or gives them, where that differs
  HostMemory zeros_;    // a row
  std::vector<Lane> lanes_;
};

std::vector<std::uint32_t> sizes_of(const NeuronCopy& copy) {
  std::vector<std::uint32_t> sizes;
  for (const auto& model : copy.models) sizes.push_back(model->rows());
  return sizes;
}

NeuronSlot::NeuronSlot(std::shared_ptr<NeuronCopy> copy, const ModelSpec& spec, bool short_batches)
    : copy_(std::move(copy)),
      short_batches_(short_batches),
      batch_(static_cast<std::uint32_t>(spec.input.batch)),
      planner_(sizes_of(*copy_), batch_),
      ms_(copy_->models.size(), 0) {
  input_ = {nullptr, spec.input.dtype, spec.input.shape()};
  input_memory_ = HostMemory(input_.bytes());
  input_.data = input_memory_.data();

  std::size_t staging = 0;
  std::size_t row = 0;
  for (const auto& model : copy_->models) {  // each size has types of its own
    const NeuronTensor& input = model->input();
    row = std::max(row, input.row_bytes());
    if (input.dtype != spec.input.dtype) staging = std::max(staging, input.bytes);
    for (const NeuronTensor& tensor : model->outputs()) {
      if (tensor.output && tensor.dtype != DType::kF32) staging = std::max(staging, tensor.bytes);
    }
  }
  if (staging > 0) staging_ = HostMemory(staging);
  zeros_ = HostMemory(row);

  const NeuronModel& largest = *copy_->models.back();
  outputs_.resize(spec.outputs.size());
  output_memory_.resize(spec.outputs.size());
  for (const NeuronTensor& tensor : largest.outputs()) {
    if (!tensor.output) continue;
    MutableTensorView& view = outputs_[*tensor.output];
    view = {nullptr, DType::kF32, tensor.shape};
    output_memory_[*tensor.output] = HostMemory(view.bytes());
    view.data = output_memory_[*tensor.output].data();
  }
}

// --- set-up -------------------------------------------------------------------------------------------------------

/// Where the device computes from: Inf1 fetches from the host, its successors from the memory of the core.
Result<NrtTensor> NeuronSlot::allocate(const NeuronTensor& tensor) const {
  const NeuronRuntime& runtime = *copy_->runtime;
  const auto take = [&](nrt_tensor_placement_t placement, nrt_tensor_t** memory) {
    return nrt().nrt_tensor_allocate(placement, runtime.vnc_of(copy_->core), tensor.bytes, tensor.name.c_str(), memory);
  };
  nrt_tensor_t* memory = nullptr;
  NRT_STATUS status = take(runtime.is_inf1() ? NRT_TENSOR_PLACEMENT_VIRTUAL : NRT_TENSOR_PLACEMENT_DEVICE, &memory);
  // Runtimes that know Inf1 do not say what they run on.
  if (status == NRT_INVALID && !runtime.is_inf1() && runtime.library().minor() <= kLastWithInf1) {
    status = take(NRT_TENSOR_PLACEMENT_VIRTUAL, &memory);
  }
  if (status != NRT_SUCCESS) {
    return nrt_setup_error(
        fmt::format("{}: nrt_tensor_allocate of {} bytes for '{}'", copy_->where, tensor.bytes, tensor.name), status);
  }
  return NrtTensor(memory, NrtFree<&NrtFunctions::nrt_tensor_free>(copy_->runtime));
}

Result<NrtTensorSet> NeuronSlot::make_set() const {
  nrt_tensor_set_t* set = nullptr;
  const NRT_STATUS status = nrt().nrt_allocate_tensor_set(&set);
  if (status != NRT_SUCCESS) return nrt_setup_error(fmt::format("{}: nrt_allocate_tensor_set", copy_->where), status);
  return NrtTensorSet(set, NrtFree<&NrtFunctions::nrt_destroy_tensor_set>(copy_->runtime));
}

Result<void> NeuronSlot::add(const NrtTensorSet& set, const NeuronTensor& tensor, const NrtTensor& memory) const {
  const NRT_STATUS status = nrt().nrt_add_tensor_to_tensor_set(set.get(), tensor.name.c_str(), memory.get());
  if (status == NRT_SUCCESS) return {};
  return nrt_setup_error(fmt::format("{}: nrt_add_tensor_to_tensor_set '{}'", copy_->where, tensor.name), status);
}

Result<Lane> NeuronSlot::make_lane(const NeuronModel& model) const {
  Lane lane;
  lane.model = &model;
  lane.written = model.rows();  // memory of the device may hold anything
  auto input = allocate(model.input());
  if (!input) return input.error();
  lane.input = std::move(*input);
  for (const NeuronTensor& tensor : model.outputs()) {
    auto output = allocate(tensor);
    if (!output) return output.error();
    lane.outputs.push_back(std::move(*output));
  }
  for (NrtTensorSet* set : {&lane.inputs_set, &lane.outputs_set}) {
    auto made = make_set();
    if (!made) return made.error();
    *set = std::move(*made);
  }
  if (auto added = add(lane.inputs_set, model.input(), lane.input); !added) return added.error();
  for (std::size_t i = 0; i < lane.outputs.size(); ++i) {
    if (auto added = add(lane.outputs_set, model.outputs()[i], lane.outputs[i]); !added) return added.error();
  }
  return lane;
}

/// The first run of a network on a core takes longer than others: it happens now, and it does not count. Models that
/// run already may keep the core busy.
Result<void> NeuronSlot::warm_up(std::size_t index) {
  Lane& lane = lanes_[index];
  const NRT_STATUS cleared = clear_rows(lane, 0);
  if (cleared != NRT_SUCCESS) return nrt_setup_error(fmt::format("{}: nrt_tensor_write", copy_->where), cleared);
  const bool first = ms_[index] == 0;
  const int runs = first && copy_->models.size() > 1 ? 2 : 1;  // nothing to choose from, nothing to measure
  for (int run = 0; run < runs; ++run) {
    Clock::time_point asked;
    const NRT_STATUS status = execute(lane, asked);
    if (!nrt_succeeded(status)) return nrt_setup_error(fmt::format("{}: first nrt_execute", copy_->where), status);
    if (run > 0 || !first) copy_->times->start(index, asked, Clock::now());
  }
  return {};
}

Result<void> NeuronSlot::prepare(const ModelSpec& spec) {
  copy_->times->read(ms_);
  lanes_.reserve(copy_->models.size());
  for (std::size_t i = 0; i < copy_->models.size(); ++i) {
    const NeuronModel& model = *copy_->models[i];
    for (const NeuronTensor& tensor : model.outputs()) {
      if (!tensor.output) continue;
      const auto& largest = outputs_[*tensor.output].shape;
      if (tensor.row_elements() * batch_ != largest.elements() || tensor.shape.rank() != largest.rank()) {
        return Error{
            Errc::kModel,
            fmt::format("model {}: output '{}' is {} compiled for batch {}, but {} for batch {}: compile again",
                        spec.name, tensor.name, to_string(tensor.shape), model.rows(), to_string(largest), batch_)};
      }
    }
    auto lane = make_lane(model);
    if (!lane) return lane.error();
    lanes_.push_back(std::move(*lane));
    if (auto warm = warm_up(i); !warm) return warm;
  }
  return {};
}

// --- runs ---------------------------------------------------------------------------------------------------------

Result<void> NeuronSlot::run(std::uint32_t frames) {
  if (frames > batch_ || (!short_batches_ && frames != batch_)) {
    return Error{Errc::kBadInput,
                 fmt::format("{}: {}, but the network is compiled for {} and dynamic-batch-size is off", copy_->where,
                             counted(frames, "frame", "frames"), batch_)};
  }
  copy_->times->read(ms_);
  std::uint32_t row = 0;
  const auto run_next = [&](std::size_t index) {
    const std::uint32_t count = std::min(frames - row, lanes_[index].model->rows());
    auto ran = run_rows(index, row, count);
    if (!ran && ran.error().code != Errc::kBusy) copy_->board.failed();
    row += count;
    return ran;
  };
  if (const auto size = copy_->times->look_again(planner_.sizes(), frames)) {
    if (auto ran = run_next(*size); !ran || row == frames) return ran;
  }
  for (const std::uint32_t index : planner_.plan(frames - row, ms_)) {
    if (auto ran = run_next(index); !ran) return ran;
  }
  return {};
}

Result<void> NeuronSlot::run_rows(std::size_t index, std::uint32_t first, std::uint32_t count) {
  Lane& lane = lanes_[index];
  StageLaps laps(count, static_cast<std::int32_t>(copy_->core));
  if (const NRT_STATUS status = write_rows(lane, first, count); status != NRT_SUCCESS) {
    return failure("nrt_tensor_write", status);
  }
  laps.lap(Stage::kToDevice);
  Clock::time_point asked;
  const NRT_STATUS status = execute(lane, asked);
  laps.lap(Stage::kExecute);
  if (!nrt_succeeded(status)) return failure("nrt_execute", status);
  copy_->board.executed(count, copy_->times->add(index, asked, Clock::now()));
  if (status != NRT_SUCCESS && !copy_->told_of_nan.exchange(true)) {
    logger().warn("{}; the results are used all the same", failure("nrt_execute", status).message);
  }
  if (const NRT_STATUS read = read_rows(lane, first, count); read != NRT_SUCCESS) {
    return failure("nrt_tensor_read", read);
  }
  laps.lap(Stage::kFromDevice);
  return {};
}

/// With patience for a core that is busy: others' runs keep it so, of which nothing tells the end, and there is nothing
/// to wait on but time. `asked`: when it was asked for the last time.
NRT_STATUS NeuronSlot::execute(const Lane& lane, Clock::time_point& asked) const {
  for (int tries = 0;; ++tries) {
    asked = Clock::now();
    const NRT_STATUS status = nrt().nrt_execute(lane.model->handle(), lane.inputs_set.get(), lane.outputs_set.get());
    if (nrt_status_row(status).errc != Errc::kBusy || tries == kMostBusyTries) return status;
    std::this_thread::sleep_for(std::chrono::milliseconds(1 << tries));
  }
}

NRT_STATUS NeuronSlot::write_rows(Lane& lane, std::uint32_t first, std::uint32_t count) {
  const NeuronTensor& tensor = lane.model->input();
  const std::byte* rows = input_.row(first).data;
  if (tensor.dtype != input_.dtype) {
    convert(rows, input_.dtype, staging_.data(), tensor.dtype, count * tensor.row_elements());
    rows = staging_.data();
  }
  const NRT_STATUS status = nrt().nrt_tensor_write(lane.input.get(), rows, 0, count * tensor.row_bytes());
  if (status != NRT_SUCCESS) return status;
  if (lane.written > count) return clear_rows(lane, count);
  lane.written = count;
  return status;
}

/// Padding is zero, as in AWS's frameworks.
NRT_STATUS NeuronSlot::clear_rows(Lane& lane, std::uint32_t from) {
  const std::size_t bytes = lane.model->input().row_bytes();
  while (lane.written > from) {
    const NRT_STATUS status =
        nrt().nrt_tensor_write(lane.input.get(), zeros_.data(), (lane.written - 1) * bytes, bytes);
    if (status != NRT_SUCCESS) return status;
    --lane.written;
  }
  return NRT_SUCCESS;
}

NRT_STATUS NeuronSlot::read_rows(const Lane& lane, std::uint32_t first, std::uint32_t count) {
  for (std::size_t i = 0; i < lane.outputs.size(); ++i) {
    const NeuronTensor& tensor = lane.model->outputs()[i];
    if (!tensor.output) continue;
    std::byte* const to = outputs_[*tensor.output].row(first).data;
    const bool direct = tensor.dtype == DType::kF32;
    const NRT_STATUS status =
        nrt().nrt_tensor_read(lane.outputs[i].get(), direct ? to : staging_.data(), 0, count * tensor.row_bytes());
    if (status != NRT_SUCCESS) return status;
    if (!direct) convert(staging_.data(), tensor.dtype, to, DType::kF32, count * tensor.row_elements());
  }
  return NRT_SUCCESS;
}

}  // namespace

Result<std::shared_ptr<NeuronCopy>> NeuronCopy::load(std::shared_ptr<const NeuronRuntime> runtime,
                                                     const std::vector<CompiledBatch>& batches, const ModelSpec& spec,
                                                     CoreId core, CoreBoard::Entry board) {
  auto copy = std::make_shared<NeuronCopy>();
  copy->runtime = std::move(runtime);
  copy->core = core;
  copy->board = std::move(board);
  copy->times = std::make_unique<BatchTimes>(batches.size());
  copy->where = fmt::format("model {} on core {}", spec.name, core);
  for (const CompiledBatch& batch : batches) {
    auto model = NeuronModel::load(copy->runtime, batch, spec, core);
    if (!model) return model.error();
    copy->models.push_back(std::move(*model));
  }
  return copy;
}

Result<std::unique_ptr<Slot>> make_neuron_slot(std::shared_ptr<NeuronCopy> copy, const ModelSpec& spec,
                                               bool short_batches) {
  auto slot = std::make_unique<NeuronSlot>(std::move(copy), spec, short_batches);
  if (auto ready = slot->prepare(spec); !ready) return ready.error();
  return std::unique_ptr<Slot>(std::move(slot));
}

}  // namespace posecam
