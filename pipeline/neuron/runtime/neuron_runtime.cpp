#include "pipeline/neuron/runtime/neuron_runtime.h"

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdlib>
#include <map>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "models/core/log.h"
#include "pipeline/backend/core_list.h"
#include "pipeline/backend/errand.h"
#include "pipeline/neuron/nrt/instance_family.h"
#include "pipeline/neuron/nrt/neuron_library.h"
#include "pipeline/neuron/nrt/nrt_status.h"
#include "pipeline/neuron/report/neuron_report.h"

namespace posecam {
namespace {

constexpr const char* kVisible = "NEURON_RT_VISIBLE_CORES";
constexpr const char* kNumber = "NEURON_RT_NUM_CORES";
constexpr const char* kGroups = "NEURONCORE_GROUP_SIZES";
constexpr const char* kTimeout = "NEURON_RT_EXEC_TIMEOUT";
constexpr const char* kTimeoutSeconds = "10";  // the runtimes' own are 2, 30 or 600 s, by version and instance
constexpr const char* kLogical = "NEURON_LOGICAL_NC_CONFIG";
constexpr const char* kInFlight = "NEURON_RT_ASYNC_EXEC_MAX_INFLIGHT_REQUESTS";
constexpr std::chrono::milliseconds kFirstWait{100};
constexpr std::chrono::seconds kResetLimit{180};  // for the calls under way, and then for itself
constexpr std::chrono::milliseconds kResetPatience{30'000};
constexpr CoreId kMostCores = 1024;  // more than any instance has

bool is_set(const char* variable) {
  const char* const value = std::getenv(variable);
  return value && *value;
}

std::string range_text(CoreId first, CoreId count) {
  return count == 1 ? fmt::format("{}", first) : fmt::format("{}-{}", first, first + count - 1);
}

std::vector<CoreId> range_of(CoreId first, CoreId count) {
  std::vector<CoreId> cores(count);
  for (CoreId i = 0; i < count; ++i) cores[i] = first + i;
  return cores;
}

bool set_variable(const char* name, const char* value, int overwrite) {
  std::lock_guard lock(environment_mutex());
  return ::setenv(name, value, overwrite) == 0;
}

}  // namespace

/// The one runtime that a library can have in a process.
struct NeuronRuntime::Place {
  std::mutex mutex;
  std::condition_variable changed;
  std::weak_ptr<NeuronRuntime> runtime;
  bool taken = false;  ///< somebody opens it, has it, or closes it
};

NeuronRuntime::Place& NeuronRuntime::place_of(const NrtLibrary& library) {
  static std::mutex mutex;
  static auto& places = *new std::map<std::filesystem::path, Place>;  // never destroyed: engines may outlive main()
  std::lock_guard lock(mutex);
  return places[library.path()];
}

Result<std::shared_ptr<NeuronRuntime>> NeuronRuntime::open(std::shared_ptr<const NrtLibrary> library,
                                                           const RuntimeOptions& options) {
  Place& place = place_of(*library);
  {
    std::unique_lock lock(place.mutex);
    std::shared_ptr<NeuronRuntime> running;
    const auto free = [&] { return !place.taken || (running = place.runtime.lock()) != nullptr; };
    if (!place.changed.wait_for(lock, kResetLimit, free)) {
      return Error{Errc::kDevice, fmt::format("device {}: the runtime is opened or closed by another part of this "
                                              "program for more than {} s",
                                              options.device, kResetLimit.count())};
    }
    if (running) {
      lock.unlock();
      if (auto fits = running->check(options); !fits) return fits.error();
      return running;
    }
    place.taken = true;
  }
  const std::shared_ptr<NeuronRuntime> runtime(new NeuronRuntime(std::move(library)));
  runtime->place_ = &place;  // from here on its destructor gives the place back
  if (auto started = runtime->start(options); !started) return started.error();
  {
    std::lock_guard lock(place.mutex);
    place.runtime = runtime;
  }
  place.changed.notify_all();
  return runtime;
}

NeuronRuntime::~NeuronRuntime() {
  if (initialised_) nrt().nrt_close();
  {
    std::lock_guard lock(environment_mutex());
    for (const std::string& variable : variables_) ::unsetenv(variable.c_str());
    if (!in_flight_.empty()) ::setenv(kInFlight, in_flight_.c_str(), 1);
  }
  if (!place_) return;
  {
    std::lock_guard lock(place_->mutex);
    place_->taken = false;
  }
  place_->changed.notify_all();
}

Result<void> NeuronRuntime::start(const RuntimeOptions& options) {
  options_ = options;
  if (auto chosen = choose_cores(options); !chosen) return chosen;
  if (!is_set(kTimeout) && set_variable(kTimeout, kTimeoutSeconds, 1)) variables_.emplace_back(kTimeout);
  wait_for_executions();
  if (auto chosen = choose_logical_cores(options.logical_core_size); !chosen) return chosen;
  if (auto done = initialise(options.patience); !done) return done;
  const NRT_STATUS status = nrt().nrt_get_visible_nc_count(&core_count_);
  if (status != NRT_SUCCESS) return nrt_setup_error("nrt_get_visible_nc_count", status);
  if (core_count_ == 0) return Error{Errc::kDevice, fmt::format("device {} has no NeuronCores", options.device)};
  ask_family();
  logger().info("device {}: Neuron runtime {} ({}), instance family {}, NeuronCores {}", options.device,
                library_->version(), library_->path().string(), family_, range_text(first_core_, core_count_));
  return check(options);
}

/// Where the environment asks for it, as AWS's advice for PyTorch does, runtimes up to 2.33 let nrt_execute return
/// before there are results, and tell nobody here that it failed. The slots of a core overlap anyway.
void NeuronRuntime::wait_for_executions() {
  if (!is_set(kInFlight) || std::string_view(std::getenv(kInFlight)) == "0") return;
  in_flight_ = std::getenv(kInFlight);
  if (!set_variable(kInFlight, "0", 1)) return logger().error("{} cannot be set: results would be wrong", kInFlight);
  remark_ = fmt::format("{}={} is taken as 0: posecam reads results when nrt_execute returns", kInFlight, in_flight_);
}

/// The runtime's cores and the networks' must be made of as many physical ones.
Result<void> NeuronRuntime::choose_logical_cores(std::uint32_t size) {
  if (size == 0) return {};
  const std::string wanted = std::to_string(size);
  if (!is_set(kLogical)) {
    if (set_variable(kLogical, wanted.c_str(), 1)) variables_.emplace_back(kLogical);
    return {};
  }
  if (std::getenv(kLogical) == wanted) return {};
  return Error{Errc::kModel,
               fmt::format("compiled with -lnc {0}, but {1}={2}: unset it, set it to {0}, or compile with "
                           "-lnc {2}",
                           wanted, kLogical, std::getenv(kLogical))};
}

/// What the environment tells the runtime to take. Whether cores that the user names there exist is for nrt_init to
/// say: a container may have some devices of the instance only, whose cores keep the instance's numbers, and the total
/// that the runtime tells may be smaller. The variables stay until the runtime is closed: it may read some of them when
/// it loads a model.
Result<void> NeuronRuntime::choose_cores(const RuntimeOptions& options) {
  const auto set = [&](const char* variable, const std::string& value) {
    if (set_variable(variable, value.c_str(), 1)) variables_.emplace_back(variable);
  };
  if (is_set(kGroups)) {
    auto groups = parse_core_groups(std::getenv(kGroups));
    if (!groups) return groups.error();
    groups_ = std::move(*groups);
    leases_.resize(groups_.size());
  }
  if (is_set(kVisible)) {
    read_visible();
    return {};
  }
  if (is_set(kNumber)) {
    limit_ = fmt::format("{}={}", kNumber, std::getenv(kNumber));
    return {};
  }
  if (!options.cores.empty()) {
    const auto [first, last] = std::ranges::minmax(options.cores);
    if (auto there = check_total(options.device, "cores", last + 1); !there) return there;
    first_core_ = first;
    wanted_ = range_of(first, last - first + 1);
    set(kVisible, range_text(first, last - first + 1));
    return {};
  }
  std::uint32_t total = 0;
  for (const CoreGroup& group : groups_) total += group.total();
  if (total == 0) return {};
  set(kNumber, std::to_string(total));
  return check_total(options.device, fmt::format("{}={}", kGroups, std::getenv(kGroups)), total);
}

void NeuronRuntime::read_visible() {
  limit_ = fmt::format("{}={}", kVisible, std::getenv(kVisible));
  auto list = parse_core_list(std::getenv(kVisible), kMostCores);
  if (list) wanted_ = std::move(*list);  // else the runtime may understand more
}

/// Whether the device has so many cores, as far as it says: nrt_init would only fail, and be tried again.
Result<void> NeuronRuntime::check_total(std::string_view device, std::string_view setting, CoreId needed) const {
  CoreId total = 0;
  const auto count = nrt().nrt_get_total_nc_count;
  if (!count || count(&total) != NRT_SUCCESS || total == 0 || needed <= total) return {};
  return Error{Errc::kUsage, fmt::format("{}: device {} has no core {}, it has {}: 0-{}; in a container with some of "
                                         "the instance's devices, name their cores in {}",
                                         setting, device, needed - 1, total, total - 1, kVisible)};
}

Result<void> NeuronRuntime::initialise(std::chrono::milliseconds patience) {
  std::chrono::milliseconds waited{0};
  for (auto wait = kFirstWait;; wait *= 2) {
    const NRT_STATUS status = nrt().nrt_init(NRT_FRAMEWORK_TYPE_NO_FW, "", "");
    if (status == NRT_SUCCESS) {
      initialised_ = true;
      return {};
    }
    CoreId total = 0;
    const bool no_device =
        nrt().nrt_get_total_nc_count && (nrt().nrt_get_total_nc_count(&total) != NRT_SUCCESS || total == 0);
    if (no_device || waited >= patience) {
      return cannot_start(options_.device, *library_, status, wanted_, limit_);
    }
    if (waited.count() == 0) {
      logger().warn("{}; trying for {} ms", nrt_error("nrt_init", status).message, patience.count());
    }
    // A core that was in use a moment ago is not free yet: there is nothing to wait on but time.
    wait = std::min(wait, patience - waited);
    std::this_thread::sleep_for(wait);
    waited += wait;
  }
}

void NeuronRuntime::add(std::weak_ptr<NrtTenant> tenant) {
  const std::lock_guard lock(mutex_);
  std::erase_if(tenants_, [](const auto& other) { return other.expired(); });
  tenants_.push_back(std::move(tenant));
}

void NeuronRuntime::leave(std::shared_ptr<void> handles) {
  const std::lock_guard lock(mutex_);
  left_.push_back(std::move(handles));
}

Result<void> NeuronRuntime::reset(std::uint64_t seen) {
  const std::lock_guard lock(reset_mutex_);
  if (generation_ != seen) return {};
  if (!gate_.close(kResetLimit)) {
    return Error{Errc::kDevice, fmt::format("device {}: calls that are under way do not end within {} s",
                                            options_.device, kResetLimit.count())};
  }
  const auto outcome = std::make_shared<Result<void>>();
  Errand errand([self = shared_from_this(), outcome] { *outcome = self->start_anew(); });
  if (errand.wait_for(kResetLimit)) {
    gate_.open();
    return *outcome;
  }
  gate_.give_up();
  return Error{Errc::kDevice, fmt::format("device {}: nrt_close and nrt_init take more than {} s; restart the program",
                                          options_.device, kResetLimit.count())};
}

/// With the gate closed.
Result<void> NeuronRuntime::start_anew() try {
  std::vector<std::shared_ptr<NrtTenant>> tenants;  // nobody else can be the last owner of one meanwhile
  {
    const std::lock_guard lock(mutex_);
    for (const auto& tenant : tenants_) {
      if (auto living = tenant.lock()) tenants.push_back(std::move(living));
    }
  }
  for (const auto& tenant : tenants) tenant->let_go();
  ++generation_;
  if (std::exchange(initialised_, false)) nrt().nrt_close();
  auto done = initialise(std::min(options_.patience, kResetPatience));
  if (!done) return done;
  std::vector<std::jthread> threads;  // loading is mostly waiting for the core
  threads.reserve(tenants.size());
  for (const auto& tenant : tenants) threads.emplace_back([&tenant] { tenant->take_back(); });
  return done;
} catch (const std::exception& e) {
  return Error{Errc::kDevice, fmt::format("device {}: {}", options_.device, e.what())};
}

void NeuronRuntime::ask_family() {
  nrt_instance_info_t info{};
  // The first fields are all that is wanted, and all that older runtimes know.
  constexpr std::size_t kLength = offsetof(nrt_instance_info_t, arch_name);
  if (nrt().nrt_get_instance_info && nrt().nrt_get_instance_info(&info, kLength) == NRT_SUCCESS) {
    family_ = family_name(info.family);
  } else if (const auto name = family_of_product(product_name()); !name.empty()) {
    family_ = name;
  }
}

std::string NeuronRuntime::take_remark() {
  const std::lock_guard lock(mutex_);
  return std::exchange(remark_, {});
}

bool NeuronRuntime::is_inf1() const { return family_ == "inf1"; }

std::vector<CoreId> NeuronRuntime::cores() const { return range_of(first_core_, core_count_); }

/// An engine that wants cores which this process has not taken.
Result<void> NeuronRuntime::check(const RuntimeOptions& options) const {
  const std::uint32_t logical = options.logical_core_size;
  if (logical != 0 && options_.logical_core_size != 0 && logical != options_.logical_core_size) {
    return Error{Errc::kModel, fmt::format("compiled with -lnc {}, but a model of this process with -lnc {}: compile "
                                           "both alike",
                                           logical, options_.logical_core_size)};
  }
  for (const CoreId core : options.cores) {
    if (core >= first_core_ && core - first_core_ < core_count_) continue;
    if (!limit_.empty()) {
      return Error{Errc::kUsage, fmt::format("cores: {} is not among {}: cores counts from 0 within what {} gives to "
                                             "this process",
                                             core, range_text(first_core_, core_count_), limit_)};
    }
    return Error{Errc::kUsage,
                 fmt::format("cores: {} is not among {}, the cores that this process took when its first engine "
                             "started: give that engine a list that spans all of them, or set {}",
                             core, range_text(first_core_, core_count_), kVisible)};
  }
  return {};
}

std::shared_ptr<const std::vector<CoreId>> NeuronRuntime::lease_group() {
  if (groups_.empty()) return nullptr;
  std::lock_guard lock(mutex_);
  const auto free = std::ranges::find_if(leases_, [](const auto& lease) { return lease.expired(); });
  const auto index = free == leases_.end() ? 0 : static_cast<std::size_t>(free - leases_.begin());
  // All are taken: the first is shared, unless its last owner has let go of it since.
  if (auto shared = leases_[index].lock()) return shared;
  CoreId first = first_core_;
  for (std::size_t i = 0; i < index; ++i) first += groups_[i].total();
  auto cores = range_of(first, groups_[index].total());
  std::erase_if(cores, [&](CoreId core) { return core - first_core_ >= core_count_; });
  auto lease = std::make_shared<const std::vector<CoreId>>(std::move(cores));
  leases_[index] = lease;
  return lease;
}

Error cannot_start(std::string_view device, const NrtLibrary& library, NRT_STATUS status,
                   const std::vector<CoreId>& cores, std::string_view limit) {
  const NrtStatusRow& row = nrt_status_row(status);
  std::string message = fmt::format("device {}: {} does not start: nrt_init says {} ({})", device,
                                    library.path().string(), row.name, status);
  const auto devices = device == kNeuronSim ? Result<std::vector<NeuronDevice>>(simulated_devices()) : neuron_ls();
  const std::string holders = devices ? holders_of(*devices, cores) : "";
  if (!holders.empty()) {
    message += fmt::format("; the NeuronCores are held by {}: stop it, or use other cores (cores=LIST)", holders);
  } else if (!limit.empty()) {
    message += fmt::format(": are the cores of {} here and free, with a driver (aws-neuronx-dkms)?", limit);
  } else {
    message += ": is there a Neuron device, its driver (aws-neuronx-dkms), and no other process on its cores?";
  }
  return {Errc::kDevice, message};
}

}  // namespace posecam
