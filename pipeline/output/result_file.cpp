#include "pipeline/output/result_file.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <mutex>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <climits>
#include <fmt/format.h>

#include "models/core/file.h"
#include "pipeline/output/links.h"

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
    case EBADF: return "it is closed: give it a file or a reader";
    case EISDIR: return "give the name of a file";
    case ELOOP: return "remove that";
    case EBUSY: return "another output writes it; give each a file of its own";
    case EACCES:
    case EPERM:
    case EROFS: return "choose a place that you may write to";
    default: return "check the disk and the path";
  }
}

Error file_error(std::string_view location, std::string_view action, int error_number) {
  if (error_number == ECANCELED) return {Errc::kCancelled, fmt::format("{}: stopped", location)};
  const bool full = error_number == ENOSPC || error_number == EDQUOT;
  return {full ? Errc::kNoSpace : Errc::kOutput,
          fmt::format("{}: cannot {}: {}; {}", location == kStdout ? "standard output" : location, action,
                      reason_of(error_number), remedy(error_number))};
}

int open_for_writing(const std::string& path, int flags, mode_t mode) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

bool is_at(const std::string& path, int fd) {
  struct stat named {};
  struct stat opened {};
  return ::stat(path.c_str(), &named) == 0 && ::fstat(fd, &opened) == 0 && named.st_ino == opened.st_ino &&
         named.st_dev == opened.st_dev;
}

int give_up(int fd, int error_number) {
  ::close(fd);
  errno = error_number;
  return -1;
}

int open_emptied(const std::string& location) {
  const int fd = open_part(location);
  if (fd < 0) return fd;
  return ::ftruncate(fd, 0) == 0 ? fd : give_up(fd, errno);
}

// While it lives a write to a pipe that nobody reads fails with EPIPE, and raises nothing in this process.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  ~NoSigpipe() {
    const timespec no_wait{};
    const int error = errno;
    if (raised_ && !was_pending_) {
      while (sigtimedwait(&sigpipe_, nullptr, &no_wait) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = error;
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

  ssize_t write(int fd, std::string_view text) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    raised_ = raised_ || (written < 0 && errno == EPIPE);
    return written;
  }

 private:
  sigset_t sigpipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
  bool raised_ = false;
};

}  // namespace

bool is_written_straight(const std::string& location) {
  struct stat info {};
  if (::stat(location.c_str(), &info) != 0 || S_ISDIR(info.st_mode)) return false;
  return !S_ISREG(info.st_mode) || names_descriptor(location);
}

int open_part(const std::string& location) {
  const std::string part = part_name(location);
  for (;;) {
    const int fd = open_own_file(part, O_WRONLY);
    if (fd < 0) return fd;
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return give_up(fd, EBUSY);
    if (is_at(part, fd)) return fd;
    ::close(fd);  // since it was opened it was completed by another and got its name, which is not ours to empty
  }
}

int finish_part(int fd, Keep keep) {
  if (keep == Keep::kNow && ::fsync(fd) != 0 && errno != EINVAL && errno != EROFS) return errno;
  return ::fchmod(fd, usual_mode()) == 0 || errno == EPERM ? 0 : errno;  // EPERM: a file system without modes
}

std::string reason_of(int error_number) {
  if (error_number == ELOOP) return "its .part is a link, or not a file of yours alone";
  return std::generic_category().message(error_number);
}

/// Ends a wait for the reader of a pipe when a stop is requested.
class ResultFile::Interrupt {
 public:
  explicit Interrupt(std::stop_token stop) : callback_(std::move(stop), Wake{wake_.fd}) {}

  /// 0 when a pipe takes PIPE_BUF bytes at least without a wait (POSIX, poll), ECANCELED when stopped, else an error.
  int wait(int fd) const {
    pollfd fds[] = {{fd, POLLOUT, 0}, {wake_.fd, POLLIN, 0}};
    while (::poll(fds, std::size(fds), -1) < 0) {
      if (errno != EINTR) return errno;
    }
    return fds[0].revents == 0 ? ECANCELED : 0;
  }

