#include "pipeline/neuron/report/core_groups.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace posecam {
namespace {

constexpr std::uint32_t kMostCores = 1024;

bool read_count(std::string_view text, std::uint32_t& count) {
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, count);
  return read.ec == std::errc{} && read.ptr == end && count >= 1 && count <= kMostCores;
}

bool read_group(std::string_view text, CoreGroup& group) {
  const auto cross = text.find('x');
  if (cross == std::string_view::npos) return read_count(text, group.cores);
  return read_count(text.substr(0, cross), group.copies) && read_count(text.substr(cross + 1), group.cores);
}

}  // namespace

Result<std::vector<CoreGroup>> parse_core_groups(std::string_view text) {
  std::string plain(text);
  std::erase_if(plain, [](char c) { return c == '[' || c == ']' || c == ' '; });
  const Error wrong{Errc::kUsage,
                    fmt::format("NEURONCORE_GROUP_SIZES={}: must be like 4x1 (four copies on a core each) "
                                "or 2x1,1x2 (a group for each model), at most {} cores",
                                text, kMostCores)};
  std::vector<CoreGroup> groups;
  std::uint32_t total = 0;
  for (std::size_t from = 0; from <= plain.size();) {
    const std::size_t to = std::min(plain.find(',', from), plain.size());
    CoreGroup group;
    if (!read_group(std::string_view(plain).substr(from, to - from), group)) return wrong;
    total += group.total();
    if (total > kMostCores) return wrong;
    groups.push_back(group);
    from = to + 1;
  }
  return groups;
}

std::vector<std::vector<CoreId>> neighbours(const std::vector<CoreId>& cores, std::uint32_t need) {
  std::vector<std::vector<CoreId>> runs;
  std::vector<CoreId> run;
  for (const CoreId core : cores) {
    if (!run.empty() && core != run.back() + 1) run.clear();
    run.push_back(core);
    if (run.size() == need) runs.push_back(std::exchange(run, {}));
  }
  return runs;
}

}  // namespace posecam
