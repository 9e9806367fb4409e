#pragma once
// Which of a model's weights its compilation starts from.

#include <filesystem>
#include <span>
#include <string_view>

#include "models/core/result.h"
#include "models/spec/model_spec.h"

namespace posecam {

/// What OpenVINO's readers take, the vendor's compilers through them: endings of file names, the best first.
inline constexpr std::string_view kNetworkEndings[] = {".onnx", ".xml", ".tflite", ".pb"};

/// Weights that are there, and the file of them to open.
struct SourceWeights {
  const BackendWeights* weights = nullptr;  ///< of the spec
  std::filesystem::path file;
};

/// Of the weights whose first file has one of these endings (the best first): those that are there, best those that the
/// descriptor has for compilers, then those that are not quantised. Checked as ModelStore::weights() does.
/// kModel: there are none of them; the message says what brings the best ones that can be had.
Result<SourceWeights> source_weights(const ModelSpec& spec, std::span<const std::string_view> endings);

}  // namespace posecam