 private:
  struct Descriptor {
    int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    Descriptor() = default;
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { ::close(fd); }
  };
  struct Wake {
    int fd;
    void operator()() const noexcept { ::eventfd_write(fd, 1); }
  };
  Descriptor wake_;
  std::stop_callback<Wake> callback_;
};

Result<ResultFile> ResultFile::create(std::string location, std::stop_token stop) {
  if (location == kStdout) {
    return ResultFile(std::move(location), {}, STDOUT_FILENO, std::make_unique<Interrupt>(std::move(stop)));
  }
  auto followed = follow_links(location);
  if (!followed) return followed.error();
  location = *std::move(followed);
  std::error_code ec;
  if (std::filesystem::is_directory(location, ec)) return file_error(location, "write", EISDIR);
  const bool straight = is_written_straight(location);
  std::string part = straight ? std::string() : part_name(location);
  const int fd = straight ? open_for_writing(location, O_APPEND, 0666) : open_emptied(location);
  if (fd < 0) return file_error(location, "create", errno);
  return ResultFile(std::move(location), std::move(part), fd,
                    straight ? std::make_unique<Interrupt>(std::move(stop)) : nullptr);
}

Result<ResultFile> ResultFile::on(int fd, std::string name) {
  const int own = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (own < 0) return file_error(name, "write", errno);
  return ResultFile(std::move(name), {}, own, nullptr);
}

ResultFile::ResultFile(std::string location, std::string part, int fd, std::unique_ptr<Interrupt> interrupt)
    : location_(std::move(location)), part_(std::move(part)), fd_(fd), interrupt_(std::move(interrupt)) {}

ResultFile::ResultFile(ResultFile&& other) noexcept
    : location_(std::move(other.location_)),
      part_(std::move(other.part_)),
      fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      interrupt_(std::move(other.interrupt_)),
      state_(std::move(other.state_)) {}

ResultFile& ResultFile::operator=(ResultFile&& other) noexcept {
  if (this == &other) return *this;
  close_descriptor();
  location_ = std::move(other.location_);
  part_ = std::move(other.part_);
  fd_ = std::exchange(other.fd_, -1);
  size_ = other.size_;
  interrupt_ = std::move(other.interrupt_);
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
  // What is there of the last text is of use to nobody; where that cannot be undone it stays.
  if (fd_ >= 0 && !interrupt_) (void)!::ftruncate(fd_, size_);
  close_descriptor();
  return state_;
}

Result<void> ResultFile::write(std::string_view text) {
  if (!state_) return state_;
  // A pipe takes texts above PIPE_BUF in pieces, between which another stream's could come.
  static std::mutex stdout_mutex;
  std::unique_lock whole(stdout_mutex, std::defer_lock);
  if (fd_ == STDOUT_FILENO) whole.lock();
  const auto length = static_cast<std::int64_t>(text.size());
  NoSigpipe pipe;
  while (!text.empty()) {
    if (const int problem = interrupt_ ? interrupt_->wait(fd_) : 0) return fail("write", problem);
    const ssize_t written = pipe.write(fd_, interrupt_ ? text.substr(0, PIPE_BUF) : text);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail("write", errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  size_ += length;
  return {};
}

void ResultFile::discard() {
  close_descriptor();
  if (!part_.empty()) ::unlink(part_.c_str());
}

Result<void> ResultFile::commit(Keep keep) {
  if (!state_ || fd_ < 0) return state_;
  if (const int error = part_.empty() ? 0 : finish_part(fd_, keep)) return fail("write", error);
  if (const int error = close_descriptor()) return fail("write", error);
  if (part_.empty()) return {};
  if (std::rename(part_.c_str(), location_.c_str()) != 0) return fail("name", errno);
  if (keep == Keep::kNow) sync_folder_of(location_);
  return {};
}

Result<void> write_document(const std::string& location, std::string_view text, Keep keep) {
  auto file = ResultFile::create(location);
  if (!file) return file.error();
  auto written = file->write(text);
  if (written) return file->commit(keep);
  file->discard();
  return written;
}

Result<void> keep_all(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return file_error(folder, "write", errno);
  const int error = ::syncfs(fd) == 0 ? 0 : errno;
  ::close(fd);
  if (error != 0) return file_error(folder, "write", error);
  return {};
}

}  // namespace posecam
