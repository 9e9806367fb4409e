#include "pipeline/neuron/machine/faults.h"

#include <algorithm>

namespace posecam::sim {

FaultPlan::FaultPlan(const std::vector<FaultRule>& rules, const std::vector<bool>& struck) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    State& state = states_.emplace_back(State{.rule = rules[i]});
    const bool lasts = rules[i].kind == FaultRule::Kind::kHang || rules[i].kind == FaultRule::Kind::kLost;
    if (i >= struck.size() || !struck[i]) continue;
    state.struck = true;
    state.over = rules[i].recovers;
    if (lasts) state.rule.from = 1;
  }
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
      case FaultRule::Kind::kBlock: fate.blocks_s = std::max(fate.blocks_s, rule.blocks_s); break;
      case FaultRule::Kind::kStatus:
      case FaultRule::Kind::kLost:
        if (fate.status == NRT_SUCCESS) fate.status = rule.status;
        break;
    }
  }
  return fate;
}

std::vector<bool> FaultPlan::struck() const {
  const std::lock_guard lock(mutex_);
  std::vector<bool> struck;
  for (const State& state : states_) struck.push_back(state.struck || state.calls >= state.rule.from);
  return struck;
}

}  // namespace posecam::sim
