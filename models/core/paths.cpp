#include "models/core/paths.h"

#include <array>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <pwd.h>
#include <string>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

namespace posecam {
namespace {

namespace fs = std::filesystem;

/// The file that the code of this function was mapped from. The memory map knows it for a program and for a plugin
/// alike; dladdr() gives argv[0] for a program, and may give a relative path.
Result<fs::path> own_module() {
  const auto here = reinterpret_cast<std::uintptr_t>(&own_module);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR, &begin, &end) != 2) continue;
    const auto slash = line.find('/');
    if (here >= begin && here < end && slash != std::string::npos) return fs::path(line.substr(slash));
  }
  return Error{Errc::kModel, "cannot tell from which file this program runs: /proc/self/maps is not readable"};
}

Result<fs::path> home_dir() {
  if (const char* home = std::getenv("HOME"); home && *home == '/') return fs::path(home);
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(getuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found && found->pw_dir &&
      *found->pw_dir == '/') {
    return fs::path(found->pw_dir);
  }
  return Error{Errc::kModel, "no home directory to keep models in: set HOME or XDG_DATA_HOME"};
}

}  // namespace

Result<fs::path> find_share_dir(const fs::path& start) {
  std::error_code error;
  for (fs::path dir = start;; dir = dir.parent_path()) {
    fs::path share = dir / "share" / "posecam";
    if (fs::is_directory(share / "models", error)) return share;
    if (dir == dir.parent_path()) break;
  }
  return Error{Errc::kModel, fmt::format("no share/posecam/models beside or above {}: the installation is incomplete",
                                         start.native())};
}

Result<fs::path> share_dir() {
  auto module = own_module();
  if (!module) return module;
  return find_share_dir(module->parent_path());
}

fs::path cache_dir(std::string_view name) {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache && cache[0] == '/') return fs::path(cache) / "posecam" / name;
  const char* home = std::getenv("HOME");
  if (home && home[0] == '/') return fs::path(home) / ".cache/posecam" / name;
  return {};
}

bool in_zoo(const fs::path& descriptor) {
  const auto share = share_dir();
  return share && descriptor.parent_path() == *share / "models";
}

Result<fs::path> default_store_dir() {
  if (const char* data = std::getenv("XDG_DATA_HOME"); data && *data == '/') {
    return fs::path(data) / "posecam" / "models";
  }
  auto home = home_dir();
  if (!home) return home;
  return *home / ".local" / "share" / "posecam" / "models";
}

}  // namespace posecam
