#include "pipeline/cpu/openvino_ends.h"

#include <algorithm>
#include <optional>
#include <string>

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

}  // namespace

bool has_inner_outputs(const ov::Model& network, const ModelSpec& spec) {
  return !std::ranges::all_of(spec.outputs, [&](const auto& name) { return has_port(network.outputs(), name); });
}

Result<std::shared_ptr<ov::Model>> cut_to_outputs(const std::shared_ptr<ov::Model>& network, const ModelSpec& spec) {
  if (!has_port(network->inputs(), spec.input.name)) {
    return Error{Errc::kModel, fmt::format("model {}: the network has no input '{}', only: {}", spec.name,
                                           spec.input.name, names_of(network->inputs()))};
  }
  if (!has_inner_outputs(*network, spec)) return network;
  ov::ResultVector results;
  for (const std::string& name : spec.outputs) {
    auto tensor = find_tensor(*network, name);
    if (!tensor) {
      return Error{Errc::kModel, fmt::format("model {}: the network has no output '{}', only: {}; nor has any tensor "
                                             "or layer inside it that name",
                                             spec.name, name, names_of(network->outputs()))};
    }
    tensor->get_tensor().add_names({name});
    results.push_back(std::make_shared<ov::op::v0::Result>(*tensor));
  }
  return std::make_shared<ov::Model>(results, network->get_parameters(), network->get_friendly_name());
}

}  // namespace posecam
