#include "pipeline/neuron/sim/execution.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/neuron/sim/log.h"

namespace posecam::sim {
namespace {

using Bound = std::vector<std::shared_ptr<Tensor>>;

std::shared_ptr<Tensor> find(Session& session, TensorSet& set, const std::string& name) {
  const void* handle = nullptr;
  {
    const std::lock_guard lock(set.mutex);
    const auto found = set.tensors.find(name);
    if (found != set.tensors.end()) handle = found->second;
  }
  return handle ? session.tensors.find(handle) : nullptr;
}

/// The tensors of a set in the order of the program; `complaint` says what does not fit.
Bound bind(Session& session, TensorSet& set, std::span<const SimTensorSpec> specs, std::string& complaint) {
  Bound bound;
  for (const SimTensorSpec& spec : specs) {
    auto tensor = find(session, set, spec.name);
    if (!tensor || !tensor->storage) {
      complaint = fmt::format("tensor {} is not in the set, or was freed", spec.name);
    } else if (tensor->size != spec.bytes()) {
      complaint = fmt::format("tensor {} has {} bytes, expected {}", spec.name, tensor->size, spec.bytes());
    }
    if (!complaint.empty()) return {};
    bound.push_back(std::move(tensor));
  }
  return bound;
}

/// The replica on whose cores the tensors lie, or the next one if they lie on none. Cores of the process; empty if some
/// tensor lies elsewhere.
CoreRange choose_cores(const Session& session, Model& model, const Bound& inputs, const Bound& outputs) {
  CoreRange chosen;
  const std::uint32_t base = session.cores.front()->number();
  for (const Bound* bound : {&inputs, &outputs}) {
    for (const auto& tensor : *bound) {
      if (!tensor->core) continue;
      const std::uint32_t core = tensor->core->number() - base;
      if (!model.cores.contains(core) || (chosen.count != 0 && !chosen.contains(core))) return {};
      chosen = {model.cores.first + (core - model.cores.first) / model.need * model.need, model.need};
    }
  }
  if (chosen.count != 0) return chosen;
  return {model.cores.first + model.turn++ % model.replicas() * model.need, model.need};
}

std::vector<RowBytes> read_row(const Model& model, const Bound& inputs, std::uint32_t row) {
  std::vector<RowBytes> rows;
  for (const auto& tensor : inputs) {
    RowBytes& bytes = rows.emplace_back(tensor->size / model.program.batch);
    tensor->storage->read(tensor->offset + row * bytes.size(), bytes);
  }
  return rows;
}

class InputRow final : public SharedNetwork::RowSource {
 public:
  InputRow(const Model& model, const Bound& inputs, std::uint32_t row) : model_(model), inputs_(inputs), row_(row) {}
  std::vector<RowBytes> row() override { return read_row(model_, inputs_, row_); }

 private:
  const Model& model_;
  const Bound& inputs_;
  std::uint32_t row_;
};

/// All rows of a batch.
Result<std::vector<RowResult>> produce(const Session& session, Model& model, const Bound& inputs) {
  std::vector<RowResult> rows;
  for (std::uint32_t i = 0; i < model.program.batch; ++i) {
    InputRow source(model, inputs, i);
    auto row = session.config.mode == Mode::kExact ? model.network->compute(source.row())
                                                   : model.network->replay(source, session.config.distinct);
    if (!row) return row.error();
    rows.push_back(std::move(*row));
  }
  return rows;
}

void show(const std::vector<RowResult>& rows, const Bound& outputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    std::vector<SharedRow> column;
    column.reserve(rows.size());
    for (const RowResult& row : rows) column.push_back(row[i]);
    outputs[i]->storage->show(outputs[i]->offset, column);
  }
}

/// Bytes that the device fetches itself, because they are not in its memory.
std::size_t host_bytes(const Bound& tensors) {
  std::size_t bytes = 0;
  for (const auto& tensor : tensors) bytes += tensor->core ? 0 : tensor->size;
  return bytes;
}

/// What is returned and said once the timeout is over.
NRT_STATUS no_answer(const Session& session, const Model& model, CoreRange cores) {
  log(Level::kError, "nrt_execute", "{}: no answer from nc{} in {} ms", model.name, session.on_instance(cores).first,
      model.timeout / 1'000'000);
  return NRT_TIMEOUT;
}

struct Run {
  Session& session;
  Model& model;
  const Bound& inputs;
  const Bound& outputs;
  CoreRange cores;
  double slow = 1;

  void account(Nanos busy) const {
    ++model.executions;
    model.busy_ns += static_cast<std::uint64_t>(busy);
    for (std::uint32_t i = 0; i < cores.count; ++i) {
      CoreRecord& record = session.cores[cores.first + i]->record();
      ++record.executions;
      record.busy_ns += static_cast<std::uint64_t>(busy);
    }
    CoreRecord& first = session.cores[cores.first]->record();
    first.bytes_in += host_bytes(inputs);
    first.bytes_out += host_bytes(outputs);
  }

