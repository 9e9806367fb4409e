#pragma once
// A folder for files that nobody keeps.

#include <filesystem>

#include "models/result.h"

namespace posecam {

/// Gone, with everything in it, when it is destroyed.
class ScratchFolder {
 public:
  /// Below TMPDIR, or /tmp. kOutput, with the remedy.
  static Result<ScratchFolder> make();
  ScratchFolder(ScratchFolder&& other) noexcept { path_.swap(other.path_); }
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder();

  const std::filesystem::path& path() const { return path_; }

 private:
  ScratchFolder() = default;
  std::filesystem::path path_;  ///< empty: moved from
};

}  // namespace posecam
