#pragma once
// A folder of this user in a place where others may write, such as /tmp: what another user laid there is not opened,
// and nobody who waits for it is held up.

#include <filesystem>
#include <string>
#include <vector>

#include "models/core/result.h"

namespace posecam {

/// An open folder that is this user's and that nobody else may write to. Its files are found in it, whatever gets its
/// name meanwhile. Const functions from any thread.
class OwnFolder {
 public:
  /// kDevice, with the remedy: it is not there, is a link, belongs to another user, or others may write to it.
  static Result<OwnFolder> open(const std::filesystem::path& path);
  /// The same, after it was made, for this user alone, and those above it where they were missing. One of ours that a
  /// group may write to, as an umask of 002 makes them, is taken from it.
  static Result<OwnFolder> make(const std::filesystem::path& path);

  OwnFolder(OwnFolder&& other) noexcept;
  OwnFolder(const OwnFolder&) = delete;
  OwnFolder& operator=(const OwnFolder&) = delete;
  ~OwnFolder();

  /// The names of what is in it, in any order.
  std::vector<std::string> names() const;
  /// A descriptor that the caller closes, of a plain file of this user that nobody else may write to; -1 with errno
  /// (EPERM: it is none). `flags` are those of open(2); a file that is made is for this user alone. Waits for nobody.
  int open_file(const std::string& name, int flags) const;
  /// Whether the name leads to that open file.
  bool leads_to(const std::string& name, int fd) const;
  void remove(const std::string& name) const;

 private:
  explicit OwnFolder(int fd) : fd_(fd) {}
  int fd_;
};

/// Reads that many bytes from the start of a file; false if it has less. Others may cut a file while it is read, and a
/// mapping of it would end this process then.
bool read_start(int fd, void* to, std::size_t bytes);

}  // namespace posecam
