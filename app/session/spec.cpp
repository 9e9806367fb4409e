#include "app/session/spec.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <map>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "pipeline/output/result_file.h"
#include "postprocess/documents/image_ids.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStdout = "-";

/// Files that are taken, and by what.
using Taken = std::map<std::string, std::string>;

/// What tells a file from others: its path without links, and, if it is there, where it lies on the disk.
std::vector<std::string> identities(const std::string& path) {
  std::error_code ec;
  const fs::path whole = fs::weakly_canonical(fs::absolute(path, ec), ec);  // of "x" alone it keeps what is relative
  std::vector<std::string> all{ec ? path : whole.string()};
  struct stat info {};
  if (stat(path.c_str(), &info) == 0) all.push_back(fmt::format("{}:{}", info.st_dev, info.st_ino));  // is no path
  return all;
}

void take_input(Taken& taken, const std::string& file) {
  for (const std::string& identity : identities(file)) taken[identity] = "the input " + file;
}

Result<void> check_alone(const SessionSpec& spec) {
  const AnnotatedVideo& video = spec.video;
  if (!video.file.empty() && !container_of(video.file)) {
    return Error{Errc::kUsage, fmt::format("{}: the name must end in .mp4, .mov, .mkv, .webm or .avi",
                                           describe_output(video.name, video.file))};
  }
  if (std::ranges::count(spec.sinks, kStdout, &Sink::location) > 1) {
    return Error{Errc::kUsage, "only one output can be - (standard output); give the others names of files"};
  }
  return {};
}

/// An output is two files: it has another name until it is complete.
Result<void> take(Taken& taken, const std::string& name, const std::string& file) {
  if (file.empty() || file == kStdout || is_written_straight(file)) return {};
  const std::string output = describe_output(name, file);
  for (const std::string& path : {file, part_name(file)}) {
    for (const std::string& identity : identities(path)) {
      const auto [at, fresh] = taken.emplace(identity, path == file ? output : output + " while it is written");
      if (fresh) continue;
      const std::string as = path == file ? "" : fmt::format(" (written as {})", path);
      return Error{Errc::kUsage, fmt::format("{}{} would overwrite {}; give another name", output, as, at->second)};
    }
  }
  return {};
}

/// No two pictures of one file of COCO results may have the same id.
Result<void> check_image_ids(std::span<const SessionSpec> specs) {
  std::map<std::pair<std::string, std::int64_t>, std::string> taken;  // by location and id
  for (const SessionSpec& spec : specs) {
    for (const Sink& sink : spec.sinks) {
      if (sink.format != ResultFormat::kCoco) continue;
      const std::string output = describe_output(sink.name, sink.location);
      const auto ids = image_ids_of(image_stems(spec.input));
      if (!ids) return Error{ids.error().code, output + ": " + ids.error().message};
      for (std::size_t i = 0; i < ids->size(); ++i) {
        const std::string picture = spec.input.images[i].string();
        const auto [at, fresh] = taken.emplace(std::pair(sink.location, (*ids)[i]), picture);
        if (fresh) continue;
        return Error{Errc::kUsage,
                     fmt::format("{}: {} and {} would both be image {}; rename one, or name a file, so that each input "
                                 "gets one of its own",
                                 output, at->second, picture, (*ids)[i])};
      }
    }
  }
  return {};
}

}  // namespace

bool is_apart(const SessionSpec& spec) {
  const Input& input = spec.input;
  constexpr std::array<std::string_view, 3> kOwnDescriptors{"/dev/stdin", "/dev/fd/", "/proc/self/fd/"};
  const bool of_this_process =
      input.kind != InputKind::kPipe &&
      std::ranges::any_of(kOwnDescriptors, [&](std::string_view names) { return input.given.starts_with(names); });
  return spec.apart && is_decoded(input.kind) && !input.repeats && !of_this_process;
}

Result<void> check_specs(std::span<const SessionSpec> specs) {
  Taken taken;
  for (const SessionSpec& spec : specs) {
    if (auto alone = check_alone(spec); !alone) return alone;
    if (spec.input.kind == InputKind::kVideoFile) take_input(taken, spec.input.given);
    for (const fs::path& image : spec.input.images) take_input(taken, image.string());
  }
  for (const SessionSpec& spec : specs) {
    if (auto free = take(taken, spec.video.name, spec.video.file); !free) return free;
    for (const Sink& sink : spec.sinks) {
      if (sink.format == ResultFormat::kOpenpose) continue;  // a folder may be common to all
      if (auto free = take(taken, sink.name, sink.location); !free) return free;
    }
  }
  return check_image_ids(specs);
}

std::optional<Container> container_of(const std::string& file) {
  std::string extension = fs::path(file).extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return std::tolower(c); });
  if (extension == ".mp4" || extension == ".m4v") return Container::kMp4;
  if (extension == ".mov") return Container::kMov;
  if (extension == ".mkv") return Container::kMkv;
  if (extension == ".avi") return Container::kAvi;
  if (extension == ".webm") return Container::kWebm;
  return {};
}

const char* muxer_of(Container container) {
  switch (container) {
    case Container::kMp4: return "mp4mux";
    case Container::kMov: return "qtmux";
    case Container::kMkv: return "matroskamux";
    case Container::kAvi: return "avimux";
    case Container::kWebm: return "webmmux";
  }
  return "";
}

std::string describe_output(const std::string& name, const std::string& location) {
  return name.empty() ? location : name + " " + location;
}

std::vector<std::string> files_of(const SessionSpec& spec) {
  std::vector<std::string> files;
  if (!spec.video.file.empty()) files.push_back(spec.video.file);
  for (const Sink& sink : spec.sinks) {
    if (sink.location != kStdout) files.push_back(sink.location);
  }
  return files;
}

}  // namespace posecam
