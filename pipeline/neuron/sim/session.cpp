#include "pipeline/neuron/sim/session.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "pipeline/neuron/sim/log.h"

namespace posecam::sim {
namespace {

const char* process_environment(const char* name) { return std::getenv(name); }

using Cores = std::vector<std::shared_ptr<Core>>;

struct Taken {
  NRT_STATUS status = NRT_SUCCESS;
  Cores cores;
};

/// All cores of a range or none, with the line that the real runtime prints.
Taken take_range(const Config& config, CoreRange range) {
  Taken taken;
  for (std::uint32_t core = range.first; core < range.first + range.count; ++core) {
    auto file = CoreFile::take(config.pool, core, config.instance.core_bytes());
    if (file) {
      taken.cores.push_back(std::make_shared<Core>(core, std::move(*file)));
    } else if (file.error().code == Errc::kBusy) {
      taken.status = NRT_RESOURCE;
    } else {
      log(Level::kError, "nrt_allocate_neuron_cores", "{}", file.error().message);
      return {NRT_FAILURE, {}};
    }
  }
  if (taken.status == NRT_SUCCESS) return taken;
  log(Level::kError, "nrt_allocate_neuron_cores", "NeuronCore(s) not available - Requested:nc{}-nc{} Available:{}",
      range.first, range.first + range.count - 1, taken.cores.size());
  return {NRT_RESOURCE, {}};
}

/// The first `wanted` free neighbours.
Taken take_any(const Config& config, std::uint32_t wanted) {
  Cores run;
  std::size_t longest = 0;
  for (std::uint32_t core = 0; core < config.instance.cores; ++core) {
    auto file = CoreFile::take(config.pool, core, config.instance.core_bytes());
    if (file) {
      run.push_back(std::make_shared<Core>(core, std::move(*file)));
      if (run.size() == wanted) return {NRT_SUCCESS, std::move(run)};
      longest = std::max(longest, run.size());
    } else if (file.error().code == Errc::kBusy) {
      run.clear();
    } else {
      log(Level::kError, "nrt_allocate_neuron_cores", "{}", file.error().message);
      return {NRT_FAILURE, {}};
    }
  }
  log(Level::kError, "nrt_allocate_neuron_cores", "NeuronCore(s) not available - Requested:{} Available:{}", wanted,
      longest);
  return {NRT_RESOURCE, {}};
}

Taken take_cores(const Config& config) {
  const CoreRange all{0, config.instance.cores};
  const CoreRange range = config.visible.value_or(all);
  if (range.first + range.count > all.count || config.wanted > all.count) {
    log(Level::kError, "nrt_allocate_neuron_cores",
        "{} has {} cores, NEURON_RT_VISIBLE_CORES or _NUM_CORES wants others", config.instance.name, all.count);
    return {NRT_INVALID, {}};
  }
  const auto alone = PoolLock::take(config.pool);
  if (!alone) {
    log(Level::kError, "nrt_allocate_neuron_cores", "{}", alone.error().message);
    return {NRT_FAILURE, {}};
  }
  if (!config.visible && config.wanted != 0) return take_any(config, config.wanted);
  return take_range(config, range);
}

/// What rules about nrt_init say to the n-th call of this process: the only count that outlives a session.
FaultPlan::Fate fate_of_init(const Config& config, std::uint64_t n) {
  FaultPlan plan(config.faults);
  FaultPlan::Fate fate;
  for (std::uint64_t call = 1; call <= n; ++call) fate = plan.next("nrt_init");
  return fate;
}

}  // namespace

Runtime& Runtime::instance() {
  static Runtime& runtime = *new Runtime;  // never destroyed: threads may be inside at exit
  return runtime;
}

NRT_STATUS Runtime::init() {
  const std::lock_guard lock(mutex_);
  const char* level = process_environment("NEURON_RT_LOG_LEVEL");
  set_level(parse_level(level ? level : ""));
  ++inits_;
  if (session_) {
    log(Level::kError, "nrt_init", "Unexpected runtime state: NRT_STATE_INIT");
    return NRT_INVALID;
  }
  return start();
}

NRT_STATUS Runtime::start() {
  auto config = read_config(process_environment);
  if (!config) {
    log(Level::kError, "nrt_init", "{}", config.error().message);
    return NRT_INVALID;
  }
  if (const NRT_STATUS status = Session::suffer(fate_of_init(*config, inits_))) return status;
  if (config->instance.is_inf1() && !config->runtime.runs_inf1()) {
    log(Level::kError, "nrt_init",
        "Architecture not found 1 (Inf1 needs runtime 2.22 or older; the real one aborts here)");
    return NRT_FAILURE;
  }
  Taken taken = take_cores(*config);
  if (taken.status != NRT_SUCCESS) return taken.status;
  log(Level::kInfo, "nrt_init", "simulated {}, runtime {}, cores nc{}-nc{}, computing with {}", config->instance.name,
      config->runtime.name, taken.cores.front()->number(), taken.cores.back()->number(), network_library());
  if (config->in_flight > 0) {
    log(Level::kInfo, "nrt_init", "executions are asynchronous, at most {} in flight on a core", config->in_flight);
  }
  // What struck on this very machine lasts, or is over.
  const bool same =
      past_ && past_->faults == config->faults && past_->pool == config->pool && past_->mode == config->mode;
  session_ =
      std::make_shared<Session>(std::move(*config), std::move(taken.cores), same ? struck_ : std::vector<bool>());
  closed_ = false;
  return NRT_SUCCESS;
}

void Runtime::close() {
  NRT_STATUS otherwise = NRT_SUCCESS;
  if (const auto open = session(otherwise)) open->injected("nrt_close");  // without the lock: it may block
  std::shared_ptr<Session> last;                                          // destroyed without it, too
  const std::lock_guard lock(mutex_);
  if (!session_) {
    log(Level::kError, "nrt_close", "Unexpected runtime state: NRT_STATE_{}", closed_ ? "CLOSED" : "START");
    return;
  }
  if (const auto models = session_->models.size(); models != 0) {
    log(Level::kError, "nrt_close", "{} models are still loaded: unload them first", models);
  }
  past_ = std::make_shared<const Config>(session_->config);
  struck_ = session_->faults.struck();
  last = std::move(session_);
  session_ = nullptr;
  closed_ = true;
}

std::shared_ptr<Session> Runtime::session(NRT_STATUS& otherwise) {
  const std::lock_guard lock(mutex_);
  otherwise = closed_ ? NRT_CLOSED : NRT_UNINITIALIZED;
  return session_;
}

Result<Config> Runtime::config() {
  {
    const std::lock_guard lock(mutex_);
    if (session_) return session_->config;
  }
  return read_config(process_environment);
}

}  // namespace posecam::sim
