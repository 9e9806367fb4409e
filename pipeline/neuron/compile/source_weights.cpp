#include "pipeline/neuron/compile/source_weights.h"

#include <algorithm>
#include <cstddef>
#include <tuple>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/store/store.h"

namespace posecam {
namespace {

std::size_t place_of(const BackendWeights& weights, std::span<const std::string_view> endings) {
  const std::string_view name = weights.files.front().name;
  const auto found = std::ranges::find_if(endings, [&](std::string_view ending) { return name.ends_with(ending); });
  return static_cast<std::size_t>(found - endings.begin());
}

bool is_published(const BackendWeights* weights) {
  return std::ranges::none_of(weights->files, [](const WeightFile& file) { return file.url.empty(); });
}

}  // namespace

Result<SourceWeights> source_weights(const ModelSpec& spec, std::span<const std::string_view> endings) {
  const auto store = ModelStore::open_default();
  if (!store) return store.error();
  std::vector<const BackendWeights*> fitting;
  for (const BackendWeights& weights : spec.weights) {
    if (weights.target.empty() && place_of(weights, endings) < endings.size()) fitting.push_back(&weights);
  }
  if (fitting.empty()) {
    return Error{Errc::kModel, fmt::format("model {}: its descriptor has no weights that can be compiled: {}",
                                           spec.name, fmt::join(endings, " or "))};
  }
  std::ranges::stable_sort(fitting, {}, [&](const BackendWeights* weights) {
    return std::tuple(weights->backend != kCompileWeights, weights->precision == "int8", place_of(*weights, endings));
  });
  auto chosen =
      std::ranges::find_if(fitting, [&](const BackendWeights* weights) { return store->has(spec, weights->backend); });
  if (chosen == fitting.end()) chosen = std::ranges::find_if(fitting, is_published);
  if (chosen == fitting.end()) chosen = fitting.begin();
  auto file = store->weights(spec, (*chosen)->backend);
  if (!file) return file.error();
  return SourceWeights{*chosen, *std::move(file)};
}

}  // namespace posecam
