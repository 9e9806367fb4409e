#include "pipeline/neuron/nrt/nrt_status.h"

#include <algorithm>

#include <fmt/format.h>

namespace posecam {
namespace {

// Names and numbers: nrt_status.h of AWS's runtime; what is retryable, a fault of the input or the end of a core: AWS's
// "Neuron Runtime Troubleshooting" and the runtime's developer guide.
constexpr NrtStatusRow kRows[] = {
    {NRT_FAILURE, "NRT_FAILURE", Errc::kDevice, "the runtime failed: see its log above"},
    {NRT_INVALID, "NRT_INVALID", Errc::kBadInput, "an argument or the NEFF is not valid"},
    {NRT_INVALID_HANDLE, "NRT_INVALID_HANDLE", Errc::kDevice, "a handle the runtime does not know"},
    {NRT_RESOURCE, "NRT_RESOURCE", Errc::kModel,
     "the device has no memory or no free core for it: stop other programs or use a smaller model or batch"},
    {NRT_TIMEOUT, "NRT_TIMEOUT", Errc::kCoreLost, "the execution took longer than NEURON_RT_EXEC_TIMEOUT"},
    {NRT_HW_ERROR, "NRT_HW_ERROR", Errc::kCoreLost, "the hardware reports an error"},
    {NRT_QUEUE_FULL, "NRT_QUEUE_FULL", Errc::kBusy, "too many executions wait on the core"},
    {NRT_LOAD_NOT_ENOUGH_NC, "NRT_LOAD_NOT_ENOUGH_NC", Errc::kModel,
     "the model needs more NeuronCores than this process has"},
    {NRT_UNSUPPORTED_NEFF_VERSION, "NRT_UNSUPPORTED_NEFF_VERSION", Errc::kModel,
     "compiled by a newer compiler than the runtime knows: update the runtime or compile again"},
    {NRT_FAIL_HOST_MEM_ALLOC, "NRT_FAIL_HOST_MEM_ALLOC", Errc::kModel, "no memory on the host"},
    {NRT_UNINITIALIZED, "NRT_UNINITIALIZED", Errc::kDevice, "the runtime is not initialised"},
    {NRT_CLOSED, "NRT_CLOSED", Errc::kDevice, "the runtime was closed"},
    {NRT_QUEUE_EMPTY, "NRT_QUEUE_EMPTY", Errc::kDevice, "nothing was queued"},
    {NRT_EXEC_UNIT_UNRECOVERABLE, "NRT_EXEC_UNIT_UNRECOVERABLE", Errc::kCoreLost,
     "the core does not recover until its process starts anew"},
    {NRT_EXEC_BAD_INPUT, "NRT_EXEC_BAD_INPUT", Errc::kBadInput, "the network refuses these inputs"},
    {NRT_EXEC_COMPLETED_WITH_NUM_ERR, "NRT_EXEC_COMPLETED_WITH_NUM_ERR", Errc::kBadInput,
     "some results are not numbers"},
    {NRT_EXEC_COMPLETED_WITH_ERR, "NRT_EXEC_COMPLETED_WITH_ERR", Errc::kCoreLost, "the execution ended with errors"},
    {NRT_EXEC_NC_BUSY, "NRT_EXEC_NC_BUSY", Errc::kBusy, "the core is locked by another model, thread or process"},
    {NRT_EXEC_OOB, "NRT_EXEC_OOB", Errc::kBadInput, "the execution reached outside its tensors"},
    {NRT_COLL_PENDING, "NRT_COLL_PENDING", Errc::kDevice, "a collective operation is pending"},
    {NRT_EXEC_HW_ERR_COLLECTIVES, "NRT_EXEC_HW_ERR_COLLECTIVES", Errc::kCoreLost, "hardware error: collectives"},
    {NRT_EXEC_HW_ERR_HBM_UE, "NRT_EXEC_HW_ERR_HBM_UE", Errc::kCoreLost,
     "hardware error: device memory; replace the instance"},
    {NRT_EXEC_HW_ERR_NC_UE, "NRT_EXEC_HW_ERR_NC_UE", Errc::kCoreLost,
     "hardware error: memory of the core; replace the instance"},
    {NRT_EXEC_HW_ERR_DMA_ABORT, "NRT_EXEC_HW_ERR_DMA_ABORT", Errc::kCoreLost, "hardware error: DMA aborted"},
    {NRT_EXEC_SW_NQ_OVERFLOW, "NRT_EXEC_SW_NQ_OVERFLOW", Errc::kCoreLost, "the core's notification queue overflowed"},
    {NRT_EXEC_HW_ERR_REPAIRABLE_HBM_UE, "NRT_EXEC_HW_ERR_REPAIRABLE_HBM_UE", Errc::kCoreLost,
     "hardware error: device memory; restarting the instance repairs it"},
    {NRT_NETWORK_PROXY_FAILURE, "NRT_NETWORK_PROXY_FAILURE", Errc::kDevice, "the network proxy failed"},
};

constexpr NrtStatusRow kUnknown{0, "unknown status", Errc::kDevice, "newer than this program: see the runtime's log"};

}  // namespace

const NrtStatusRow& nrt_status_row(NRT_STATUS status) {
  const auto* const row = std::ranges::find(kRows, status, &NrtStatusRow::status);
  return row == std::end(kRows) ? kUnknown : *row;
}

Error nrt_error(std::string_view what, NRT_STATUS status) {
  const NrtStatusRow& row = nrt_status_row(status);
  return {row.errc, fmt::format("{}: {} ({}): {}", what, row.name, status, row.meaning)};
}

Error nrt_run_error(std::string_view what, NRT_STATUS status) {
  Error error = nrt_error(what, status);
  if (status == NRT_FAILURE || &nrt_status_row(status) == &kUnknown) error.code = Errc::kCoreLost;
  return error;
}

Error nrt_setup_error(std::string_view what, NRT_STATUS status) {
  Error error = nrt_error(what, status);
  if (error.code == Errc::kBadInput) error.code = Errc::kModel;
  if (error.code == Errc::kBusy || error.code == Errc::kCoreLost) error.code = Errc::kDevice;
  return error;
}

}  // namespace posecam
