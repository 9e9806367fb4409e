#include "pipeline/neuron/machine/core_file.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string_view>
#include <sys/mman.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "models/core/text.h"
#include "pipeline/neuron/machine/own_folder.h"

namespace posecam::sim {
namespace {

constexpr std::string_view kPrefix = "core-";
constexpr std::string_view kPoolLock = "lock";

Error failure(const std::filesystem::path& path, int code) {
  return {Errc::kDevice,
          fmt::format("{}: {}", path.native(), std::error_code(code, std::generic_category()).message())};
}

/// Locks of open files, not of processes: they go with the last descriptor, and with the process.
bool lock(int fd, int command, struct flock& request) {
  request = {};
  request.l_type = F_WRLCK;
  request.l_whence = SEEK_SET;
  return ::fcntl(fd, command, &request) == 0;
}

/// "posecam ...", as neuron-ls shortens it: arguments may hold passwords.
std::string command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string program;
  std::getline(file, program, '\0');
  const bool arguments = file.peek() != std::ifstream::traits_type::eof();
  return std::filesystem::path(program).filename().string() + (arguments ? " ..." : "");
}

CoreRecord* map(int fd) {
  void* memory = ::mmap(nullptr, sizeof(CoreRecord), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<CoreRecord*>(memory);
}

void introduce(CoreRecord& record, std::uint64_t memory_limit) {
  record.pid = 0;
  record.executions = 0;
  record.busy_ns = 0;
  record.bytes_in = 0;
  record.bytes_out = 0;
  record.memory_used = 0;
  record.memory_limit = memory_limit;
  const std::string command = command_line();
  std::memset(record.command, 0, sizeof record.command);
  std::memcpy(record.command, command.data(), std::min(command.size(), sizeof record.command - 1));
  record.pid = static_cast<std::uint64_t>(::getpid());
  record.magic = CoreRecord::kMagic;
}

/// Nothing for a file that is no record.
bool read_core(const OwnFolder& folder, const std::string& name, CoreUse& use) {
  const int fd = folder.open_file(name, O_RDONLY);  // enough to ask about locks
  if (fd < 0) return false;
  const auto record = std::make_unique<CoreRecord>();
  struct flock request {};
  const bool good = read_start(fd, record.get(), sizeof(CoreRecord)) && record->magic == CoreRecord::kMagic &&
                    lock(fd, F_OFD_GETLK, request);
  if (good) {
    use.held = request.l_type != F_UNLCK;
    use.pid = record->pid;
    use.command =
        short_line({record->command, ::strnlen(record->command, sizeof record->command)}, sizeof record->command);
    use.executions = record->executions;
    use.busy_ns = record->busy_ns;
    use.bytes_in = record->bytes_in;
    use.bytes_out = record->bytes_out;
    use.memory_used = record->memory_used;
    use.memory_limit = record->memory_limit;
  }
  ::close(fd);
  return good;
}

}  // namespace

std::filesystem::path core_pool_folder(const std::filesystem::path& pool) {
  if (pool.native().find('/') != std::string::npos) return pool;
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  const std::filesystem::path base = runtime && *runtime == '/' ? runtime : "/tmp";
  std::string name = fmt::format("posecam-neuron-sim-{}", ::geteuid());
  if (!pool.empty()) name += "-" + pool.native();
  return base / name;
}

std::vector<CoreUse> read_core_pool(const std::filesystem::path& path) {
  std::vector<CoreUse> cores;
  const auto folder = OwnFolder::open(path);
  if (!folder) return cores;
  for (const std::string& name : folder->names()) {
    CoreUse use;
    const auto [rest, bad] = name.starts_with(kPrefix)
                                 ? std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), use.core)
                                 : std::from_chars_result{nullptr, std::errc::invalid_argument};
    if (bad == std::errc() && rest == name.data() + name.size() && read_core(*folder, name, use)) {
      cores.push_back(std::move(use));
    }
  }
  std::ranges::sort(cores, {}, &CoreUse::core);
  return cores;
}

Result<PoolLock> PoolLock::take(const std::filesystem::path& folder) {
  const auto own = OwnFolder::make(folder);
  if (!own) return own.error();
  const std::filesystem::path path = folder / kPoolLock;
  const int fd = own->open_file(std::string(kPoolLock), O_RDWR | O_CREAT);
  if (fd < 0) return failure(path, errno);
  struct flock request {};
  while (!lock(fd, F_OFD_SETLKW, request)) {
    if (const int code = errno; code != EINTR) {
      ::close(fd);
      return failure(path, code);
    }
  }
  return PoolLock(fd);
}

PoolLock::PoolLock(PoolLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

PoolLock::~PoolLock() {
  if (fd_ >= 0) ::close(fd_);
}

Result<CoreFile> CoreFile::take(const std::filesystem::path& folder, std::uint32_t core, std::uint64_t memory_limit) {
  const auto own = OwnFolder::make(folder);
  if (!own) return own.error();
  const std::string name = fmt::format("{}{}", kPrefix, core);
  const std::filesystem::path path = folder / name;
  const int fd = own->open_file(name, O_RDWR | O_CREAT);
  if (fd < 0) return failure(path, errno);
  struct flock request {};
  if (!lock(fd, F_OFD_SETLK, request)) {
    const int code = errno;
    ::close(fd);
    if (code == EAGAIN || code == EACCES) return Error{Errc::kBusy, fmt::format("core {} has an owner", core)};
    return failure(path, code);
  }
  // Not ftruncate: on a full disk, writing through a mapping to a hole ends the process.
  int code = ::posix_fallocate(fd, 0, sizeof(CoreRecord));
  CoreRecord* record = code == 0 ? map(fd) : nullptr;
  if (!record) {
    if (code == 0) code = errno;
    ::close(fd);
    return failure(path, code);
  }
  introduce(*record, memory_limit);
  return CoreFile(fd, record);
}

CoreFile::CoreFile(CoreFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), record_(std::exchange(other.record_, nullptr)) {}

CoreFile::~CoreFile() {
  if (!record_) return;
  record_->memory_used = 0;
  ::munmap(record_, sizeof(CoreRecord));
  ::close(fd_);
}

}  // namespace posecam::sim
