#include "pipeline/neuron/machine/visible_cores.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "models/core/text.h"

namespace posecam::sim {
namespace {

constexpr std::uint32_t kMaxCore = 1023;

std::optional<std::uint32_t> parse_core(std::string_view text) {
  std::uint32_t core = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), core);
  if (error != std::errc() || end != text.data() + text.size() || core > kMaxCore) return std::nullopt;
  return core;
}

/// "3" or "3-5", both ends included.
std::optional<std::pair<std::uint32_t, std::uint32_t>> parse_part(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = parse_core(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_core(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return std::pair{*first, *last};
}

}  // namespace

Result<CoreRange> parse_visible_cores(std::string_view text) {
  CoreRange range;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t to = std::min(text.find(',', from), text.size());
    const auto part = parse_part(text.substr(from, to - from));
    if (!part)
      return Error{Errc::kUsage,
                   fmt::format("NEURON_RT_VISIBLE_CORES={}: expected a list like 0-3 or 3,4,5", short_line(text))};
    if (range.count == 0) range.first = part->first;
    if (part->first != range.first + range.count) {
      return Error{Errc::kUsage,
                   fmt::format("NEURON_RT_VISIBLE_CORES={}: cores must increase without gaps", short_line(text))};
    }
    range.count += part->second - part->first + 1;
    from = to + 1;
  }
  return range;
}

}  // namespace posecam::sim
