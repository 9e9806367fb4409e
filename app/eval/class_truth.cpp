#include "app/eval/class_truth.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "app/pictures/format.h"
#include "app/session/input/inputs.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kTop = 5;
constexpr std::string_view kBlank = " \t\r";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// A name before a number: labels may be digits.
std::optional<int> label_id_of(std::string_view name, std::span<const std::string> labels) {
  const auto at = std::ranges::find(labels, name);
  if (at != labels.end()) return static_cast<int>(at - labels.begin());
  int id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  const bool whole = error == std::errc() && end == name.data() + name.size();
  if (!whole || id < 0 || static_cast<std::size_t>(id) >= labels.size()) return std::nullopt;
  return id;
}

Error unknown_class(const std::string& where, std::string_view name, std::span<const std::string> labels) {
  return {Errc::kMedia,
          fmt::format("{}: '{}' is none of the model's {} labels, nor a label id from 0 to {}; see posecam "
                      "models show, or give the labels with --labels-file",
                      where, name, labels.size(), static_cast<std::ptrdiff_t>(labels.size()) - 1)};
}

bool is_hidden_file(const fs::path& path) { return path.filename().native().starts_with('.'); }

}  // namespace

Result<ClassTruth> parse_class_list(std::string_view text, const std::string& where,
                                    std::span<const std::string> labels) {
  ClassTruth truth;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view row = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (row.empty()) continue;
    const std::string place = fmt::format("{}: line {}", where, line);
    const bool has_tab = row.find('\t') != std::string_view::npos;
    const std::size_t split = row.find(has_tab ? '\t' : ' ');
    if (split == std::string_view::npos) {
      return Error{Errc::kMedia, place + ": expected a picture and its class, with a space or a tab between them"};
    }
    const std::string_view name = trimmed(row.substr(split));
    const auto id = label_id_of(name, labels);
    if (!id) return unknown_class(place, name, labels);
    truth.pictures.push_back({std::string(trimmed(row.substr(0, split))), {}});
    truth.label_ids.push_back(*id);
  }
  if (truth.pictures.empty()) return Error{Errc::kMedia, where + ": names no pictures; give a line for each"};
  return truth;
}

Result<ClassTruth> read_class_folders(const fs::path& folder, std::span<const std::string> labels) {
  std::vector<fs::path> classes;
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code type_error;
    if (it->is_directory(type_error) && !is_hidden_file(it->path())) classes.push_back(it->path());
  }
  ClassTruth truth;
  std::ranges::sort(classes, [](const fs::path& a, const fs::path& b) { return natural_less(a.string(), b.string()); });
  for (const fs::path& of_class : classes) {
    const auto id = label_id_of(of_class.filename().string(), labels);
    if (!id) return unknown_class(of_class.string(), of_class.filename().string(), labels);
    files.clear();
    for (fs::directory_iterator it(of_class, error), end; !error && it != end; it.increment(error)) {
      if (!is_hidden_file(it->path()) && kind_by_extension(it->path()).decodable()) files.push_back(it->path());
    }
    if (error) break;
    std::ranges::sort(files, [](const fs::path& a, const fs::path& b) { return natural_less(a.string(), b.string()); });
    for (const fs::path& file : files) {
      truth.pictures.push_back({(of_class.filename() / file.filename()).string(), {}});
      truth.label_ids.push_back(*id);
    }
  }
  if (error) return Error{Errc::kMedia, fmt::format("{}: {}; check the path", folder.string(), error.message())};
  if (!truth.pictures.empty()) return truth;
  return Error{Errc::kMedia, folder.string() +
                                 ": no folders with pictures; put those of each class into a folder that "
                                 "is called like it, or name a list with --annotations"};
}

ClassStats score_classes(const ClassTruth& truth, const Analysis& analysis) {
  std::size_t first = 0;
  std::size_t among = 0;
  for (std::size_t i = 0; i < truth.label_ids.size(); ++i) {
    const auto& classes = analysis.results[i]->classes;
    const auto end = classes.begin() + static_cast<std::ptrdiff_t>(std::min(kTop, classes.size()));
    const auto at = std::find_if(classes.begin(), end, [&](const auto& c) { return c.label_id == truth.label_ids[i]; });
    if (at != end) ++among;
    if (at != end && at == classes.begin()) ++first;
  }
  const auto all = static_cast<double>(truth.label_ids.size());
  return {static_cast<double>(first) / all, static_cast<double>(among) / all};
}

}  // namespace posecam
