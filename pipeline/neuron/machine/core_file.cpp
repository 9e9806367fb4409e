#include "pipeline/neuron/machine/core_file.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

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

CoreRecord* map(int fd, int protection) {
  void* memory = ::mmap(nullptr, sizeof(CoreRecord), protection, MAP_SHARED, fd, 0);
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

/// A folder of ours: in /tmp another user could have made it first.
Result<void> make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  if (folder.has_parent_path()) std::filesystem::create_directories(folder.parent_path(), error);
  if (error) return failure(folder.parent_path(), error.value());
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return failure(folder, errno);
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0) return failure(folder, errno);
  if (!S_ISDIR(info.st_mode) || info.st_uid != ::geteuid()) return failure(folder, EACCES);
  return {};
}

/// Opens a file that is made if need be; -1 and errno.
int open_file(const std::filesystem::path& path) {
  return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/// Nothing for a file that is no record.
bool read_core(const std::filesystem::path& path, CoreUse& use) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);  // enough to ask about locks
  if (fd < 0) return false;
  struct stat info {};
  struct flock request {};
  const bool whole = ::fstat(fd, &info) == 0 && info.st_size >= static_cast<off_t>(sizeof(CoreRecord));
  CoreRecord* record = whole ? map(fd, PROT_READ) : nullptr;
  const bool good = record && record->magic == CoreRecord::kMagic && lock(fd, F_OFD_GETLK, request);
  if (good) {
    use.held = request.l_type != F_UNLCK;
    use.pid = record->pid;
    use.command.assign(record->command, ::strnlen(record->command, sizeof record->command));
    use.executions = record->executions;
    use.busy_ns = record->busy_ns;
    use.bytes_in = record->bytes_in;
    use.bytes_out = record->bytes_out;
    use.memory_used = record->memory_used;
    use.memory_limit = record->memory_limit;
  }
  if (record) ::munmap(record, sizeof(CoreRecord));
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

std::vector<CoreUse> read_core_pool(const std::filesystem::path& folder) {
  std::vector<CoreUse> cores;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().native();
    CoreUse use;
    const auto [rest, bad] = name.starts_with(kPrefix)
                                 ? std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), use.core)
                                 : std::from_chars_result{nullptr, std::errc::invalid_argument};
    if (bad == std::errc() && rest == name.data() + name.size() && read_core(entry->path(), use)) {
      cores.push_back(std::move(use));
    }
  }
  std::ranges::sort(cores, {}, &CoreUse::core);
  return cores;
}

Result<PoolLock> PoolLock::take(const std::filesystem::path& folder) {
  if (auto made = make_folder(folder); !made) return made.error();
  const std::filesystem::path path = folder / kPoolLock;
  const int fd = open_file(path);
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
  if (auto made = make_folder(folder); !made) return made.error();
  const std::filesystem::path path = folder / fmt::format("{}{}", kPrefix, core);
  const int fd = open_file(path);
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
  CoreRecord* record = code == 0 ? map(fd, PROT_READ | PROT_WRITE) : nullptr;
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
