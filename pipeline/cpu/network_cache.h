#pragma once
// Compiled networks between runs, as files. What is in them is run: a file that is not what was put there would find
// other people.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "models/core/result.h"

namespace posecam {

/// Any number of processes may have one folder. Blocking: 10 ms for 16 MB.
class NetworkCache {
 public:
  /// Of all files together; one of our networks takes 2 to 25 MB.
  static constexpr std::uint64_t kMostBytes = std::uint64_t{512} << 20;

  explicit NetworkCache(std::filesystem::path folder, std::uint64_t most_bytes = kMostBytes)
      : folder_(std::move(folder)), most_bytes_(most_bytes) {}

  /// What was put under that key; nothing where the folder is not this user's alone (OwnFolder): who writes to it could
  /// put any network there. A file whose SHA-256 is another is deleted, and `damage` becomes a line for people.
  std::optional<std::string> get(std::string_view key, std::string* damage = nullptr) const;

  /// Whole, or not at all; the files that were not used for the longest time go where it takes more than is allowed.
  /// Makes the folder, for this user alone. kModel with the reason.
  Result<void> put(std::string_view key, std::string_view network) const;

 private:
  std::filesystem::path file_of(std::string_view key) const;
  void trim() const;

  const std::filesystem::path folder_;
  const std::uint64_t most_bytes_;
};

}  // namespace posecam
