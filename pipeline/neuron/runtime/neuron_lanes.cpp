#include "pipeline/neuron/runtime/neuron_lanes.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "pipeline/neuron/nrt/nrt_status.h"

namespace posecam {
namespace {

using Clock = BatchTimes::Clock;
constexpr int kMostBusyTries = 8;            // of one call: 1 + 2 + ... + 128 ms
constexpr std::uint64_t kLastWithInf1 = 22;  // runtime 2.22 is the last one that knows Inf1

}  // namespace

NeuronLanes::NeuronLanes(std::shared_ptr<NeuronCopy> copy) : copy_(std::move(copy)) {
  std::size_t row = 0;
  for (const auto& model : copy_->models()) row = std::max(row, model->input().row_bytes());
  zeros_ = HostMemory(row);
}

// --- set-up -------------------------------------------------------------------------------------------------------

/// Where the device computes from: Inf1 fetches from the host, its successors from the memory of the core.
Result<NrtTensor> NeuronLanes::allocate(const NeuronTensor& tensor) const {
  const NeuronRuntime& runtime = copy_->runtime();
  const auto take = [&](nrt_tensor_placement_t placement, nrt_tensor_t** memory) {
    return nrt().nrt_tensor_allocate(placement, runtime.vnc_of(copy_->core()), tensor.bytes, tensor.name.c_str(),
                                     memory);
  };
  nrt_tensor_t* memory = nullptr;
  NRT_STATUS status = take(runtime.is_inf1() ? NRT_TENSOR_PLACEMENT_VIRTUAL : NRT_TENSOR_PLACEMENT_DEVICE, &memory);
  // Runtimes that know Inf1 do not say what they run on.
  if (status == NRT_INVALID && !runtime.is_inf1() && runtime.library().minor() <= kLastWithInf1) {
    status = take(NRT_TENSOR_PLACEMENT_VIRTUAL, &memory);
  }
  if (status != NRT_SUCCESS) {
    return nrt_setup_error(
        fmt::format("{}: nrt_tensor_allocate of {} bytes for '{}'", copy_->where(), tensor.bytes, tensor.name), status);
  }
  return NrtTensor(memory, NrtFree<&NrtFunctions::nrt_tensor_free>(copy_->runtime().shared_from_this()));
}

Result<NrtTensorSet> NeuronLanes::make_set() const {
  nrt_tensor_set_t* set = nullptr;
  const NRT_STATUS status = nrt().nrt_allocate_tensor_set(&set);
  if (status != NRT_SUCCESS) return nrt_setup_error(fmt::format("{}: nrt_allocate_tensor_set", copy_->where()), status);
  return NrtTensorSet(set, NrtFree<&NrtFunctions::nrt_destroy_tensor_set>(copy_->runtime().shared_from_this()));
}

Result<void> NeuronLanes::add(const NrtTensorSet& set, const NeuronTensor& tensor, const NrtTensor& memory) const {
  const NRT_STATUS status = nrt().nrt_add_tensor_to_tensor_set(set.get(), tensor.name.c_str(), memory.get());
  if (status == NRT_SUCCESS) return {};
  return nrt_setup_error(fmt::format("{}: nrt_add_tensor_to_tensor_set '{}'", copy_->where(), tensor.name), status);
}

Result<NeuronLanes::Lane> NeuronLanes::make_lane(const NeuronModel& model) const {
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

Result<void> NeuronLanes::take() {
  const bool measure = copy_->models().size() > 1 && !copy_->times().known();  // else nothing to choose from
  for (const auto& model : copy_->models()) {
    auto lane = make_lane(*model);
    if (!lane) return lane.error();
    lanes_.push_back(std::move(*lane));
    if (auto warm = warm_up(lanes_.size() - 1, false); !warm) return warm;
  }
  for (std::size_t size = 0; measure && size < lanes_.size(); ++size) {
    if (auto warm = warm_up(size, true); !warm) return warm;
  }
  return {};
}

/// The first run of a network on a core takes longer than others: it happens now, and it does not count. Models that
/// run already may keep the core busy.
Result<void> NeuronLanes::warm_up(std::size_t size, bool measure) {
  const NRT_STATUS cleared = clear_rows(lanes_[size], 0);
  if (cleared != NRT_SUCCESS) return nrt_setup_error(fmt::format("{}: nrt_tensor_write", copy_->where()), cleared);
  Clock::time_point asked;
  const NRT_STATUS status = execute(size, asked);
  if (!nrt_succeeded(status)) return nrt_setup_error(fmt::format("{}: first nrt_execute", copy_->where()), status);
  if (measure) copy_->times().start(size, asked, Clock::now());
  return {};
}

// --- runs ---------------------------------------------------------------------------------------------------------

NRT_STATUS NeuronLanes::write(std::size_t size, const std::byte* rows, std::uint32_t count) {
  Lane& lane = lanes_[size];
  const NRT_STATUS status = nrt().nrt_tensor_write(lane.input.get(), rows, 0, count * lane.model->input().row_bytes());
  if (status != NRT_SUCCESS) return status;
  if (lane.written > count) return clear_rows(lane, count);
  lane.written = count;
  return status;
}

NRT_STATUS NeuronLanes::clear_rows(Lane& lane, std::uint32_t from) {
  const std::size_t bytes = lane.model->input().row_bytes();
  while (lane.written > from) {
    const NRT_STATUS status =
        nrt().nrt_tensor_write(lane.input.get(), zeros_.data(), (lane.written - 1) * bytes, bytes);
    if (status != NRT_SUCCESS) return status;
    --lane.written;
  }
  return NRT_SUCCESS;
}

/// Others' runs keep a core busy, of which nothing tells the end: there is nothing to wait on but time.
NRT_STATUS NeuronLanes::execute(std::size_t size, Clock::time_point& asked) const {
  const Lane& lane = lanes_[size];
  for (int tries = 0;; ++tries) {
    asked = Clock::now();
    const NRT_STATUS status = nrt().nrt_execute(lane.model->handle(), lane.inputs_set.get(), lane.outputs_set.get());
    if (status == NRT_SUCCESS || nrt_status_row(status).errc != Errc::kBusy || tries == kMostBusyTries) return status;
    std::this_thread::sleep_for(std::chrono::milliseconds(1 << tries));
  }
}

NRT_STATUS NeuronLanes::read(std::size_t size, std::size_t output, std::byte* to, std::uint32_t count) const {
  const Lane& lane = lanes_[size];
  return nrt().nrt_tensor_read(lane.outputs[output].get(), to, 0, count * lane.model->outputs()[output].row_bytes());
}

}  // namespace posecam
