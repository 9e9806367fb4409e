#include "models/core/file.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <string_view>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

namespace posecam {
namespace {

constexpr int kNoWriterMs = 5000;

Error reason(int error_number) { return {Errc::kModel, std::generic_category().message(error_number)}; }
Error too_large(std::size_t most) { return {Errc::kModel, fmt::format("larger than {} bytes", most)}; }

bool is_null_device(const struct stat& info) { return S_ISCHR(info.st_mode) && info.st_rdev == ::makedev(1, 3); }

/// Why not, or nothing.
Result<void> check_kind(const struct stat& info, std::size_t most, Readable what) {
  if (S_ISDIR(info.st_mode)) return reason(EISDIR);
  if (S_ISREG(info.st_mode)) {
    if (static_cast<std::uint64_t>(info.st_size) > most) return too_large(most);
    return {};
  }
  const bool pipe = S_ISFIFO(info.st_mode) && what == Readable::kFileOrPipe;
  if (pipe || is_null_device(info)) return {};
  return Error{Errc::kModel, what == Readable::kFile ? "not a file" : "neither a file nor a pipe"};
}

/// Waits until a pipe that gave nothing has something to give or has ended. `written`: somebody has it open for
/// writing.
Result<void> wait_for_pipe(int fd, bool written) {
  pollfd pipe{fd, POLLIN, 0};
  const int ready = ::poll(&pipe, 1, written ? -1 : kNoWriterMs);
  if (ready == 0) return Error{Errc::kModel, "nobody writes to this pipe"};
  if (ready < 0 && errno != EINTR) return reason(errno);
  return {};
}

/// That has no other name: what is written to it goes nowhere else.
bool is_own_file(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_nlink <= 1 && info.st_uid == ::geteuid();
}

}  // namespace

int open_own_file(const std::filesystem::path& path, int flags) {
  constexpr int kAlways = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  for (;;) {
    // What was just made is ours, though some file systems say that all is root's.
    int fd = ::open(path.c_str(), flags | kAlways | O_CREAT | O_EXCL, 0600);
    if (fd >= 0 || (errno != EEXIST && errno != EINTR)) return fd;
    fd = ::open(path.c_str(), flags | kAlways);
    if (fd < 0 && (errno == ENOENT || errno == EINTR)) continue;  // gone meanwhile
    if (fd < 0 && errno == ENXIO) errno = ELOOP;                  // a pipe without a reader
    if (fd < 0 || (is_own_file(fd) && ::fchmod(fd, 0600) == 0)) return fd;
    ::close(fd);
    errno = ELOOP;
    return -1;
  }
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

void sync_folder_of(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.parent_path();
  const FileHandle open(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (open.get() >= 0) (void)::fsync(open.get());
}

mode_t usual_mode() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "Umask:" && status >> word) return 0666 & ~static_cast<mode_t>(std::strtoul(word.c_str(), nullptr, 8));
  }
  return 0644;
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t most, Readable what) {
  // O_NONBLOCK: a pipe without a writer would not even be opened.
  const FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat info {};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0) return reason(errno);
  if (auto readable = check_kind(info, most, what); !readable) return readable.error();
  std::string bytes;
  std::array<char, std::size_t{1} << 16> block{};
  bool waited = !S_ISFIFO(info.st_mode);
  for (;;) {
    const ssize_t n = ::read(file.get(), block.data(), block.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN) return reason(errno);
    if (n > 0) {
      if (static_cast<std::size_t>(n) > most - bytes.size()) return too_large(most);
      bytes.append(block.data(), static_cast<std::size_t>(n));
      waited = true;
      continue;
    }
    if (n == 0 && waited) return bytes;
    if (auto ready = wait_for_pipe(file.get(), n < 0); !ready) return ready.error();
    if (n == 0) waited = true;  // what comes next decides: data, or an end without any
  }
}

}  // namespace posecam
