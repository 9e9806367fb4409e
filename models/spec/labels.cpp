#include "models/spec/labels.h"

#include <algorithm>
#include <sstream>
#include <system_error>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "models/core/file.h"
#include "models/core/paths.h"
#include "models/core/text.h"
#include "models/spec/json_reader.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_label(const std::string& line) {
  return !line.empty() && is_printable(line) && characters(line) <= kLongestLabel;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// The three labels that are nearest to a name that is none: "person, pear, pen".
std::string nearest(const std::vector<std::string>& labels, std::string_view name) {
  std::vector<std::pair<std::size_t, std::string_view>> by_distance;
  for (const std::string& label : labels) {
    if (label != kNoLabel) by_distance.emplace_back(edit_distance(name, label), label);
  }
  std::ranges::stable_sort(by_distance, {}, [](const auto& entry) { return entry.first; });
  std::string names;
  for (std::size_t i = 0; i < by_distance.size() && i < 3; ++i) {
    names += fmt::format("{}{}", i == 0 ? "" : ", ", by_distance[i].second);
  }
  return names;
}

Error unknown_label(const std::vector<std::string>& labels, std::string_view name) {
  if (name.empty()) return {Errc::kUsage, "a name is empty; give labels of the model, separated by commas"};
  if (characters(name) > kLongestLabel) {
    return {Errc::kUsage, fmt::format("the model has no label '{}': no label has more than {} characters",
                                      short_line(name), kLongestLabel)};
  }
  return {Errc::kUsage,
          fmt::format("the model has no label '{}'; the nearest are {}", short_line(name), nearest(labels, name))};
}

/// The longest beginning of `names` that is a label and ends at a comma or with the list; else all before the first
/// comma.
std::string_view first_label(const std::unordered_multimap<std::string_view, std::size_t>& labels,
                             std::ptrdiff_t most_commas, std::string_view names) {
  std::string_view longest = names.substr(0, names.find(','));
  auto end = names.find(',');
  for (std::ptrdiff_t joined = 0; joined < most_commas && end != std::string_view::npos; ++joined) {
    end = names.find(',', end + 1);
    if (labels.contains(trimmed(names.substr(0, end)))) longest = names.substr(0, end);
  }
  return longest;
}

}  // namespace

Result<std::vector<std::string>> read_labels(const fs::path& file) {
  const auto problem = [&file](const std::string& what) {
    return Error{Errc::kModel, fmt::format("{}: {}: give a text file with one label a line", file.native(), what)};
  };
  const auto text = read_file(file, kMaxLabels * (4 * kLongestLabel + 2), Readable::kFile);
  if (!text) return problem("cannot be read: " + text.error().message);
  std::istringstream stream(*text);
  std::vector<std::string> labels;
  for (std::string line; std::getline(stream, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (labels.empty() && line.starts_with(kByteOrderMark)) line.erase(0, kByteOrderMark.size());
    if (labels.size() == kMaxLabels) return problem(fmt::format("more than {} labels", kMaxLabels));
    line = std::string(trimmed(line));
    if (!is_label(line)) {
      return problem(
          fmt::format("line {} is not a label of 1 to {} printable characters", labels.size() + 1, kLongestLabel));
    }
    labels.push_back(std::move(line));
  }
  if (labels.empty()) return problem("is empty");
  return labels;
}

// Labels may have commas themselves: of the names between commas as many are joined as make a label.
Result<std::vector<std::uint8_t>> pick_labels(const std::vector<std::string>& labels, std::string_view names) {
  std::unordered_multimap<std::string_view, std::size_t> known;
  std::ptrdiff_t most_commas = 0;  // in a label
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == kNoLabel) continue;
    known.emplace(trimmed(labels[i]), i);
    most_commas = std::max(most_commas, std::ranges::count(labels[i], ','));
  }
  std::vector<std::uint8_t> picked(labels.size(), 0);
  for (;;) {
    const std::string_view name = first_label(known, most_commas, names);
    const auto [first, last] = known.equal_range(trimmed(name));
    if (first == last) return unknown_label(labels, trimmed(name));
    for (auto at = first; at != last; ++at) picked[at->second] = 1;
    if (name.size() == names.size()) return picked;
    names.remove_prefix(name.size() + 1);
  }
}

Result<fs::path> find_labels(const std::string& name, const fs::path& descriptor) {
  std::error_code error;
  fs::path beside = descriptor.parent_path() / name;
  if (fs::is_regular_file(beside, error)) return beside;
  const auto share = share_dir();
  if (!share) return share.error();
  fs::path in_zoo = *share / "models" / name;
  if (fs::is_regular_file(in_zoo, error)) return in_zoo;
  return Error{Errc::kModel,
               fmt::format("no file '{}' beside the descriptor, nor in {}", name, in_zoo.parent_path().native())};
}

}  // namespace posecam