  /// At most a second beyond the timeout: the product of several rules fits no integer.
  Nanos scaled(Nanos time) const {
    const double longest = static_cast<double>(model.timeout) + 1e9;
    return static_cast<Nanos>(std::min(longest, static_cast<double>(time) * slow));
  }

  /// What it costs that another model was the last on these cores; from now on it is this one.
  Nanos switching() const {
    const std::lock_guard lock(session.mutex);
    bool other = false;
    for (std::uint32_t core = cores.first; core < cores.first + cores.count; ++core) {
      const Model* const last = std::exchange(session.last_run[core], &model);
      other = other || (last && last != &model);
    }
    return other ? static_cast<Nanos>(session.config.switch_ms * kNanosPerMs) : 0;
  }

  NRT_STATUS failed(const Error& error) const {
    log(Level::kError, "nrt_execute", "{}: {}", model.name, error.message);
    return NRT_FAILURE;
  }
};

NRT_STATUS run_exact(const Run& run) {
  const Turns::Turn turn(run.session.turns, run.cores);
  const Nanos start = monotonic_now();
  const auto rows = produce(run.session, run.model, run.inputs);
  if (!rows) return run.failed(rows.error());
  const Nanos computed = monotonic_now() - start;
  // Without a device time nothing is late but on a slow core: what the CPU takes is not the device's affair.
  const Nanos busy = run.switching() + run.scaled(std::max(run.model.device_time, run.slow > 1 ? computed : 0));
  const bool late = busy > run.model.timeout;
  sleep_until(start + std::min(busy, run.model.timeout));
  run.account(monotonic_now() - start);
  if (late) return no_answer(run.session, run.model, run.cores);
  show(*rows, run.outputs);
  return NRT_SUCCESS;
}

NRT_STATUS run_timed(const Run& run) {
  const auto rows = produce(run.session, run.model, run.inputs);
  if (!rows) return run.failed(rows.error());
  Core& first = *run.session.cores[run.cores.first];
  Nanos now = monotonic_now();
  if (const auto bytes = host_bytes(run.inputs)) now = first.book_transfer(now, transfer_time(run.session, bytes));
  const Nanos full = run.switching() + run.scaled(run.model.device_time);
  const Nanos busy = std::min(full, run.model.timeout);
  const Nanos end = run.session.bookings.book(run.cores, now, busy);
  sleep_until(end);
  run.account(busy);
  if (full > run.model.timeout) return no_answer(run.session, run.model, run.cores);
  show(*rows, run.outputs);
  if (const auto bytes = host_bytes(run.outputs)) {
    sleep_until(first.book_transfer(monotonic_now(), transfer_time(run.session, bytes)));
  }
  return NRT_SUCCESS;
}

}  // namespace

Nanos transfer_time(const Session& session, std::size_t bytes) {
  if (session.config.mode == Mode::kExact) return 0;
  return static_cast<Nanos>(static_cast<double>(bytes) / session.config.transfer_gb_s);  // GB/s are bytes/ns
}

NRT_STATUS execute(Session& session, Model& model, TensorSet& input_set, TensorSet& output_set, const char* call) {
  std::string complaint;
  const Bound inputs = sim::bind(session, input_set, model.program.inputs, complaint);
  if (!complaint.empty()) {
    log(Level::kError, call, "{}: input {}", model.name, complaint);
    return NRT_EXEC_BAD_INPUT;
  }
  const Bound outputs = sim::bind(session, output_set, model.program.outputs, complaint);
  if (!complaint.empty()) {
    log(Level::kError, call, "{}: output {}", model.name, complaint);
    return NRT_INVALID;
  }
  const CoreRange cores = choose_cores(session, model, inputs, outputs);
  if (cores.count == 0) {
    log(Level::kError, call, "{}: a tensor lies on another core than the model", model.name);
    return NRT_EXEC_BAD_INPUT;
  }
  const FaultPlan::Fate fate = session.faults.next(call, session.on_instance(cores));
  Session::suffer(fate);
  if (fate.hangs) {
    sleep_until(monotonic_now() + model.timeout);
    return no_answer(session, model, cores);
  }
  // Results with numerical errors are results: the code comes with them.
  if (fate.status != NRT_SUCCESS && fate.status != NRT_EXEC_COMPLETED_WITH_NUM_ERR) return fate.status;
  const Run run{session, model, inputs, outputs, cores, fate.slow};
  const NRT_STATUS status = session.config.mode == Mode::kExact ? run_exact(run) : run_timed(run);
  return status == NRT_SUCCESS ? fate.status : status;
}

}  // namespace posecam::sim
