#include "pipeline/cpu/network_cache.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "models/core/file.h"
#include "models/core/sha256.h"
#include "pipeline/neuron/machine/own_folder.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSumSize = 64;  // in front of the network
constexpr const char* kExtension = ".network";

/// Of the key as well: a file that was given another's name is not that one.
std::string sum_of(std::string_view key, std::string_view network) { return sha256_of({key, network}); }

Error failure(const fs::path& path, const char* what) {
  return {Errc::kModel, fmt::format("{}: {}: {}", path.string(), what, std::generic_category().message(errno))};
}

}  // namespace

fs::path NetworkCache::file_of(std::string_view key) const { return folder_ / (sha256_of({key}) + kExtension); }

std::optional<std::string> NetworkCache::get(std::string_view key, std::string* damage) const {
  const auto own = OwnFolder::open(folder_);
  if (!own) return {};
  const fs::path file = file_of(key);
  const FileHandle in(own->open_file(file.filename(), O_RDONLY));
  struct stat info {};
  if (in.get() < 0 || ::fstat(in.get(), &info) != 0) return {};
  const auto size = static_cast<std::uint64_t>(info.st_size);
  std::string content(std::min(size, most_bytes_), '\0');
  const bool read = read_start(in.get(), content.data(), content.size());
  std::error_code ec;
  if (!read || size > most_bytes_ || size < kSumSize ||
      content.substr(0, kSumSize) != sum_of(key, std::string_view(content).substr(kSumSize))) {
    if (damage != nullptr)
      *damage = fmt::format("{}: this compiled network was damaged; it is made anew", file.string());
    fs::remove(file, ec);
    return {};
  }
  fs::last_write_time(file, fs::file_time_type::clock::now(), ec);  // used
  return content.substr(kSumSize);
}

Result<void> NetworkCache::put(std::string_view key, std::string_view network) const {
  if (const auto own = OwnFolder::make(folder_); !own) return Error{Errc::kModel, own.error().message};
  std::string unfinished = (folder_ / "XXXXXX").string();
  const int fd = ::mkostemp(unfinished.data(), O_CLOEXEC);
  if (fd < 0) return failure(folder_, "cannot be written");
  const bool written = write_all(fd, sum_of(key, network)) && write_all(fd, network);
  ::close(fd);
  if (!written || ::rename(unfinished.c_str(), file_of(key).c_str()) != 0) {
    const Error error = failure(folder_, "cannot be written");
    ::unlink(unfinished.c_str());
    return error;
  }
  trim();
  return {};
}

void NetworkCache::trim() const {
  struct Kept {
    fs::file_time_type used;
    std::uint64_t size;
    fs::path file;
  };
  std::vector<Kept> all;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(folder_, ec)) {
    if (entry.is_regular_file(ec)) all.push_back({entry.last_write_time(ec), entry.file_size(ec), entry.path()});
  }
  std::ranges::sort(all, std::ranges::greater(), &Kept::used);
  std::uint64_t bytes = 0;
  for (const Kept& kept : all) {
    bytes += kept.size;
    if (bytes > most_bytes_) fs::remove(kept.file, ec);
  }
}

}  // namespace posecam
