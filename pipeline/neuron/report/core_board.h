#pragma once
// What this process does on which core, for observers: a small file that `posecam devices` of another process reads.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/backend/backend.h"

namespace posecam {

/// One model on one core.
struct CoreActivity {
  std::int64_t pid = 0;          ///< whose it is
  std::string device;            ///< "neuron" or "neuron-sim"
  std::string model;             ///< its name, at most 63 bytes of it
  CoreId core = 0;               ///< as the process counts, see NeuronRuntime
  std::uint64_t executions = 0;  ///< of compiled batches, that gave results
  std::uint64_t rows = 0;        ///< frames in them
  std::uint64_t busy_ns = 0;     ///< since the model was loaded
  std::uint64_t failures = 0;    ///< executions that failed; those of a busy core do not count
};

/// The board of this process, made when somebody takes the first place on it and removed with the last. Thread-safe.
/// What goes wrong with the file costs observers their view and nothing else.
class CoreBoard {
  struct File;

 public:
  /// A place on the board; counts nowhere if there was none left. Move-only, given up on destruction.
  class Entry {
   public:
    Entry() = default;
    Entry(Entry&& other) noexcept;
    Entry& operator=(Entry&& other) noexcept;
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry();

    /// One execution of that many rows, for which the core was busy for that long. Any thread.
    void executed(std::uint32_t rows, std::chrono::nanoseconds busy) const;
    /// One execution failed. Any thread.
    void failed() const;

   private:
    friend class CoreBoard;
    std::shared_ptr<File> file_;
    std::size_t index_ = 0;
  };

  /// A place with counts of 0; texts are cut to what the board holds (15 and 63 bytes). Never fails, see Entry.
  static Entry take(std::string_view device, std::string_view model, CoreId core);

  /// "$XDG_RUNTIME_DIR/posecam", else "/tmp/posecam-UID".
  static std::filesystem::path folder();
  /// All processes of this user that run, with texts without control characters; boards left behind are removed. Never
  /// fails and waits for nobody: what cannot be read, or is in a folder that is not this user's alone (OwnFolder), is
  /// not there.
  static std::vector<CoreActivity> read(const std::filesystem::path& folder);
};

}  // namespace posecam
