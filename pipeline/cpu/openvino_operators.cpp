#include "pipeline/cpu/openvino_operators.h"

#include <memory>
#include <string>

#include <fmt/format.h>
#include <openvino/frontend/tensorflow_lite/extension/conversion.hpp>
#include <openvino/op/util/framework_node.hpp>

namespace posecam {
namespace {

constexpr const char* kPostProcess = "TFLite_Detection_PostProcess";
constexpr std::size_t kPostProcessOutputs = 4;  // boxes, classes, scores, their number

ov::OutputVector placeholder(const ov::frontend::NodeContext& context) {
  ov::OutputVector inputs;
  for (std::size_t i = 0; i < context.get_input_size(); ++i) inputs.push_back(context.get_input(static_cast<int>(i)));
  return std::make_shared<ov::op::util::FrameworkNode>(inputs, kPostProcessOutputs)->outputs();
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
      if (!input.get_names().empty()) names += (names.empty() ? "" : ", ") + *input.get_names().begin();
    }
    return Error{Errc::kModel, fmt::format("ends with {}, which OpenVINO does not have: name the tensors before it as "
                                           "outputs ({}), and \"ssd-raw\" as the decoder",
                                           kPostProcess, names.empty() ? "they have no names" : names)};
  }
  return {};
}

}  // namespace posecam
