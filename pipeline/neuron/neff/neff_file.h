#pragma once
// A compiled network on disk, mapped into memory: loading it on 64 cores reads it once.

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

#include "models/core/result.h"
#include "pipeline/neuron/neff/neff.h"

namespace posecam {

/// Immutable, thread-safe.
class NeffFile {
 public:
  /// kModel: not readable, or no NEFF.
  static Result<std::shared_ptr<const NeffFile>> open(const std::filesystem::path& path);
  ~NeffFile();
  NeffFile(const NeffFile&) = delete;
  NeffFile& operator=(const NeffFile&) = delete;

  /// As it was opened.
  const std::filesystem::path& path() const { return path_; }
  /// Only this much was checked.
  const NeffHeader& header() const { return header_; }
  /// The whole file, header included; valid as long as this lives.
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  NeffFile() = default;

  std::filesystem::path path_;
  NeffHeader header_;
  std::span<const std::byte> bytes_;
};

}  // namespace posecam
