#include "app/commands/compile_neff.h"

#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "app/cli/console.h"
#include "models/store/store.h"
#include "pipeline/neuron/adopt/adopt_neff.h"
#include "pipeline/neuron/nrt/neuron_library.h"

namespace posecam {
namespace {

constexpr std::uint32_t kMostBatch = 1024;

/// "KEY=VALUE", or nothing.
std::optional<std::pair<std::string, std::string>> pair_of(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == 0 || equals == std::string::npos || equals + 1 == text.size()) return {};
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

Result<AdoptOptions> parse(const NeffRequest& request) {
  AdoptOptions options;
  options.target = request.target;
  for (const std::string& text : request.neffs) {
    const auto pair = pair_of(text);
    std::uint32_t batch = 0;
    if (pair) std::from_chars(pair->first.data(), pair->first.data() + pair->first.size(), batch);
    if (!pair || std::to_string(batch) != pair->first || batch < 1 || batch > kMostBatch) {
      return Error{Errc::kUsage,
                   fmt::format("--neff {}: expected BATCH=FILE, with a batch from 1 to {}", text, kMostBatch)};
    }
    if (!options.neffs.try_emplace(batch, pair->second).second) {
      return Error{Errc::kUsage, fmt::format("--neff {}: there is another file for batch {}", text, batch)};
    }
  }
  for (const std::string& text : request.map) {
    const auto pair = pair_of(text);
    if (!pair || !options.said.try_emplace(pair->first, pair->second).second) {
      return Error{Errc::kUsage, fmt::format("--map {}: expected TENSOR=OUTPUT, each tensor once", text)};
    }
  }
  return options;
}

void print(const ModelSpec& spec, const Adopted& adopted) {
  if (!adopted.untold.empty()) put("tensors not compared: {}\n", adopted.untold);
  std::map<std::string, std::string> used;
  for (const auto& [output, tensor] : adopted.outputs) used[tensor] = role_of(spec, output);
  for (const NeffTensor& tensor : adopted.tensors) {
    const auto what = used.find(tensor.name);
    const std::string says = tensor.is_input ? "" : what == used.end() ? "  unused" : "  = " + what->second;
    put("{} {}{}\n", tensor.is_input ? "input " : "output", to_string(tensor), says);
  }
  if (!adopted.tensors.empty()) return;
  for (const auto& [tensor, role] : used) put("output {}  = {}\n", tensor, role);
}

}  // namespace

Result<void> compile_neffs(const ModelSpec& spec, const NeffRequest& request, const std::filesystem::path& folder,
                           bool in_store) {
  const auto options = parse(request);
  if (!options) return options.error();
  const auto adopted = adopt_neffs(spec, *options, folder);
  if (!adopted) return adopted.error();
  print(spec, *adopted);
  put("{}\nRun it: posecam run CLIP --model {} --device {}\n", adopted->descriptor.string(),
      in_store ? model_argument(spec) : adopted->descriptor.string(), adopted->target == "sim" ? kNeuronSim : kNeuron);
  return {};
}

}  // namespace posecam
