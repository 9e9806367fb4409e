#include "models/made.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "models/resnet50.h"
#include "models/scratch_folder.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;

constexpr std::pair<std::string_view, std::string (*)()> kMakers[] = {{"resnet50", make_resnet50}};

Result<void> write(const fs::path& file, const std::string& bytes) {
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  std::ofstream stream(file, std::ios::binary);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  if (stream) return {};
  return Error{Errc::kOutput, fmt::format("{}: cannot be written: {}", file.native(),
                                          std::error_code(errno, std::generic_category()).message())};
}

auto find_maker(std::string_view model) {
  const auto found = std::ranges::find(kMakers, model, [](const auto& maker) { return maker.first; });
  return found == std::end(kMakers) ? nullptr : found->second;
}

}  // namespace

bool is_made(std::string_view model) { return find_maker(model) != nullptr; }

Result<std::vector<FileReport>> make_weights(const ModelStore& store, const ModelSpec& spec, PullOptions options) {
  const auto maker = find_maker(spec.name);
  if (!maker) {
    return Error{Errc::kUsage,
                 fmt::format("model '{}' is not made but pulled; run: {}", spec.name, pull_command(spec))};
  }
  auto present = store.verify(spec);
  if (std::ranges::all_of(present, [](const FileReport& r) { return r.state == FileState::kGood; })) return present;
  const auto workshop = ScratchFolder::make();
  if (!workshop) return workshop.error();
  const fs::path file = workshop->path() / spec.weights.front().files.front().mirror_path;
  if (auto written = write(file, maker()); !written) return written.error();
  options.mirror = workshop->path();
  return store.pull(spec, options);
}

}  // namespace posecam
