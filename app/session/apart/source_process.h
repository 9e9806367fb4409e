#pragma once
// The decoder of an input in a process of its own: a library that crashes on a file takes that input with it and no
// other. The process is `posecam` itself (source_host.h); decoded frames come through a pipe as GStreamer's data
// protocol (gdppay), what there is to say of them as lines of text.

#include <chrono>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

#include <gst/gst.h>

#include "app/session/input/inputs.h"
#include "models/core/result.h"

namespace posecam {

/// One process, from start() to its end or the destructor's. One thread at a time.
class SourceProcess {
 public:
  /// kMedia if no process can be started.
  static Result<std::unique_ptr<SourceProcess>> start(const Input& input);
  SourceProcess(const SourceProcess&) = delete;
  SourceProcess& operator=(const SourceProcess&) = delete;
  /// Ends the process at once. One that hangs in the system is left behind after two seconds.
  ~SourceProcess();

  /// Where frames are read from; open as long as this object.
  int frames() const { return frames_; }
  /// Where words are read from, without waiting.
  int words() const { return words_; }
  struct StructureFree {
    void operator()(GstStructure* structure) const noexcept { gst_structure_free(structure); }
  };
  using StructurePtr = std::unique_ptr<GstStructure, StructureFree>;
  struct Words {
    std::vector<StructurePtr> all;
    bool ended = false;  ///< no more will come
  };
  /// Those that have come since the last call.
  Words read_words();

  /// Until there is a word to read, or no more will come; false if neither came in time.
  bool wait_for_words(std::chrono::milliseconds limit) const;

  /// Once its words have ended: how it crashed ("Segmentation fault"), or nothing if it did not.
  std::string end();

 private:
  SourceProcess(pid_t pid, int frames, int words) : pid_(pid), frames_(frames), words_(words) {}

  pid_t pid_;
  int frames_;
  int words_;
  std::string unread_;  ///< of the words, the beginning of a line
};

}  // namespace posecam
