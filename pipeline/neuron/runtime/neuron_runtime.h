#pragma once
// libnrt in this process: initialised once, however many engines use it, and closed when the last of them is gone. What
// it owns between the two are cores: they belong to this process alone.

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

namespace posecam {

/// For the first call; a later one must get along with what that one took.
struct RuntimeOptions {
  std::string device = "neuron";  ///< for messages
  std::vector<CoreId> cores;      ///< that the first engine wants; empty: all
  /// How long to try while other processes hold the cores: 100 ms, then twice as long each time, this much in all.
  std::chrono::milliseconds patience{3100};
};

/// Thread-safe. Cores are numbered as the process sees them: on the instance, or, if NEURON_RT_VISIBLE_CORES or
/// NEURON_RT_NUM_CORES is set, from 0 within what these give to the process (as AWS's frameworks count).
class NeuronRuntime {
 public:
  /// The runtime of this library in this process; the first call initialises it. Before that, and until it is closed:
  /// unless the environment says which cores to take, NEURON_RT_VISIBLE_CORES is the range around `options.cores`, and
  /// NEURONCORE_GROUP_SIZES, if set, gives NEURON_RT_NUM_CORES; NEURON_RT_EXEC_TIMEOUT is 10 s unless it is set.
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
  /// "inf2"; "unknown" where the runtime does not say.
  std::string_view family() const { return family_; }
  /// Tensors of Inf1 are VIRTUAL, later ones lie on the device.
  bool is_inf1() const;
  /// All cores that the process owns, ascending.
  std::vector<CoreId> cores() const;
  /// As nrt_load and nrt_tensor_allocate count: within the cores of the process.
  std::int32_t vnc_of(CoreId core) const { return static_cast<std::int32_t>(core - first_core_); }

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
  Result<void> initialise(const RuntimeOptions& options);
  Result<void> check(const RuntimeOptions& options) const;
  void ask_family();

  const std::shared_ptr<const NrtLibrary> library_;
  Place* place_ = nullptr;  // never destroyed
  std::string family_ = "unknown";
  CoreId first_core_ = 0;
  CoreId core_count_ = 0;
  bool initialised_ = false;
  std::string limit_;                   // "NEURON_RT_NUM_CORES=4": the user's own setting, if there is one
  std::vector<CoreId> wanted_;          // on the instance; empty: any or all
  std::vector<std::string> variables_;  // that were set for this runtime

  std::mutex mutex_;
  std::vector<CoreGroup> groups_;
  std::vector<std::weak_ptr<const std::vector<CoreId>>> leases_;  // by group
};

/// nrt_init's answer in words, with who holds the cores (numbers of the instance; empty: any of them). `limit`: the
/// user's setting that says which to take, as "NEURON_RT_NUM_CORES=4"; may be empty.
Error cannot_start(std::string_view device, const NrtLibrary& library, NRT_STATUS status,
                   const std::vector<CoreId>& cores, std::string_view limit);

}  // namespace posecam
