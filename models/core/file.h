#pragma once
// Files by their descriptors, and whose they are. Whole files in memory: the one place where documents, labels,
// descriptors and pictures are read.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <unistd.h>

#include "models/core/result.h"

namespace posecam {

/// Owns a descriptor; below 0: none.
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

/// Opens a file for what is not complete yet, made for this user alone (0600), or such a one of an earlier run; what is
/// in it stays. -1 with errno; ELOOP for a link or what is not a file of this user alone: others lay such things where
/// they may write. `flags`: O_WRONLY or O_RDWR.
int open_own_file(const std::filesystem::path& path, int flags);

/// Writes all of it, or false with errno.
bool write_all(int fd, std::string_view bytes);

/// After a file got its name there: so that the name is on the disk as well. Not every file system can.
void sync_folder_of(const std::filesystem::path& file);

/// What open(2) would have given a new file. umask(2) can be asked only by changing it for all threads.
mode_t usual_mode();

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
