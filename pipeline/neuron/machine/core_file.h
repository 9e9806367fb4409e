#pragma once
// A core of the simulated instance as a file: its lock says that a process owns it, its content who that is and what it
// did. The lock goes with the process, however that ends; other processes of its user can watch.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "models/core/result.h"

namespace posecam::sim {

/// Shared memory; the layout is between processes of one version. Written by the owner, read by its user's processes.
struct CoreRecord {
  static constexpr std::uint64_t kMagic = 0x31302D4D49534E43;  // "CNSIM-01"
  std::atomic<std::uint64_t> magic;         ///< kMagic once the record was written for the first time
  std::atomic<std::uint64_t> pid;           ///< of the owner, or of the last one; 0 while a new one introduces itself
  std::atomic<std::uint64_t> executions;    ///< by this owner, as all counts
  std::atomic<std::uint64_t> busy_ns;       ///< in executions
  std::atomic<std::uint64_t> bytes_in;      ///< written to the core's tensors
  std::atomic<std::uint64_t> bytes_out;     ///< read from them
  std::atomic<std::uint64_t> memory_used;   ///< bytes
  std::atomic<std::uint64_t> memory_limit;  ///< bytes
  char command[448] = {};                   ///< written before pid
};
static_assert(sizeof(CoreRecord) == 512 && std::atomic<std::uint64_t>::is_always_lock_free);

/// What an observer sees of a core.
struct CoreUse {
  std::uint32_t core = 0;  ///< on the instance
  bool held = false;       ///< by a living process; otherwise the rest is of the last one
  std::uint64_t pid = 0;   ///< this and what follows: as in CoreRecord
  std::string command;     ///< without control characters
  std::uint64_t executions = 0;
  std::uint64_t busy_ns = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t memory_used = 0;
  std::uint64_t memory_limit = 0;
};

/// The folder that `pool` means: a path if it has a slash, else that name (or none) in $XDG_RUNTIME_DIR, or in /tmp.
std::filesystem::path core_pool_folder(const std::filesystem::path& pool);

/// The cores that were ever used, by number; empty if there is no such folder of this user alone (OwnFolder). Disturbs
/// no owner, and waits for nobody.
std::vector<CoreUse> read_core_pool(const std::filesystem::path& folder);

/// Held by a process while it picks cores: of several that start together, none sees cores that another only tries.
class PoolLock {
 public:
  /// Waits for its turn. kDevice if the file cannot be made, or the folder is not this user's alone.
  static Result<PoolLock> take(const std::filesystem::path& folder);

  PoolLock(PoolLock&& other) noexcept;
  PoolLock(const PoolLock&) = delete;
  PoolLock& operator=(const PoolLock&) = delete;
  ~PoolLock();

 private:
  explicit PoolLock(int fd) : fd_(fd) {}
  int fd_;
};

/// The lock of one core and its record. Owned by the process until it is destroyed.
class CoreFile {
 public:
  /// kBusy if a process has it (this one, too), kDevice if the file cannot be made.
  static Result<CoreFile> take(const std::filesystem::path& folder, std::uint32_t core, std::uint64_t memory_limit);

  CoreFile(CoreFile&& other) noexcept;
  CoreFile(const CoreFile&) = delete;
  CoreFile& operator=(const CoreFile&) = delete;
  ~CoreFile();

  CoreRecord& record() { return *record_; }  ///< valid as long as this lives

 private:
  CoreFile(int fd, CoreRecord* record) : fd_(fd), record_(record) {}
  int fd_;
  CoreRecord* record_;
};

}  // namespace posecam::sim
