#pragma once
// One file from a URL or a directory to its final name, or not at all.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "models/core/result.h"

namespace posecam {

/// How slow a server may be.
struct DownloadLimits {
  std::chrono::milliseconds connect{10'000};  ///< until there is a connection
  std::chrono::milliseconds stall{30'000};    ///< for which it may be slower than:
  long bytes_per_second = 4'000;              ///< which, on the average, ends the whole transfer as well
};

/// What is to come from where.
struct Download {
  std::string source;            ///< http(s) URL, or the path of a local file
  std::filesystem::path target;  ///< final name; its folder exists. Bytes on the way lie in "<target>.part"
  std::uint64_t bytes = 0;       ///< exact size
  std::string sha256;            ///< 64 lower-case hex digits
  std::function<void(std::uint64_t done)> progress;  ///< bytes there so far; called from this thread. May be empty
  std::stop_token stop;                              ///< ends it with kCancelled
  std::string ca_file{};                             ///< PEM of the authorities to trust instead of the system's
  DownloadLimits limits{};
  std::string_view content{};  ///< what was made here, in place of a source
};

/// Blocks until the file is there, complete and checked: size, then sha256, then fsync and rename. A .part left by an
/// interrupted download is continued where the server can. Never writes more than `bytes`. A local source is a regular
/// file of that size, no link. One download per target at a time: the caller locks.
/// kUsage if the source does not have the file (none there, HTTP 404 or 410), kMedia if the .part cannot be written,
/// kModel with any other reason, kCancelled on `stop`; after a failure the target is as it was, and a .part stays only
/// if it can be continued.
Result<void> download(const Download& job);

/// Whether a source is an http(s) URL; else it is a path.
bool is_url(std::string_view source);

}  // namespace posecam
