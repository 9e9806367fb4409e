#pragma once
// An output file that exists under its name only when it is complete.

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "models/core/result.h"

namespace posecam {

/// The name under which an output is written until it is complete.
inline std::string part_name(const std::string& location) { return location + ".part"; }

/// True for devices, pipes, sockets, and whatever a name of a descriptor (/dev/stdout) leads to: nothing to prepare,
/// nothing to rename. Such a file is written behind what is in it.
bool is_written_straight(const std::string& location);

/// Opens the .part of a location for writing and locks it (flock(2), with the descriptor), or -1 and errno: EBUSY while
/// another, of this process or not, has it, ELOOP for a link or what is not a file of this user alone: others may lay
/// such things into a folder where they may write. What is in it stays. Nobody else may read it until it is finished.
/// File systems without locks go without.
int open_part(const std::string& location);

/// When what was written is to be on the disk.
enum class Keep : std::uint8_t { kNow, kLater };

/// Before a .part gets its name: what is in it is on the disk (kNow), and may be read by all who may read what this
/// user makes. 0 or the error number.
int finish_part(int fd, Keep keep = Keep::kNow);

/// The reason for people, also of the error numbers of open_part().
std::string reason_of(int error_number);

/// Writes to "<location>.part" and gives it its name in commit(); what was there before stays until then. Destroyed
/// without commit(), the .part stays for whoever wants to see how far it went, and the name is untouched. "-" is
/// standard output; that, devices, pipes and sockets are written straight (opening a FIFO waits for its reader).
///
/// One writer a file: create() is kOutput while another, of this process or not, has the .part open.
///
/// Unbuffered: each write() is handed to the system at once, so that a reader of a pipe sees whole lines, also when
/// several files of this process are standard output.
/// A reader of a pipe that takes nothing is waited for, until `stop` of create() is requested: kCancelled then.
/// Errors are kOutput or kNoSpace, name the location and are sticky: after the first, every call returns it again and
/// does nothing else. A regular file then ends with the last whole text. A reader of a pipe that went away is such an
/// error; it raises no SIGPIPE. Movable; one thread at a time.
class ResultFile {
 public:
  /// Opens the .part, emptied. `stop` ends waits of write(), not that for the first reader of a FIFO here.
  static Result<ResultFile> create(std::string location, std::stop_token stop = {});
  /// On a regular file that the caller opened for writing, emptied, keeps open, locks, and gives its name: commit()
  /// does not. `name` is for messages.
  static Result<ResultFile> on(int fd, std::string name);
  ResultFile(ResultFile&& other) noexcept;
  ResultFile& operator=(ResultFile&& other) noexcept;
  ResultFile(const ResultFile&) = delete;
  ResultFile& operator=(const ResultFile&) = delete;
  ~ResultFile();

  /// Writes all of `text` or fails.
  Result<void> write(std::string_view text);
  /// Closes the file and removes its .part.
  void discard();
  /// Closes the file and gives it its name. A second call returns the outcome of the first.
  Result<void> commit(Keep keep = Keep::kNow);

 private:
  class Interrupt;
  ResultFile(std::string location, std::string part, int fd, std::unique_ptr<Interrupt> interrupt);
  Result<void> fail(std::string_view action, int error_number);
  int close_descriptor();

  std::string location_;
  std::string part_;  ///< empty when the target is written straight, or not ours to name
  int fd_ = -1;
  std::int64_t size_ = 0;                 ///< bytes of whole texts
  std::unique_ptr<Interrupt> interrupt_;  ///< null for regular files, which let nobody wait
  Result<void> state_;                    ///< the first error
};

/// A whole document: all of it under that name, or nothing and no .part. Errors as of ResultFile. kLater: for one of
/// many, whose writer calls keep_all() at the end.
Result<void> write_document(const std::string& location, std::string_view text, Keep keep = Keep::kNow);

/// All that was written to the file system of that folder is on the disk.
Result<void> keep_all(const std::string& folder);

}  // namespace posecam
