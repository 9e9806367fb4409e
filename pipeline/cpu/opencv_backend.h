#pragma once
// CPU with nothing extra installed: OpenCV's dnn module. Slower than OpenVINO; the check on its correctness.

#include <filesystem>
#include <memory>

#include "pipeline/backend/device.h"

namespace posecam {

/// Reads ONNX in one file, once OpenVINO, where it is built in, has read it without a complaint. Every slot has a
/// network of its own. A core is a network that may run beside others: OpenCV's own threads are off when there are
/// several cores, since they would compete (scheduling latency: one network, all threads). kModel if the file or its
/// tensors do not fit the spec.
Result<std::unique_ptr<InferenceBackend>> make_opencv_backend(const ModelSpec& spec,
                                                              const std::filesystem::path& weights,
                                                              const BackendOptions& options);
/// Always available.
DeviceInfo describe_opencv(CoreId cores);

}  // namespace posecam
