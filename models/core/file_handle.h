#pragma once
// Files by their descriptors, and whose they are.

#include <sys/types.h>
#include <unistd.h>

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

/// A file of this user that has no other name: what is written to it goes nowhere else.
bool is_own_file(int fd);

/// What open(2) would have given a new file. umask(2) can be asked only by changing it for all threads.
mode_t usual_mode();

}  // namespace posecam
