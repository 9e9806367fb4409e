#include "pipeline/result_file.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <mutex>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace posecam {
namespace {

constexpr std::string_view kStdout = "-";

std::string_view remedy(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT: return "free some space or write to another disk";
    case EFBIG: return "raise the limit on file sizes or write shorter clips";
    case EPIPE: return "its reader has gone; let it read to the end";
    case ENOENT:
    case ENOTDIR: return "create its folder first";
    case EISDIR: return "give the name of a file";
    case EACCES:
    case EPERM:
    case EROFS: return "choose a place that you may write to";
    default: return "check the disk and the path";
  }
}

Error file_error(std::string_view location, std::string_view action, int error_number) {
  return {Errc::kMedia, fmt::format("{}: cannot {}: {}; {}", location == kStdout ? "standard output" : location, action,
                                    std::generic_category().message(error_number), remedy(error_number))};
}

int open_for_writing(const std::string& path) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

}  // namespace

bool is_written_straight(const std::string& location) {
  struct stat info {};
  return ::stat(location.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

Result<ResultFile> ResultFile::create(std::string location) {
  if (location == kStdout) return ResultFile(std::move(location), {}, STDOUT_FILENO);
  std::error_code ec;
  if (std::filesystem::is_directory(location, ec)) return file_error(location, "write", EISDIR);
  const bool straight = is_written_straight(location);
  std::string part = straight ? std::string() : part_name(location);
  const int fd = open_for_writing(straight ? location : part);
  if (fd < 0) return file_error(location, "create", errno);
  return ResultFile(std::move(location), std::move(part), fd);
}

ResultFile::ResultFile(std::string location, std::string part, int fd)
    : location_(std::move(location)), part_(std::move(part)), fd_(fd) {}

ResultFile::ResultFile(ResultFile&& other) noexcept
    : location_(std::move(other.location_)),
      part_(std::move(other.part_)),
      fd_(std::exchange(other.fd_, -1)),
      state_(std::move(other.state_)) {}

ResultFile& ResultFile::operator=(ResultFile&& other) noexcept {
  if (this == &other) return *this;
  close_descriptor();
  location_ = std::move(other.location_);
  part_ = std::move(other.part_);
  fd_ = std::exchange(other.fd_, -1);
  state_ = std::move(other.state_);
  return *this;
}

ResultFile::~ResultFile() { close_descriptor(); }

// 0 or the error number. Standard output belongs to the process and stays open.
int ResultFile::close_descriptor() {
  const int fd = std::exchange(fd_, -1);
  if (fd < 0 || fd == STDOUT_FILENO) return 0;
  return ::close(fd) == 0 || errno == EINTR ? 0 : errno;
}

Result<void> ResultFile::fail(std::string_view action, int error_number) {
  state_ = file_error(location_, action, error_number);
  close_descriptor();
  return state_;
}

Result<void> ResultFile::write(std::string_view text) {
  if (!state_) return state_;
  // A pipe takes texts above PIPE_BUF in pieces, between which another stream's could come.
  static std::mutex stdout_mutex;
  std::unique_lock whole(stdout_mutex, std::defer_lock);
  if (fd_ == STDOUT_FILENO) whole.lock();
  while (!text.empty()) {
    const ssize_t written = ::write(fd_, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail("write", errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

void ResultFile::discard() {
  close_descriptor();
  if (!part_.empty()) ::unlink(part_.c_str());
}

Result<void> ResultFile::commit() {
  if (!state_ || fd_ < 0) return state_;
  if (const int error = close_descriptor()) return fail("write", error);
  if (!part_.empty() && std::rename(part_.c_str(), location_.c_str()) != 0) return fail("name", errno);
  return {};
}

}  // namespace posecam
