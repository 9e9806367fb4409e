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

#include "models/core/file.h"
#include "models/store/part_file.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;

constexpr long kMaxRedirects = 5;
constexpr std::size_t kMostHeaderBytes = std::size_t{64} << 10;  // of all answers to one request

std::string reason(int code) { return std::error_code(code, std::generic_category()).message(); }

/// Only a file itself: a link that others laid into the mirror would have its target, which may be for this user alone,
/// copied, and a pipe would be waited for.
Result<void> copy_local(const Download& job, PartFile& part) {
  const FileHandle in(::open(job.source.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat info {};
  if (in.get() < 0 && errno == ELOOP) return Error{Errc::kModel, "a link, which is not followed: put the file there"};
  if (in.get() < 0) return Error{errno == ENOENT || errno == ENOTDIR ? Errc::kUsage : Errc::kModel, reason(errno)};
  if (::fstat(in.get(), &info) != 0) return Error{Errc::kModel, reason(errno)};
  if (!S_ISREG(info.st_mode)) return Error{Errc::kModel, "not a file"};
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size > job.bytes) return part.too_long();
  if (size < job.bytes) return part.too_short(size);
  // A copy starts over: what an interrupted one left may stem from another file.
  part.restart();
  std::vector<char> buffer(std::size_t{1} << 20);
  for (;;) {
    const ssize_t n = ::read(in.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error{Errc::kModel, reason(errno)};
    if (n == 0) return {};
    if (!part.append({buffer.data(), static_cast<std::size_t>(n)})) return *part.error();
  }
}

Result<void> copy_content(const Download& job, PartFile& part) {
  part.restart();
  if (!part.append(job.content)) return *part.error();
  return {};
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
  std::size_t header_bytes = 0;
  bool started = false;
  bool wrong_range = false;
};

std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  transfer.header_bytes += size;
  if (transfer.header_bytes > kMostHeaderBytes) return 0;
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

/// The time that a transfer may take altogether: a server that sends a little now and then would never stall.
long most_milliseconds(const Download& job, const PartFile& part) {
  using std::chrono::milliseconds;
  const auto transfer = std::chrono::seconds((job.bytes - part.size()) / job.limits.bytes_per_second);
  return static_cast<long>(milliseconds(job.limits.connect + job.limits.stall + transfer).count());
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
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(job.limits.connect.count()));
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, job.limits.bytes_per_second);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME,
                   static_cast<long>(std::chrono::ceil<std::chrono::seconds>(job.limits.stall).count()));
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, most_milliseconds(job, transfer.part));
  if (!job.ca_file.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, job.ca_file.c_str());
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
  if (code == CURLE_FILESIZE_EXCEEDED) return part.too_long();
  if (code == CURLE_HTTP_RETURNED_ERROR) {
    const bool absent = status == 404 || status == 410;
    return Error{absent ? Errc::kUsage : Errc::kModel, fmt::format("HTTP status {}", status)};
  }
  if (transfer.header_bytes > kMostHeaderBytes) return Error{Errc::kModel, "the server sends headers without end"};
  if (code == CURLE_OPERATION_TIMEDOUT && part.size() > 0) {
    return Error{Errc::kModel, fmt::format("too slow: {} of {} bytes; pull again to continue there, or from a mirror",
                                           part.size(), job.bytes)};
  }
  const std::string_view detail = error_text[0] ? error_text.data() : curl_easy_strerror(code);
  const char* const remedy = part.size() > 0 ? "; pull again to continue there" : "";
  return Error{Errc::kModel, fmt::format("{}{}", detail, remedy)};
}

Result<void> transfer_all(const Download& job, PartFile& part) {
  if (!job.content.empty()) return copy_content(job, part);
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
  if (!part.complete()) return part.too_short(part.size());
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

}  // namespace posecam
