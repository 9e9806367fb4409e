#include "pipeline/neuron/adopt/output_names.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "models/core/file.h"
#include "postprocess/decode/decoder.h"

namespace posecam {
namespace {

constexpr std::size_t kMostTries = 20'000;  // assignments: beyond, the user must say

using Roles = std::vector<std::pair<std::string, std::string>>;  // part of the decoder, output

void find_roles(const nlohmann::ordered_json& section, const std::string& name, Roles& roles) {
  for (const auto& [key, value] : section.items()) {
    if (value.is_structured()) find_roles(value, key, roles);
    if (key == "output" && value.is_string() && !name.empty()) roles.emplace_back(name, value.get<std::string>());
  }
}

Roles roles_of(const ModelSpec& spec) {
  Roles roles;
  const auto text = read_file(spec.path, kMostDescriptorBytes, Readable::kFile);
  if (text) find_roles(nlohmann::ordered_json::parse(*text)["decoder"], "", roles);
  return roles;
}

/// "--map output0=heatmaps,output1=pafs", with names that stand for what the user sees.
std::string example(const ModelSpec& spec, const OutputNames& said) {
  std::vector<std::string> parts;
  for (const std::string& output : spec.outputs) {
    const auto known = said.find(output);
    parts.push_back(fmt::format("{}={}", known == said.end() ? fmt::format("output{}", parts.size()) : known->second,
                                role_of(spec, output)));
  }
  return fmt::format("--map {}", fmt::join(parts, ","));
}

/// Tries every way to give each output a tensor of its own.
class Matching {
 public:
  Matching(const ModelSpec& spec, const OutputNames& said, const std::vector<NeffTensor>& tensors,
           const Postprocessor& decoder)
      : spec_(spec), said_(said), decoder_(decoder) {
    for (const NeffTensor& tensor : tensors) {
      if (!tensor.is_input) outputs_.push_back(&tensor);
    }
  }

  void run() { choose(0); }
  const std::vector<OutputNames>& found() const { return found_; }
  const std::string& refusal() const { return refusal_; }  ///< of the last that did not fit
  bool gave_up() const { return tries_ > kMostTries; }

 private:
  void choose(std::size_t index) {
    if (gave_up()) return;
    if (index == spec_.outputs.size()) {
      judge();
      return;
    }
    const auto said = said_.find(spec_.outputs[index]);
    for (const NeffTensor* tensor : outputs_) {
      if (said != said_.end() && said->second != tensor->name) continue;
      if (std::ranges::find(chosen_, tensor) != chosen_.end()) continue;
      chosen_.push_back(tensor);
      choose(index + 1);
      chosen_.pop_back();
    }
  }

  void judge() {
    ++tries_;
    static const std::byte none{};  // no content is looked at, but there must be some
    std::vector<TensorView> views;
    for (const NeffTensor* tensor : chosen_) {
      Shape row = tensor->shape;
      row[0] = 1;
      views.push_back({&none, DType::kF32, row});
    }
    if (const auto fits = decoder_.check(views); !fits) {
      refusal_ = fits.error().message;
      return;
    }
    OutputNames names;
    for (std::size_t i = 0; i < chosen_.size(); ++i) names[spec_.outputs[i]] = chosen_[i]->name;
    found_.push_back(std::move(names));
  }

  const ModelSpec& spec_;
  const OutputNames& said_;
  const Postprocessor& decoder_;
  std::vector<const NeffTensor*> outputs_;
  std::vector<const NeffTensor*> chosen_;
  std::vector<OutputNames> found_;
  std::string refusal_ = "it has fewer outputs than the model";
  std::size_t tries_ = 0;
};

std::string outputs_text(const std::vector<NeffTensor>& tensors) {
  std::vector<std::string> texts;
  for (const NeffTensor& tensor : tensors) {
    if (!tensor.is_input) texts.push_back(to_string(tensor));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

/// Names that agree need not be asked for.
OutputNames with_equal_names(const ModelSpec& spec, OutputNames said, const std::vector<NeffTensor>& tensors) {
  for (const std::string& output : spec.outputs) {
    const bool has = std::ranges::any_of(tensors, [&](const NeffTensor& t) { return !t.is_input && t.name == output; });
    if (has) said.try_emplace(output, output);
  }
  return said;
}

}  // namespace

std::string role_of(const ModelSpec& spec, const std::string& output) {
  std::optional<std::string> role;
  for (const auto& [name, read] : roles_of(spec)) {
    if (read != output) continue;
    if (role) return output;  // two parts of the decoder read it
    role = name;
  }
  return role.value_or(output);
}

Result<OutputNames> said_names(const ModelSpec& spec, const std::map<std::string, std::string>& said) {
  OutputNames names;
  for (const auto& [tensor, what] : said) {
    const auto meant = std::ranges::find_if(spec.outputs, [&spec, &name = what](const std::string& output) {
      return output == name || role_of(spec, output) == name;
    });
    if (meant == spec.outputs.end()) {
      std::vector<std::string> roles;
      for (const std::string& output : spec.outputs) roles.push_back(role_of(spec, output));
      return Error{Errc::kUsage,
                   fmt::format("--map {}={}: model {} reads {}", tensor, what, spec.name, fmt::join(roles, ", "))};
    }
    if (!names.try_emplace(*meant, tensor).second) {
      return Error{Errc::kUsage, fmt::format("--map: {} is said to be two tensors", what)};
    }
  }
  return names;
}

Result<OutputNames> matched_names(const ModelSpec& spec, const OutputNames& said,
                                  const std::vector<NeffTensor>& tensors) {
  for (const auto& [output, tensor] : said) {
    const bool has =
        std::ranges::any_of(tensors, [&name = tensor](const NeffTensor& t) { return !t.is_input && t.name == name; });
    if (!has) {
      return Error{Errc::kUsage,
                   fmt::format("--map: the NEFF has no output {}; it has {}", tensor, outputs_text(tensors))};
    }
  }
  const auto decoder = spec.decoder->make(spec, {});
  if (!decoder) return decoder.error();
  const OutputNames known = with_equal_names(spec, said, tensors);
  Matching matching(spec, known, tensors, **decoder);
  matching.run();
  if (matching.found().size() == 1 && !matching.gave_up()) return matching.found().front();
  if (matching.found().empty() && !matching.gave_up()) {
    return Error{Errc::kModel,
                 fmt::format("its outputs {} are not what model {} at {}x{} reads: {}", outputs_text(tensors),
                             spec.name, spec.input.size.width, spec.input.size.height, matching.refusal())};
  }
  return Error{Errc::kUsage, fmt::format("its outputs {} can be read in several ways: say which are meant, as in {}",
                                         outputs_text(tensors), example(spec, said))};
}

Result<OutputNames> assumed_names(const ModelSpec& spec, const OutputNames& said) {
  OutputNames names = said;
  if (spec.outputs.size() == 1) names.try_emplace(spec.outputs.front(), "output0");
  if (names.size() == spec.outputs.size()) return names;
  return Error{Errc::kUsage,
               fmt::format("no runtime here tells which output is which: say it, as in {}", example(spec, said))};
}

}  // namespace posecam
