#include "models/spec/zoo.h"

#include <algorithm>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/core/paths.h"
#include "models/core/text.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;

static_assert(std::string_view(kModelHelp).find(kBetterModel) != std::string_view::npos &&
              std::string_view(kModelHelp).find(kBuiltInModel) != std::string_view::npos);

/// "; did you mean 'openpose'?" when a name is close or starts alike, else nothing.
std::string suggestion(std::string_view asked, const std::vector<std::string>& names) {
  const std::string* best = nullptr;
  std::size_t least = std::max<std::size_t>(2, asked.size() / 3) + 1;
  for (const std::string& name : names) {
    const bool starts_alike = asked.size() >= 3 && name.starts_with(asked);
    const std::size_t distance = starts_alike ? 0 : edit_distance(asked, name);
    if (distance < least) {
      least = distance;
      best = &name;
    }
  }
  return best ? fmt::format("; did you mean '{}'?", *best) : "";
}

}  // namespace

std::string built_in_model_note(std::string_view command) {
  return fmt::format("no model named: running {}, which comes with the program; for the more accurate {} run: {}",
                     kBuiltInModel, kBetterModel, command);
}

Result<std::vector<std::string>> zoo_names() {
  const auto share = share_dir();
  if (!share) return share.error();
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(*share / "models", error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".json") names.push_back(it->path().stem().string());
  }
  if (error) {
    return Error{Errc::kModel, fmt::format("{}: {}", (*share / "models").native(), error.message())};
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<fs::path> find_descriptor(std::string_view name_or_path) {
  std::error_code gone;
  if (name_or_path.ends_with(".neff") && fs::exists(name_or_path, gone)) {
    return Error{Errc::kModel,
                 fmt::format("{0}: a compiled network, which needs a descriptor; run: posecam compile MODEL --neff "
                             "BATCH={0}, with the model that it was compiled from (posecam models list, or FILE.json)",
                             name_or_path)};
  }
  if (name_or_path.find('/') != std::string_view::npos || name_or_path.ends_with(".json") ||
      name_or_path.ends_with(".neff")) {
    return fs::path(name_or_path);
  }
  const auto names = zoo_names();
  if (!names) return names.error();
  if (std::find(names->begin(), names->end(), name_or_path) == names->end()) {
    return Error{Errc::kModel,
                 fmt::format("no model '{}' in the zoo{} (it has {}); a descriptor of your own is given by "
                             "its path (FILE.json)",
                             name_or_path, suggestion(name_or_path, *names), fmt::join(*names, ", "))};
  }
  const auto share = share_dir();
  if (!share) return share.error();
  return *share / "models" / fmt::format("{}.json", name_or_path);
}

}  // namespace posecam
