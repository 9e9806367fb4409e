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
  std::int64_t pid = 0;
  std::string device;
  std::string model;
  CoreId core = 0;  ///< as the process counts, see NeuronRuntime
  std::uint64_t executions = 0;
  std::uint64_t rows = 0;
  std::uint64_t busy_ns = 0;  ///< since the model was loaded
  std::uint64_t failures = 0;
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

    void executed(std::uint32_t rows, std::chrono::nanoseconds busy) const;
    void failed() const;

   private:
    friend class CoreBoard;
    std::shared_ptr<File> file_;
    std::size_t index_ = 0;
  };

  static Entry take(std::string_view device, std::string_view model, CoreId core);

  /// "$XDG_RUNTIME_DIR/posecam", else "/tmp/posecam-UID".
  static std::filesystem::path folder();
  /// All processes that run; boards left behind by others are removed. Never fails: what cannot be read is not there.
  static std::vector<CoreActivity> read(const std::filesystem::path& folder);
};

}  // namespace posecam
