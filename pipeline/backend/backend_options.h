#pragma once
// What a device is told when it makes a backend.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "models/core/result.h"
#include "models/spec/model_spec.h"
#include "pipeline/backend/backend.h"

namespace posecam {

/// Arithmetic of float networks; INT8 networks run as INT8. openvino only.
enum class Precision : std::uint8_t {
  kAuto,  ///< openvino: bf16 on CPUs that calculate with it (AVX512_BF16, AMX), else f32
  kF32,
  kBf16
};
/// CPU devices: every core works on a batch of its own, or all of them on one.
enum class Scheduling : std::uint8_t { kThroughput, kLatency };

/// A device ignores what is meant for others.
struct BackendOptions {
  /// Of the CPU; of Neuron devices as the process counts them, empty for all.
  std::vector<CoreId> cores;
  Precision precision = Precision::kAuto;           ///< of float networks
  Scheduling scheduling = Scheduling::kThroughput;  ///< with kLatency a backend has one core
  /// Where openvino keeps compiled networks, made if need be; a folder that cannot be used costs start time only.
  /// Empty: nowhere. Where neuron-sim compiles what nobody compiled: there it is needed.
  std::filesystem::path cache_dir;
  /// neuron: batches of any size, cut into runs of the compiled sizes and padded. Else whole batches of exactly
  /// ModelSpec::input.batch rows, others are refused.
  bool dynamic_batch_size = true;
  std::chrono::milliseconds core_patience{3000};  ///< neuron: for cores that other processes hold; in all
};

/// A backend serves the tensors it was made for: kModel if `asked` has other ones than `loaded`.
Result<void> check_same_tensors(const ModelSpec& loaded, const ModelSpec& asked);

}  // namespace posecam
