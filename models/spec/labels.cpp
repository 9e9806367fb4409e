#include "models/spec/labels.h"

#include <algorithm>
#include <sstream>
#include <system_error>
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
    if (!is_label(line)) {
      return problem(
          fmt::format("line {} is not a label of 1 to {} printable characters", labels.size() + 1, kLongestLabel));
    }
    labels.push_back(std::move(line));
  }
  if (labels.empty()) return problem("is empty");
  return labels;
}

Result<std::vector<std::uint8_t>> pick_labels(const std::vector<std::string>& labels, std::string_view names) {
  std::vector<std::uint8_t> picked(labels.size(), 0);
  for (;;) {
    const auto comma = names.find(',');
    const std::string_view name = trimmed(names.substr(0, comma));
    if (name.empty()) return Error{Errc::kUsage, "a name is empty; give labels of the model, separated by commas"};
    bool known = false;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] != name || name == kNoLabel) continue;
      picked[i] = 1;
      known = true;
    }
    if (!known) {
      return Error{Errc::kUsage, fmt::format("the model has no label '{}'; the nearest are {}", short_line(name),
                                             nearest(labels, name))};
    }
    if (comma == std::string_view::npos) return picked;
    names.remove_prefix(comma + 1);
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
