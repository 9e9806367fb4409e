#include "app/session/outputs.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <map>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

#include "app/session/topology.h"
#include "pipeline/output/result_file.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;

/// The file outputs of an input with their options, for messages; standard output is none.
std::array<std::pair<const char*, std::string>, 4> files_of(const Outputs& outputs) {
  std::array<std::pair<const char*, std::string>, 4> files{{{"--write-video", outputs.video},
                                                            {"--json-lines", outputs.json_lines},
                                                            {"--write-coco-json", outputs.coco},
                                                            {"--write-motion-json", outputs.motion}}};
  for (auto& [option, file] : files) {
    if (file == "-") file.clear();
  }
  return files;
}

std::string canonical(const std::string& path) {
  std::error_code ec;
  const fs::path whole = fs::weakly_canonical(path, ec);
  return ec ? path : whole.string();
}

Result<void> check_file(const char* option, const std::string& file) {
  const fs::path folder = fs::path(file).has_parent_path() ? fs::path(file).parent_path() : fs::path(".");
  std::error_code ec;
  if (!fs::is_directory(folder, ec)) {
    return Error{Errc::kMedia, fmt::format("{} {}: the folder {} does not exist; make it with: mkdir -p {}", option,
                                           file, folder.string(), folder.string())};
  }
  if (fs::is_directory(file, ec)) {
    return Error{Errc::kMedia, fmt::format("{} {}: is a folder; give the name of a file", option, file)};
  }
  if (is_written_straight(file)) return {};
  const std::string part = part_name(file);
  const bool there = fs::exists(part, ec);
  const int fd = open(part.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) {
    return Error{Errc::kMedia, fmt::format("{} {}: cannot be written: {}", option, file, std::strerror(errno))};
  }
  close(fd);
  if (!there) fs::remove(part, ec);
  return {};
}

Result<void> check_folder(const std::string& folder) {
  std::error_code ec;
  if (!fs::is_directory(folder, ec) && mkdir(folder.c_str(), 0777) != 0) {
    const int reason = errno;
    const char* remedy = reason == ENOENT ? "; make the folder around it first" : "";
    return Error{Errc::kMedia,
                 fmt::format("--write-json {}: cannot be made: {}{}", folder, std::strerror(reason), remedy)};
  }
  if (access(folder.c_str(), W_OK | X_OK) != 0) {
    return Error{Errc::kMedia, fmt::format("--write-json {}: cannot be written: {}", folder, std::strerror(errno))};
  }
  return {};
}

Result<void> check_distinct(const std::vector<Outputs>& all, const std::vector<Input>& inputs) {
  std::map<std::string, std::string> taken;
  for (const Input& input : inputs) {
    if (input.kind == InputKind::kVideoFile) taken[canonical(input.given)] = "the input " + input.given;
    for (const fs::path& image : input.images) taken[canonical(image)] = "the input " + image.string();
  }
  for (const Outputs& outputs : all) {
    for (const auto& [option, file] : files_of(outputs)) {
      if (file.empty() || is_written_straight(file)) continue;
      const auto [at, fresh] = taken.emplace(canonical(file), fmt::format("{} {}", option, file));
      if (!fresh) {
        return Error{Errc::kUsage,
                     fmt::format("{} {} would overwrite {}; give another name", option, file, at->second)};
      }
    }
  }
  return {};
}

}  // namespace

std::string with_stem(const std::string& file, const std::string& name) {
  if (file.empty() || file == "-" || is_written_straight(file)) return file;
  const fs::path path(file);
  return (path.parent_path() / (path.stem().string() + "-" + name + path.extension().string())).string();
}

Result<std::vector<Outputs>> plan_outputs(const RunOptions& options, const std::vector<Input>& inputs) {
  if (!options.write_video.empty() && muxer_for(options.write_video) == nullptr) {
    return Error{Errc::kUsage,
                 fmt::format("--write-video {}: the name must end in .mp4, .mov, .mkv or .avi", options.write_video)};
  }
  const std::array on_stdout{&options.json_lines, &options.write_coco_json, &options.write_motion_json};
  if (std::ranges::count(on_stdout, "-", [](const std::string* file) { return *file; }) > 1) {
    return Error{Errc::kUsage, "only one output can be - (standard output); give the others names of files"};
  }
  std::vector<Outputs> all;
  for (const Input& input : inputs) {
    const auto named = [&](const std::string& file) { return inputs.size() > 1 ? with_stem(file, input.name) : file; };
    all.push_back({named(options.write_video), named(options.json_lines), options.write_json,
                   named(options.write_coco_json), named(options.write_motion_json)});
  }
  if (auto distinct = check_distinct(all, inputs); !distinct) return distinct.error();
  return all;
}

Result<void> check_writable(const Outputs& outputs) {
  for (const auto& [option, file] : files_of(outputs)) {
    if (file.empty()) continue;
    if (auto done = check_file(option, file); !done) return done;
  }
  return outputs.json_folder.empty() ? Result<void>{} : check_folder(outputs.json_folder);
}

void discard_parts(const Outputs& outputs) {
  for (const auto& [option, file] : files_of(outputs)) {
    std::error_code ec;
    if (!file.empty()) fs::remove(part_name(file), ec);
  }
}

}  // namespace posecam
