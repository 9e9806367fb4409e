#include "pipeline/cpu/openvino_ends.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <openvino/op/constant.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/result.hpp>

namespace posecam {
namespace {

template <class Ports>
bool has_port(const Ports& ports, const std::string& name) {
  return std::ranges::any_of(ports, [&](const auto& port) { return port.get_names().contains(name); });
}

template <class Ports>
std::string names_of(const Ports& ports) {
  std::string names;
  for (const auto& port : ports) names += (names.empty() ? "" : ", ") + port.get_any_name();
  return names;
}

/// What a layer calculates: neither the picture as it comes in nor a weight.
bool calculates(const ov::Node& layer) {
  return !ov::is_type<ov::op::v0::Parameter>(&layer) && !ov::is_type<ov::op::v0::Constant>(&layer) &&
         !ov::is_type<ov::op::v0::Result>(&layer);
}

/// Names of tensors come first: those of layers are made up by whatever wrote the file.
std::optional<ov::Output<ov::Node>> find_tensor(const ov::Model& network, const std::string& name) {
  for (const auto& output : network.outputs()) {
    if (output.get_names().contains(name)) return output.get_node()->input_value(0);
  }
  std::optional<ov::Output<ov::Node>> layer;
  for (const auto& node : network.get_ordered_ops()) {
    if (!calculates(*node)) continue;
    for (const auto& output : node->outputs()) {
      if (output.get_names().contains(name)) return output;
    }
    if (node->get_output_size() == 1 && node->get_friendly_name() == name) layer = node->output(0);
  }
  return layer;
}

/// Its input, in place of whatever made that tensor.
Result<ov::ParameterVector> begin_at(const ov::Model& network, const ModelSpec& spec) {
  if (has_port(network.inputs(), spec.input.name)) return network.get_parameters();
  auto tensor = find_tensor(network, spec.input.name);
  if (!tensor) {
    return Error{Errc::kModel,
                 fmt::format("model {}: the network has no input '{}', only: {}; nor has any tensor or layer inside it "
                             "that name",
                             spec.name, spec.input.name, names_of(network.inputs()))};
  }
  const auto users = tensor->get_target_inputs();
  const auto input = std::make_shared<ov::op::v0::Parameter>(tensor->get_element_type(), tensor->get_partial_shape());
  for (ov::Input<ov::Node> user : users) user.replace_source_output(input->output(0));
  tensor->get_tensor().set_names({});
  input->output(0).get_tensor().set_names({spec.input.name});
  return ov::ParameterVector{input};
}

/// The new input must be all that the outputs need: a branch that passes it by still begins at an old one.
Result<void> check_separates(const ov::ResultVector& results, const ov::ParameterVector& parameters,
                             const ModelSpec& spec) {
  ov::OutputVector ends;
  for (const auto& result : results) ends.push_back(result->input_value(0));
  for (const ov::Node* const needed : parameters_before(ends)) {
    if (std::ranges::any_of(parameters, [&](const auto& input) { return input.get() == needed; })) continue;
    return Error{Errc::kModel, fmt::format("model {}: the outputs need '{}' as well as input '{}'; name an earlier "
                                           "tensor as the input",
                                           spec.name, needed->output(0).get_any_name(), spec.input.name)};
  }
  return {};
}

Result<ov::ResultVector> end_at(const ov::Model& network, const ModelSpec& spec) {
  ov::ResultVector results;
  for (const std::string& name : spec.outputs) {
    auto tensor = find_tensor(network, name);
    if (!tensor) {
      return Error{Errc::kModel, fmt::format("model {}: the network has no output '{}', only: {}; nor has any tensor "
                                             "or layer inside it that name",
                                             spec.name, name, names_of(network.outputs()))};
    }
    tensor->get_tensor().add_names({name});
    results.push_back(std::make_shared<ov::op::v0::Result>(*tensor));
  }
  return results;
}

}  // namespace

std::set<const ov::Node*> parameters_before(const ov::OutputVector& tensors) {
  std::set<const ov::Node*> parameters;
  std::set<const ov::Node*> seen;
  std::vector<const ov::Node*> open;
  const auto visit = [&](const ov::Node* layer) {
    if (seen.insert(layer).second) open.push_back(layer);
  };
  for (const auto& tensor : tensors) visit(tensor.get_node());
  while (!open.empty()) {
    const ov::Node* const layer = open.back();
    open.pop_back();
    if (ov::is_type<ov::op::v0::Parameter>(layer)) parameters.insert(layer);
    for (const auto& input : layer->inputs()) visit(input.get_source_output().get_node());
  }
  return parameters;
}

bool has_inner_ends(const ov::Model& network, const ModelSpec& spec) {
  return !has_port(network.inputs(), spec.input.name) ||
         !std::ranges::all_of(spec.outputs, [&](const auto& name) { return has_port(network.outputs(), name); });
}

Result<std::shared_ptr<ov::Model>> cut_to_ends(const std::shared_ptr<ov::Model>& network, const ModelSpec& spec) {
  if (!has_inner_ends(*network, spec)) return network;
  const auto results = end_at(*network, spec);
  if (!results) return results.error();
  const auto parameters = begin_at(*network, spec);
  if (!parameters) return parameters.error();
  if (auto alone = check_separates(*results, *parameters, spec); !alone) return alone.error();
  return std::make_shared<ov::Model>(*results, *parameters, network->get_friendly_name());
}

}  // namespace posecam
