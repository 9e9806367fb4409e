#pragma once
// libnrt in this process: initialised once, however many engines use it, and closed when the last of them is gone. What
// it owns between the two are cores: they belong to this process alone.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "models/core/result.h"
#include "pipeline/backend/backend.h"
#include "pipeline/neuron/nrt/nrt_library.h"
#include "pipeline/neuron/report/core_groups.h"
#include "pipeline/neuron/runtime/reset_gate.h"

namespace posecam {

/// For the first call; a later one must get along with what that one took.
struct RuntimeOptions {
  std::string device = "neuron";  ///< for messages
  std::vector<CoreId> cores;      ///< that the first engine wants; empty: all
  /// How long to try while other processes hold the cores: 100 ms, then twice as long each time, this much in all.
  std::chrono::milliseconds patience{3000};
  /// Physical cores in one that the networks were compiled for: NEURON_LOGICAL_NC_CONFIG. 0: any.
  std::uint32_t logical_core_size = 0;
};

/// Somebody with handles of the runtime, which reset() has given back and got anew: called by it alone, on threads of
/// its own, while nobody has a NeuronRuntime::Use.
class NrtTenant {
 public:
  virtual ~NrtTenant() = default;
  virtual void let_go() = 0;
  /// As far as the device lets it. Other tenants do so at the same time.
  virtual void take_back() = 0;
};

/// Thread-safe. Cores are numbered as the process sees them: on the instance, or, if NEURON_RT_VISIBLE_CORES or
/// NEURON_RT_NUM_CORES is set, from 0 within what these give to the process (as AWS's frameworks count).
class NeuronRuntime : public std::enable_shared_from_this<NeuronRuntime> {
 public:
  /// The runtime of this library in this process; the first call initialises it. Before that, and until it is closed:
  /// unless the environment says which cores to take, NEURON_RT_VISIBLE_CORES is the range around `options.cores`, and
  /// NEURONCORE_GROUP_SIZES, if set, gives NEURON_RT_NUM_CORES; NEURON_RT_EXEC_TIMEOUT is 10 s unless it is set;
  /// NEURON_RT_ASYNC_EXEC_MAX_INFLIGHT_REQUESTS is 0; NEURON_LOGICAL_NC_CONFIG is `options.logical_core_size`.
  /// Blocks while another thread opens or closes it, and for `patience`.
  /// kUsage: cores that do not exist, or that the process did not take when it started.
  /// kDevice: what the runtime said, also of cores that the environment names, and who holds them if that can be found
  /// out.
  static Result<std::shared_ptr<NeuronRuntime>> open(std::shared_ptr<const NrtLibrary> library,
                                                     const RuntimeOptions& options);
  ~NeuronRuntime();
  NeuronRuntime(const NeuronRuntime&) = delete;
  NeuronRuntime& operator=(const NeuronRuntime&) = delete;

  const NrtFunctions& nrt() const { return library_->functions(); }  ///< to be called until this is destroyed
  const NrtLibrary& library() const { return *library_; }            ///< the one it was opened with
  const std::string& device() const { return options_.device; }      ///< for messages
  /// "inf2"; "unknown" where the runtime does not say.
  std::string_view family() const { return family_; }
  /// Tensors of Inf1 are VIRTUAL, later ones lie on the device.
  bool is_inf1() const;
  /// All cores that the process owns, ascending.
  std::vector<CoreId> cores() const;
  /// As nrt_load and nrt_tensor_allocate count: within the cores of the process.
  std::int32_t vnc_of(CoreId core) const { return static_cast<std::int32_t>(core - first_core_); }

  /// To have for the time of calls about handles, by a thread that has none yet: reset() waits until it is gone. False
  /// where a reset hangs: the runtime must not be called any more.
  using Use = ResetGate::Use;
  /// Blocks while a reset is under way.
  Use use() { return Use(gate_); }
  /// Within a Use.
  void add(std::weak_ptr<NrtTenant> tenant);
  /// What must neither be used nor destroyed, since the runtime hangs in it.
  void leave(std::shared_ptr<void> handles);

  /// What people should know of how it was started, a line, for the first who asks; empty: nothing.
  std::string take_remark();

  /// How often it was reset.
  std::uint64_t generation() const { return generation_; }
  /// nrt_close and nrt_init, the only remedy for a lost core: waits for the calls of all engines, three minutes at
  /// most, has the tenants' handles given back, and got anew then. Nothing if that was done since generation `seen`. If
  /// that takes three minutes more it hangs, and every Use from then on is false. kDevice.
  Result<void> reset(std::uint64_t seen);

  /// The cores for the next model of the process by NEURONCORE_GROUP_SIZES: those of the first group that no living
  /// model has, of the first group if all are taken. Null without that variable. The group is free again when the
  /// pointer goes.
  std::shared_ptr<const std::vector<CoreId>> lease_group();

 private:
  struct Place;
  explicit NeuronRuntime(std::shared_ptr<const NrtLibrary> library) : library_(std::move(library)) {}
  static Place& place_of(const NrtLibrary& library);
  Result<void> start(const RuntimeOptions& options);
  Result<void> choose_cores(const RuntimeOptions& options);
  void read_visible();
  Result<void> check_total(std::string_view device, std::string_view setting, CoreId needed) const;
  void wait_for_executions();
  Result<void> choose_logical_cores(std::uint32_t size);
  Result<void> initialise(std::chrono::milliseconds patience);
  Result<void> start_anew();
  Result<void> check(const RuntimeOptions& options) const;
  void ask_family();

  const std::shared_ptr<const NrtLibrary> library_;
  RuntimeOptions options_;  // of the first call
  Place* place_ = nullptr;  // never destroyed
  std::string family_ = "unknown";
  CoreId first_core_ = 0;
  CoreId core_count_ = 0;
  bool initialised_ = false;
  std::string limit_;                   // "NEURON_RT_NUM_CORES=4": the user's own setting, if there is one
  std::vector<CoreId> wanted_;          // on the instance; empty: any or all
  std::vector<std::string> variables_;  // that were set for this runtime
  std::string in_flight_;               // what NEURON_RT_ASYNC_EXEC_MAX_INFLIGHT_REQUESTS was before, if not 0

  ResetGate gate_;
  std::mutex reset_mutex_;  // one reset at a time
  std::atomic<std::uint64_t> generation_ = 0;

  std::mutex mutex_;
  std::string remark_;
  std::vector<std::weak_ptr<NrtTenant>> tenants_;
  std::vector<std::shared_ptr<void>> left_;
  std::vector<CoreGroup> groups_;
  std::vector<std::weak_ptr<const std::vector<CoreId>>> leases_;  // by group
};

/// nrt_init's answer in words, with who holds the cores (numbers of the instance; empty: any of them). `limit`: the
/// user's setting that says which to take, as "NEURON_RT_NUM_CORES=4"; may be empty.
Error cannot_start(std::string_view device, const NrtLibrary& library, NRT_STATUS status,
                   const std::vector<CoreId>& cores, std::string_view limit);

}  // namespace posecam
