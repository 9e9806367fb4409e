#include "pipeline/neuron/machine/own_folder.h"

#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace posecam {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kWritableByOthers = S_IWGRP | S_IWOTH;

Error failure(const fs::path& path, const std::string& why) {
  return {Errc::kDevice, fmt::format("{}: cannot be used: {}", path.native(), why)};
}

Error failure(const fs::path& path, int code) {
  const bool other_kind = code == ELOOP || code == ENOTDIR;
  return failure(path, other_kind ? "it is no folder" : std::generic_category().message(code));
}

}  // namespace

Result<OwnFolder> OwnFolder::open(const fs::path& path) {
  // A slash at the end would follow a link.
  const fs::path plain = path.has_filename() ? path : path.parent_path();
  const int fd = ::open(plain.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return failure(plain, errno);
  OwnFolder folder(fd);
  struct stat status {};
  if (::fstat(fd, &status) != 0) return failure(plain, errno);
  if (status.st_uid != ::geteuid()) return failure(plain, "it belongs to another user; have it removed");
  if ((status.st_mode & kWritableByOthers) != 0) return failure(plain, "other users may write to it; have it removed");
  return folder;
}

Result<OwnFolder> OwnFolder::make(const fs::path& path) {
  std::error_code error;
  const fs::path plain = path.has_filename() ? path : path.parent_path();
  if (plain.has_parent_path()) fs::create_directories(plain.parent_path(), error);
  if (error) return failure(plain.parent_path(), error.value());
  if (::mkdir(plain.c_str(), 0700) == 0) return open(plain);
  if (errno != EEXIST) return failure(plain, errno);
  // Ours from a time when it was made as usual, which may let a group write: what is in it is checked one by one.
  const int fd = ::open(plain.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  struct stat status {};
  const bool ours = fd >= 0 && ::fstat(fd, &status) == 0 && status.st_uid == ::geteuid();
  if (ours && (status.st_mode & S_IWOTH) == 0) (void)::fchmod(fd, status.st_mode & 0755);
  if (fd >= 0) ::close(fd);
  return open(plain);
}

OwnFolder::OwnFolder(OwnFolder&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
OwnFolder::~OwnFolder() {
  if (fd_ >= 0) ::close(fd_);
}

std::vector<std::string> OwnFolder::names() const {
  std::vector<std::string> names;
  // Opened anew: the position in a folder is that of its descriptor.
  const int fd = ::openat(fd_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const entries = fd < 0 ? nullptr : ::fdopendir(fd);
  if (!entries) {
    if (fd >= 0) ::close(fd);
    return names;
  }
  while (const dirent* entry = ::readdir(entries)) names.emplace_back(static_cast<const char*>(entry->d_name));
  ::closedir(entries);
  return names;
}

int OwnFolder::open_file(const std::string& name, int flags) const {
  const int fd = ::openat(fd_, name.c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  struct stat status {};
  if (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == ::geteuid() &&
      (status.st_mode & kWritableByOthers) == 0) {
    return fd;
  }
  ::close(fd);
  errno = EPERM;
  return -1;
}

bool OwnFolder::leads_to(const std::string& name, int fd) const {
  struct stat named {};
  struct stat open {};
  return ::fstatat(fd_, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 && ::fstat(fd, &open) == 0 &&
         named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

void OwnFolder::remove(const std::string& name) const { ::unlinkat(fd_, name.c_str(), 0); }

bool read_start(int fd, void* to, std::size_t bytes) {
  ssize_t n = 0;
  do {
    n = ::pread(fd, to, bytes, 0);
  } while (n < 0 && errno == EINTR);
  return n == static_cast<ssize_t>(bytes);
}

}  // namespace posecam
