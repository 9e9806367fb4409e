#include "models/store/download.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <span>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include <curl/curl.h>
#include <fmt/format.h>

#include "models/core/sha256.h"
#include "models/core/text.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;

constexpr long kConnectSeconds = 10;
constexpr long kStallSeconds = 30;
constexpr long kStallBytesPerSecond = 100;
constexpr long kMaxRedirects = 5;

std::string reason(int code) { return std::error_code(code, std::generic_category()).message(); }

class FileHandle {
 public:
  explicit FileHandle(int fd) : fd_(fd) {}
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;
  ~FileHandle() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

/// The bytes of a download on their way. Keeps the first failure of its own.
class PartFile {
 public:
  explicit PartFile(const Download& job)
      : job_(job),
        path_(job.target.native() + ".part"),
        fd_(::open(path_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644)) {
    if (fd_.get() < 0) {
      fail_to_write();
      return;
    }
    const off_t size = ::lseek(fd_.get(), 0, SEEK_END);
    size_ = size > 0 ? static_cast<std::uint64_t>(size) : 0;
    if (size_ > job_.bytes) restart();
  }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;
  ~PartFile() {
    if (fd_.get() >= 0 && size_ == 0) discard();  // nothing to continue from
  }

  const std::optional<Error>& error() const { return error_; }
  std::uint64_t size() const { return size_; }
  bool complete() const { return size_ == job_.bytes; }

  void restart() {
    if (::ftruncate(fd_.get(), 0) != 0 || ::lseek(fd_.get(), 0, SEEK_SET) != 0) {
      fail_to_write();
    }
    size_ = 0;
  }

  /// False when the file failed, would become too long, or the caller asked to stop.
  bool append(std::span<const char> data) {
    if (error_) return false;
    if (job_.stop.stop_requested()) return fail("stopped", Errc::kCancelled);
    if (data.size() > job_.bytes - size_) return too_long();
    while (!data.empty()) {
      const ssize_t n = ::write(fd_.get(), data.data(), data.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail_to_write();
      size_ += static_cast<std::uint64_t>(n);
      data = data.subspan(static_cast<std::size_t>(n));
    }
    if (job_.progress) job_.progress(size_);
    return true;
  }

  /// The source offers more bytes than the descriptor states: nothing of it is worth keeping.
  bool too_long() {
    discard();
    return fail(
        fmt::format("longer than the {} of the descriptor: not the same file", counted(job_.bytes, "byte", "bytes")));
  }

  /// Checks the content and gives it its name. A wrong content is discarded.
  Result<void> finish() {
    const auto sha256 = sha256_of(path_);
    if (!sha256) return sha256.error();
    if (*sha256 != job_.sha256) {
      discard();
      return Error{Errc::kModel,
                   fmt::format("sha256 is {}, the descriptor says {}: not the same file", *sha256, job_.sha256)};
    }
    // The content must be on the disk before the name is, or a power cut leaves a good name on an empty file.
    if (::fsync(fd_.get()) != 0 || ::rename(path_.c_str(), job_.target.c_str()) != 0) {
      return Error{Errc::kModel, fmt::format("{}: cannot write: {}", job_.target.native(), reason(errno))};
    }
    const FileHandle folder(::open(job_.target.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() >= 0) ::fsync(folder.get());
    return {};
  }

 private:
  void discard() { ::unlink(path_.c_str()); }
  bool fail_to_write() {
    const char* const remedy = errno == ENOSPC || errno == EDQUOT ? "; free some space and pull again" : "";
    return fail(fmt::format("{}: cannot write: {} after {} of {}{}", path_.native(), reason(errno), size_,
                            counted(job_.bytes, "byte", "bytes"), remedy),
                Errc::kMedia);
  }
  bool fail(std::string message, Errc code = Errc::kModel) {
    if (!error_) error_ = Error{code, std::move(message)};
    return false;
  }

  const Download& job_;
  fs::path path_;
  FileHandle fd_;
  std::uint64_t size_ = 0;
  std::optional<Error> error_;
};

Result<void> copy_local(const Download& job, PartFile& part) {
  // A copy starts over: what an interrupted one left may stem from another file.
  part.restart();
  const FileHandle in(::open(job.source.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (in.get() < 0) return Error{errno == ENOENT || errno == ENOTDIR ? Errc::kUsage : Errc::kModel, reason(errno)};
  if (::fstat(in.get(), &info) != 0) return Error{Errc::kModel, reason(errno)};
  if (!S_ISREG(info.st_mode)) return Error{Errc::kModel, "not a file"};
  std::vector<char> buffer(std::size_t{1} << 20);
  for (;;) {
    const ssize_t n = ::read(in.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error{Errc::kModel, reason(errno)};
    if (n == 0) return {};
    if (!part.append({buffer.data(), static_cast<std::size_t>(n)})) return *part.error();
  }
}

struct EasyCleanup {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};

/// What the callbacks of one transfer share.
struct Transfer {
  CURL* handle = nullptr;
  const Download& job;
  PartFile& part;
  std::uint64_t asked_from = 0;                  ///< first byte of the range that was asked for
  std::optional<std::uint64_t> given_from = {};  ///< first byte of the answer's Content-Range
  bool started = false;
  bool wrong_range = false;
};

std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  std::string line(data, size);
  if (line.starts_with("HTTP/")) transfer.given_from.reset();  // headers of a redirect do not count
  std::transform(line.begin(), line.end(), line.begin(), [](unsigned char c) { return static_cast<char>(tolower(c)); });
  constexpr std::string_view kRange = "content-range: bytes ";
  if (line.starts_with(kRange)) {
    std::uint64_t first = 0;
    const char* const begin = line.data() + kRange.size();
    if (std::from_chars(begin, line.data() + line.size(), first).ec == std::errc()) transfer.given_from = first;
  }
  return size;
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (!transfer.started) {
    transfer.started = true;
    long status = 0;
    curl_easy_getinfo(transfer.handle, CURLINFO_RESPONSE_CODE, &status);
    if (status == 206) {
      transfer.wrong_range = transfer.given_from != transfer.asked_from;
      if (transfer.wrong_range) return 0;
    } else {
      transfer.part.restart();  // the server sends the whole file, whatever range was asked for
    }
  }
  return transfer.part.append({data, size}) ? size : 0;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Transfer*>(user)->job.stop.stop_requested() ? 1 : 0;
}

void configure(CURL* handle, const Download& job, Transfer& transfer, char* error_text) {
  curl_easy_setopt(handle, CURLOPT_URL, job.source.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(handle, CURLOPT_MAXREDIRS, kMaxRedirects);
  curl_easy_setopt(handle, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, kStallBytesPerSecond);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, kStallSeconds);
  curl_easy_setopt(handle, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(job.bytes));
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "posecam");
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, error_text);
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &transfer);
}

/// One request, from the end of the part file. `refused_range`: the server could not continue there.
Result<void> request(const Download& job, PartFile& part, bool& refused_range) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);  // once, thread-safe
  const std::unique_ptr<CURL, EasyCleanup> handle(initialised == CURLE_OK ? curl_easy_init() : nullptr);
  if (!handle) return Error{Errc::kModel, "libcurl does not start"};
  std::array<char, CURL_ERROR_SIZE> error_text{};
  Transfer transfer{handle.get(), job, part, part.size()};
  configure(handle.get(), job, transfer, error_text.data());
  if (part.size() > 0) curl_easy_setopt(handle.get(), CURLOPT_RANGE, fmt::format("{}-", part.size()).c_str());

