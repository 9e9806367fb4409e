#pragma once
// What a status of libnrt means for us: one table, from the status to the Errc that decides what happens next.

#include <string_view>

#include "models/core/result.h"
#include "pipeline/neuron/nrt/nrt_abi.h"

namespace posecam {

/// A row of the table. Texts are of static storage.
struct NrtStatusRow {
  NRT_STATUS status;      ///< as the library returns it
  std::string_view name;  ///< as in the header of the library, e.g. "NRT_TIMEOUT"
  /// Of a call that ended so: kBusy: again after a while. kBadInput: this batch stays unanalysed. kCoreLost: the core
  /// is retired and its batch runs elsewhere. kModel, kDevice: the engine does not start, or stops.
  Errc errc;
  std::string_view meaning;  ///< for people, with the remedy where there is one
};

/// Every status that a public header names but NRT_SUCCESS. An unknown one gets a row of its own: kDevice.
const NrtStatusRow& nrt_status_row(NRT_STATUS status);

/// NRT_SUCCESS, or NRT_EXEC_COMPLETED_WITH_NUM_ERR: outputs are there, some of them not numbers (decoders cope, and
/// AWS's own TensorFlow plugin takes it for success, too).
constexpr bool nrt_succeeded(NRT_STATUS status) {
  return status == NRT_SUCCESS || status == NRT_EXEC_COMPLETED_WITH_NUM_ERR;
}

/// "WHAT: NRT_TIMEOUT (5): the execution took longer than NEURON_RT_EXEC_TIMEOUT".
Error nrt_error(std::string_view what, NRT_STATUS status);

/// The same for a call that runs a batch: NRT_FAILURE and a status nobody knows are kCoreLost, as the others of the
/// process may well go on.
Error nrt_run_error(std::string_view what, NRT_STATUS status);

/// The same for a call that prepares: there is no batch to refuse and no other core to go to, so kBadInput is kModel,
/// and kBusy and kCoreLost are kDevice.
Error nrt_setup_error(std::string_view what, NRT_STATUS status);

}  // namespace posecam
