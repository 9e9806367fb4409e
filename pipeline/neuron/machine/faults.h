#pragma once
// Failures on order: which call on which core goes wrong, from when and for how long.

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/neuron/nrt/nrt_abi.h"

namespace posecam::sim {

/// One entry of "faults". Calls are counted from 1, by each rule for itself, among those that it is about.
struct FaultRule {
  /// The call returns `status`; takes `slow` times as long; ends with the timeout; fails as on a core that is gone; is
  /// late by `blocks_s`, whatever the timeout.
  enum class Kind { kStatus, kSlow, kHang, kLost, kBlock };
  Kind kind = Kind::kStatus;          ///< what happens
  std::string call = "nrt_execute";   ///< name of the function
  std::optional<std::uint32_t> core;  ///< on the instance, not of the process; none: any
  std::uint64_t from = 1;             ///< the first call that it strikes
  std::uint64_t count = 0;            ///< 0: for ever
  std::uint64_t every = 1;            ///< only each so manieth of these
  NRT_STATUS status = NRT_SUCCESS;    ///< of kStatus and kLost
  double slow = 1;                    ///< factor on device time
  double blocks_s = 0;                ///< of kBlock
  bool recovers = false;              ///< not slow: over once the runtime was initialised anew after it struck

  friend bool operator==(const FaultRule&, const FaultRule&) = default;
};

/// Global numbers of neighbouring cores.
struct CoreRange {
  std::uint32_t first = 0;  ///< number of the lowest
  std::uint32_t count = 0;  ///< 0: no core

  bool contains(std::uint32_t core) const { return core >= first && core - first < count; }
  friend bool operator==(const CoreRange&, const CoreRange&) = default;
};

/// Thread-safe. What becomes of one call, by its place in the sequence of calls.
class FaultPlan {
 public:
  /// All rules together; the defaults: nothing happens.
  struct Fate {
    NRT_STATUS status = NRT_SUCCESS;  ///< to be returned instead
    double slow = 1;                  ///< factor on device time: the product of all rules
    bool hangs = false;               ///< no answer before the timeout
    double blocks_s = 0;              ///< no answer for so long: the longest of all rules
  };

  /// `struck`: of the same rules in the session before, if there was one. A core that was lost or hung then does so
  /// from the first call on, or recovers.
  explicit FaultPlan(const std::vector<FaultRule>& rules, const std::vector<bool>& struck = {});

  /// Counts one call; `cores` empty for calls that are about no core.
  Fate next(std::string_view call, CoreRange cores = {});
  /// Whether each rule has struck.
  std::vector<bool> struck() const;

 private:
  struct State {
    FaultRule rule;
    std::uint64_t calls = 0;
    bool struck = false;  ///< in an earlier session
    bool over = false;
  };
  mutable std::mutex mutex_;
  std::vector<State> states_;
};

}  // namespace posecam::sim
