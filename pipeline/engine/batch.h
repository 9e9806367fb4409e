#pragma once
// What a BatchScheduler schedules: a slot with its rows, and the core that it belongs to.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "models/core/geometry.h"
#include "pipeline/backend/backend.h"
#include "pipeline/engine/engine.h"

namespace posecam {

/// What a stream hands over with a row.
struct RowState {
  std::shared_ptr<RowClient> client;                ///< null: given up
  Ticket ticket = 0;                                ///< the client's own number for it
  Letterbox letterbox;                              ///< how the image lies in the row
  float preprocess_ms = 0;                          ///< passed on into the result's times
  std::chrono::steady_clock::time_point committed;  ///< since when the row waits
};

/// A slot and the rows in it. Guarded by the scheduler's lock until wait_for_batch() or borrow() hands it to a worker,
/// which owns it up to release().
struct Batch {
  /// What is counted of a core; shared by its batches.
  struct Core {
    CoreId id = 0;                                     ///< of the backend
    std::uint32_t running = 0;                         ///< batches executing
    std::uint32_t used = 0;                            ///< batches not free
    double run_ms = 0;                                 ///< average of its runs, the latest count most; 0: not known
    std::uint32_t passed = 0;                          ///< batches that went to another core since it became idle
    bool lost = false;                                 ///< out of service
    std::chrono::steady_clock::time_point retry_at;    ///< when it is to be restored, if lost
    std::chrono::steady_clock::time_point tried_at;    ///< when that was done last
    std::chrono::milliseconds retry{0};                ///< how long after its loss, or the last attempt, that is
    std::chrono::steady_clock::time_point rest_until;  ///< it was busy for long: others first, up to then
    std::chrono::milliseconds rest{0};                 ///< how long it rested last; 0: it does not

    /// When one more batch would be done, for comparison with other cores.
    double busy_ms() const {
      if (run_ms == 0 && used > 0) return std::numeric_limits<double>::infinity();  // nobody can tell
      return (used + 1) * run_ms;
    }
  };
  /// Free: no rows. Open: takes rows. Closed: waits for its rows to be settled, then for its worker. Running.
  enum class State : std::uint8_t { kFree, kOpen, kClosed, kRunning };

  std::unique_ptr<Slot> slot;  ///< null for a core that never worked
  Core* core = nullptr;        ///< owned by the scheduler
  std::uint32_t index = 0;     ///< in the order of add()
  State state = State::kFree;
  std::vector<RowState> rows;                     ///< reserved ones, in the slot's order
  std::chrono::steady_clock::time_point started;  ///< of its run
  std::uint32_t unsettled = 0;                    ///< rows reserved, neither committed nor given up
  std::condition_variable_any wake;               ///< its worker waits here
};

}  // namespace posecam
