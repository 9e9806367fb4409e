#pragma once
// The one owner of the outputs of a run: it alone locks, empties, names and deletes them. Elements of the run only
// write to its descriptors, so that an output never has two minds about what becomes of it.

#include <cstdint>
#include <string>
#include <vector>

#include "app/session/spec.h"
#include "models/core/result.h"

namespace posecam {

/// Each file is called FILE.part (pipeline/output/result_file.h) and locked from lock() to its end, so that a second
/// run with an output of this one ends before it has touched anything. What had the name of an output keeps it until
/// commit(). Standard output, devices and pipes (whose reader is waited for, 2 s) are not owned, nor is a folder of
/// documents: each of those is a file of its own that is complete at once.
///
/// One thread at a time. Whoever writes must have stopped before commit() and give_up().
class OutputSet {
 public:
  /// All outputs of the session or none: after a failure the disk is as it was before. kUsage for an output that
  /// another run is writing, kMedia with the remedy for one that cannot be written. Makes the folders of kOpenpose.
  static Result<OutputSet> lock(const SessionSpec& spec);

  OutputSet(OutputSet&&) noexcept = default;
  OutputSet& operator=(OutputSet&&) = delete;
  OutputSet(const OutputSet&) = delete;
  OutputSet& operator=(const OutputSet&) = delete;
  ~OutputSet() { give_up(); }

  /// Open for writing, and open as long as this output is owned; -1 for those that are not.
  int descriptor(const std::string& location) const;
  /// Before the first byte is written: forgets what earlier runs left in the .part.
  Result<void> clear();
  /// Bytes in all files so far.
  std::int64_t written() const;
  /// Every output gets its name, or none does; what was written is FILE.part then. kMedia, kOutput or kNoSpace.
  Result<void> commit();
  /// The names stay as they are. What was written remains as FILE.part, a video that plays as far as it went; an empty
  /// file is deleted. Returns "; what was written is in FILE.part, ...", to end the message with that says why; nothing
  /// if nothing was.
  std::string give_up();
  /// As give_up(), while somebody who cannot be stopped may still write: descriptors stay open.
  std::string leave();

 private:
  struct Part {
    std::string location;
    int fd = -1;
    bool index_first = false;  ///< a video that gets its index behind its frames
    int replaced = -1;  ///< what had its name; locked, since a run that begins would take it for a .part of its own
    bool exchanged = false;  ///< `replaced` is called .part now
  };
  OutputSet() = default;
  Result<void> add(const std::string& name, const std::string& location, bool index_first);
  Result<void> hold_pipe(const std::string& output, const std::string& location);
  static void put_index_first(Part& part);
  Result<void> check_complete() const;
  Result<void> name_all();
  static bool take_name(Part& part);
  static void give_name_back(const Part& part);
  std::string remove_empty() const;
  void release();

  std::vector<Part> parts_;
  std::vector<int> pipes_;
};

}  // namespace posecam
