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
  /// The call returns `status`; takes `slow` times as long; ends with the timeout; fails as on a core that is gone.
  enum class Kind { kStatus, kSlow, kHang, kLost };
  Kind kind = Kind::kStatus;          ///< what happens
  std::string call = "nrt_execute";   ///< name of the function
  std::optional<std::uint32_t> core;  ///< on the instance, not of the process; none: any
  std::uint64_t from = 1;             ///< the first call that it strikes
  std::uint64_t count = 0;            ///< 0: for ever
  std::uint64_t every = 1;            ///< only each so manieth of these
  NRT_STATUS status = NRT_SUCCESS;    ///< of kStatus and kLost
  double slow = 1;                    ///< factor on device time
  bool recovers = false;              ///< hang and lost: over once a model of that core was unloaded
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
  };

  explicit FaultPlan(const std::vector<FaultRule>& rules);

  /// Counts one call; `cores` empty for calls that are about no core.
  Fate next(std::string_view call, CoreRange cores = {});
  /// A model left these cores: rules that recover are over once they have struck.
  void unloaded(CoreRange cores);

 private:
  struct State {
    FaultRule rule;
    std::uint64_t calls = 0;
    bool over = false;
  };
  std::mutex mutex_;
  std::vector<State> states_;
};

}  // namespace posecam::sim
