#pragma once
// Everything between nrt_init and nrt_close: the configuration, the cores of this process, and what lies on them.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "pipeline/neuron/machine/config.h"
#include "pipeline/neuron/machine/faults.h"
#include "pipeline/neuron/sim/core.h"
#include "pipeline/neuron/sim/deferred.h"
#include "pipeline/neuron/sim/handles.h"
#include "pipeline/neuron/sim/schedule.h"
#include "pipeline/neuron/sim/shared_network.h"
#include "pipeline/neuron/sim/storage.h"

namespace posecam::sim {

/// Immutable: attaching a buffer puts another one behind the handle.
struct Tensor {
  std::string name;
  nrt_tensor_placement_t placement = NRT_TENSOR_PLACEMENT_DEVICE;  ///< as it was asked for
  std::shared_ptr<Core> core;                                      ///< null: host memory
  std::shared_ptr<Storage> storage;                                ///< null: allocated empty, nothing attached yet
  std::size_t offset = 0;                                          ///< in the storage
  std::size_t size = 0;                                            ///< bytes
};

/// Inputs or outputs of an execution. It holds handles: a tensor that was freed is missed when the set is used.
struct TensorSet {
  std::mutex mutex;
  std::map<std::string, const void*, std::less<>> tensors;  ///< name -> handle
};

/// A loaded NEFF. Several replicas behind one handle lie on consecutive groups of `need` cores.
struct Model {
  std::shared_ptr<const void> file;  ///< what other loads of the same file share
  std::string name;
  SimProgram program;                                 ///< what was compiled
  std::shared_ptr<SharedNetwork> network;             ///< shared with other loads of it
  CoreRange cores;                                    ///< of this process, all replicas
  std::uint32_t need = 1;                             ///< cores of one replica
  Nanos device_time = 0;                              ///< of one execution; 0: as long as the computation takes
  Nanos timeout = 0;                                  ///< NEURON_RT_EXEC_TIMEOUT when it was loaded
  std::vector<std::unique_ptr<DeviceMemory>> memory;  ///< its weights, on each core
  std::atomic<std::uint32_t> turn = 0;                ///< which replica is next
  std::atomic<std::uint64_t> executions = 0;          ///< since it was loaded, or a profile began
  std::atomic<std::uint64_t> busy_ns = 0;             ///< in these

  /// Copies behind the handle.
  std::uint32_t replicas() const { return cores.count / need; }
};

/// Thread-safe where its parts are; `loads` and `profiles` under `mutex`.
struct Session {
  /// `struck`: as FaultPlan takes it.
  Session(Config settings, std::vector<std::shared_ptr<Core>> owned, const std::vector<bool>& struck)
      : config(std::move(settings)),
        cores(std::move(owned)),
        faults(config.faults, struck),
        bookings(static_cast<std::uint32_t>(cores.size())),
        turns(static_cast<std::uint32_t>(cores.size())),
        loads(cores.size(), 0),
        last_run(cores.size(), nullptr),
        deferred(static_cast<std::uint32_t>(cores.size()), config.in_flight) {}

  /// Their numbers on the instance.
  CoreRange on_instance(CoreRange own) const { return {cores[own.first]->number(), own.count}; }
  /// What faults say about a call that is about these cores of the process, or about none.
  NRT_STATUS injected(const char* call) { return suffer(faults.next(call)); }
  NRT_STATUS injected(const char* call, CoreRange own) { return suffer(faults.next(call, on_instance(own))); }
  NRT_STATUS injected(const char* call, const Tensor& tensor) {
    return tensor.core ? suffer(faults.next(call, {tensor.core->number(), 1})) : injected(call);
  }
  /// Blocks as long as the fate says.
  static NRT_STATUS suffer(const FaultPlan::Fate& fate) {
    if (fate.blocks_s > 0) sleep_until(monotonic_now() + static_cast<Nanos>(fate.blocks_s * kNanosPerSecond));
    return fate.status;
  }

  const Config config;  ///< as read by nrt_init
  /// By their numbers within the process, which start at 0 and are neighbours on the instance.
  const std::vector<std::shared_ptr<Core>> cores;
  FaultPlan faults;         ///< counts calls from nrt_init on
  Bookings bookings;        ///< timed mode
  Turns turns;              ///< exact mode
  Handles<Model> models;    ///< loaded and not unloaded
  Handles<Tensor> tensors;  ///< allocated and not freed; sets likewise
  Handles<TensorSet> sets;
  std::mutex mutex;                             ///< of loads, last_run and profiles
  std::vector<std::uint32_t> loads;             ///< models by core
  std::vector<const Model*> last_run;           ///< by core: which model ran there last, to compare
  std::map<std::string, const void*> profiles;  ///< file -> the model's handle
  Deferred deferred;                            ///< last: what is queued uses all of the above
};

/// The state of the library in this process: START, then INIT and CLOSED in turns. Thread-safe.
class Runtime {
 public:
  /// The only one.
  static Runtime& instance();

  /// As nrt_init: reads the settings, takes the cores. NRT_RESOURCE: they have other owners.
  NRT_STATUS init();
  /// As nrt_close: gives the cores back once nobody is within a call.
  void close();
  /// Null outside of init and close; `otherwise` says why (13 or 14).
  std::shared_ptr<Session> session(NRT_STATUS& otherwise);
  /// The configuration in force, or what nrt_init would find now.
  Result<Config> config();

 private:
  NRT_STATUS start();
  std::mutex mutex_;
  std::shared_ptr<Session> session_;
  bool closed_ = false;
  std::uint64_t inits_ = 0;
  std::shared_ptr<const Config> past_;  ///< of the session that was closed last,
  std::vector<bool> struck_;            ///< and which of its faults struck
};

}  // namespace posecam::sim
