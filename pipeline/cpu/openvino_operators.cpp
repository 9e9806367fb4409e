#include "pipeline/cpu/openvino_operators.h"

#include <memory>
#include <string>

#include <fmt/format.h>
#include <openvino/frontend/tensorflow_lite/extension/conversion.hpp>
#include <openvino/op/util/framework_node.hpp>

#include "pipeline/cpu/openvino_ends.h"

namespace posecam {
namespace {

constexpr const char* kPostProcess = "TFLite_Detection_PostProcess";
constexpr std::size_t kPostProcessOutputs = 4;  // boxes, classes, scores, their number

ov::OutputVector placeholder(const ov::frontend::NodeContext& context) {
  ov::OutputVector inputs;
  for (std::size_t i = 0; i < context.get_input_size(); ++i) inputs.push_back(context.get_input(static_cast<int>(i)));
  return std::make_shared<ov::op::util::FrameworkNode>(inputs, kPostProcessOutputs)->outputs();
}

/// The name of a tensor, or else of what it is converted from: quantised tensors are read through a few such layers.
std::string name_of(ov::Output<ov::Node> tensor) {
  while (tensor.get_names().empty() && tensor.get_node()->get_input_size() > 0) {
    tensor = tensor.get_node()->input_value(0);
  }
  return tensor.get_names().empty() ? "one without a name" : *tensor.get_names().begin();
}

}  // namespace

void read_unknown_operators(ov::Core& core) {
  core.add_extension(std::make_shared<ov::frontend::tensorflow_lite::ConversionExtension>(kPostProcess, placeholder));
}

Result<void> check_operators(const ov::Model& network) {
  for (const auto& node : network.get_ops()) {
    if (!ov::is_type<ov::op::util::FrameworkNode>(node)) continue;
    std::string names;
    for (const auto& input : node->input_values()) {
      if (parameters_before({input}).empty()) continue;  // anchors: a weight is no output
      names += fmt::format("{}{}", names.empty() ? "" : ", ", name_of(input));
    }
    return Error{Errc::kModel, fmt::format("ends with {}, which OpenVINO does not have: name the tensors before it as "
                                           "outputs ({}), and \"ssd-raw\" as the decoder",
                                           kPostProcess, names)};
  }
  return {};
}

}  // namespace posecam
