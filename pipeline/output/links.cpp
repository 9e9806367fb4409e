#include "pipeline/output/links.h"

#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

namespace posecam {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;  // as of Linux, path_resolution(7)

/// Whose place a link is told by its folder: the system's are its own.
bool is_of_a_process(const fs::path& link) {
  std::error_code ec;
  const fs::path folder = fs::canonical(link.parent_path().empty() ? "." : link.parent_path(), ec);
  return !ec && folder.native().starts_with("/proc/");
}

struct Way {
  fs::path end;
  bool of_a_process = false;
  bool of_others = false;
  bool endless = false;
};

Way follow(const std::string& location) {
  Way way{.end = location};
  for (int links = 0; links < kMostLinks; ++links) {
    struct stat info {};
    if (::lstat(way.end.c_str(), &info) != 0 || !S_ISLNK(info.st_mode)) return way;
    way.of_a_process = is_of_a_process(way.end);
    if (way.of_a_process) return way;
    way.of_others = way.of_others || (info.st_uid != ::geteuid() && info.st_uid != 0);
    std::error_code ec;
    const fs::path to = fs::read_symlink(way.end, ec);
    if (ec) return way;
    way.end = to.is_absolute() ? to : way.end.parent_path() / to;
  }
  way.endless = true;
  return way;
}

}  // namespace

Result<std::string> follow_links(const std::string& location) {
  const Way way = follow(location);
  if (way.of_others) {
    return Error{Errc::kUsage, fmt::format("{}: is a link that another user made, to {}; give the name of a file",
                                           location, way.end.string())};
  }
  if (way.endless) return Error{Errc::kUsage, fmt::format("{}: is a link that leads nowhere; remove it", location)};
  return way.of_a_process ? location : way.end.string();
}

bool names_descriptor(const std::string& location) { return follow(location).of_a_process; }

}  // namespace posecam
