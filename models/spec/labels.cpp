#include "models/spec/labels.h"

#include <sstream>
#include <system_error>

#include <fmt/format.h>

#include "models/core/file.h"
#include "models/core/paths.h"
#include "models/spec/json_reader.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_label(const std::string& line) {
  return !line.empty() && is_printable(line) && characters(line) <= kLongestLabel;
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
