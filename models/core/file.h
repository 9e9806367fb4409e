#pragma once
// Whole files in memory: the one place where documents, labels, descriptors and pictures are read.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "models/core/result.h"

namespace posecam {

/// What a name may be of.
enum class Readable : std::uint8_t {
  kFile,        ///< regular files: what is read in the middle of something else must not wait
  kFileOrPipe,  ///< pipes as well: `posecam cost <(posecam bench ...)`
};

/// Where nothing smaller is known: more than any document or picture has.
inline constexpr std::size_t kMostFileBytes = std::size_t{1} << 30;

/// The bytes of a file or pipe, with the size looked at before any is read. No devices (but /dev/null, which is empty):
/// they never end. A pipe is waited for while somebody has it open for writing, else for 5 s.
/// kModel if it cannot be read or has more than `most` bytes; the message is the reason only ("No such file or
/// directory", "larger than 1048576 bytes"): the caller says which file, what for, and the remedy.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t most = kMostFileBytes,
                              Readable what = Readable::kFileOrPipe);

}  // namespace posecam