  const CURLcode code = curl_easy_perform(handle.get());
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  refused_range = transfer.asked_from > 0 && (status == 416 || transfer.wrong_range);
  if (part.error()) return *part.error();
  if (job.stop.stop_requested()) return Error{Errc::kCancelled, "stopped"};
  if (code == CURLE_OK) return {};
  if (code == CURLE_FILESIZE_EXCEEDED) {
    part.too_long();
    return *part.error();
  }
  if (code == CURLE_HTTP_RETURNED_ERROR) {
    const bool absent = status == 404 || status == 410;
    return Error{absent ? Errc::kUsage : Errc::kModel, fmt::format("HTTP status {}", status)};
  }
  if (code == CURLE_OPERATION_TIMEDOUT && part.size() > 0) {
    return Error{Errc::kModel,
                 fmt::format("stalled after {} of {} bytes; pull again to continue there", part.size(), job.bytes)};
  }
  const std::string_view detail = error_text[0] ? error_text.data() : curl_easy_strerror(code);
  const char* const remedy = part.size() > 0 ? "; pull again to continue there" : "";
  return Error{Errc::kModel, fmt::format("{}{}", detail, remedy)};
}

Result<void> transfer_all(const Download& job, PartFile& part) {
  if (!is_url(job.source)) return copy_local(job, part);
  if (part.complete()) return {};
  bool refused_range = false;
  auto done = request(job, part, refused_range);
  if (!done && refused_range) {
    part.restart();
    done = request(job, part, refused_range);
  }
  return done;
}

Result<void> attempt(const Download& job, bool& continued) {
  PartFile part(job);
  if (part.error()) return *part.error();
  continued = part.size() > 0 && is_url(job.source);
  auto done = transfer_all(job, part);
  if (!done) return done;
  if (part.error()) return *part.error();
  if (!part.complete()) {
    return Error{Errc::kModel, fmt::format("ends after {} of the {} of the descriptor", part.size(),
                                           counted(job.bytes, "byte", "bytes"))};
  }
  return part.finish();
}

}  // namespace

Result<void> download(const Download& job) {
  bool continued = false;
  auto done = attempt(job, continued);
  std::error_code ignored;
  // A continued file may have begun as another version: judge the source only by what it alone has sent.
  if (!done && continued && !fs::exists(job.target.native() + ".part", ignored)) done = attempt(job, continued);
  return done;
}

bool is_url(std::string_view source) { return source.starts_with("https://") || source.starts_with("http://"); }

std::string shown_url(std::string_view url) {
  if (url.find("://") == std::string_view::npos) return std::string(url);
  const auto host = url.find("://") + 3;
  url = url.substr(0, url.find_first_of("?#"));
  const auto path = std::min(url.find('/', host), url.size());
  const auto at = url.substr(host, path - host).rfind('@');
  const auto skip = at == std::string_view::npos ? 0 : at + 1;
  return std::string(url.substr(0, host)) + std::string(url.substr(host + skip));
}

}  // namespace posecam
