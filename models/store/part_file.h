#pragma once
// The bytes of a download on their way to the name of a file.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

#include "models/core/file.h"
#include "models/core/result.h"
#include "models/store/download.h"

namespace posecam {

/// "<target>.part", which only this user may read until it has its name: it may hold what is for nobody else. Keeps the
/// first failure of its own. One thread; the job must outlive it. An empty one is gone when this is.
class PartFile {
 public:
  explicit PartFile(const Download& job);
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;
  ~PartFile();

  const std::optional<Error>& error() const { return error_; }  ///< of the file itself
  std::uint64_t size() const { return size_; }                  ///< bytes that are there
  bool complete() const;                                        ///< as many as the descriptor says

  /// Empties it.
  void restart();
  /// False when the file failed, would become too long, or the caller asked to stop.
  bool append(std::span<const char> data);
  /// The source offers more bytes than the descriptor states: nothing of it is worth keeping.
  Error too_long();
  /// The source has only that many.
  Error too_short(std::uint64_t size) const;
  /// Checks the content and gives it its name. A wrong content is discarded.
  Result<void> finish();

 private:
  void discard();
  bool fail_to_write();
  bool fail(std::string message, Errc code = Errc::kModel);

  const Download& job_;
  std::filesystem::path path_;
  FileHandle fd_;
  std::uint64_t size_ = 0;
  std::optional<Error> error_;
};

}  // namespace posecam
