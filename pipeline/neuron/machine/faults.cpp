#include "pipeline/neuron/machine/faults.h"

namespace posecam::sim {

FaultPlan::FaultPlan(const std::vector<FaultRule>& rules) {
  for (const FaultRule& rule : rules) states_.push_back({rule});
}

FaultPlan::Fate FaultPlan::next(std::string_view call, CoreRange cores) {
  Fate fate;
  const std::lock_guard lock(mutex_);
  for (State& state : states_) {
    const FaultRule& rule = state.rule;
    if (state.over || rule.call != call || (rule.core && !cores.contains(*rule.core))) continue;
    const std::uint64_t n = ++state.calls;
    if (n < rule.from || (rule.count != 0 && n - rule.from >= rule.count) || (n - rule.from) % rule.every != 0)
      continue;
    switch (rule.kind) {
      case FaultRule::Kind::kSlow: fate.slow *= rule.slow; break;
      case FaultRule::Kind::kHang: fate.hangs = true; break;
      case FaultRule::Kind::kStatus:
      case FaultRule::Kind::kLost:
        if (fate.status == NRT_SUCCESS) fate.status = rule.status;
        break;
    }
  }
  return fate;
}

void FaultPlan::unloaded(CoreRange cores) {
  const std::lock_guard lock(mutex_);
  for (State& state : states_) {
    const bool struck = state.calls >= state.rule.from;
    if (state.rule.recovers && struck && state.rule.core && cores.contains(*state.rule.core)) state.over = true;
  }
}

}  // namespace posecam::sim
