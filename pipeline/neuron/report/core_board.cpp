#include "pipeline/neuron/report/core_board.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <mutex>
#include <optional>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <tuple>
#include <type_traits>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "models/core/text.h"
#include "pipeline/neuron/machine/own_folder.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMagic = 0x3130445242435350;  // "PSCBRD01"
constexpr std::size_t kPlaces = 255;
constexpr const char* kExtension = ".cores";

/// Shared memory; written by its process, read by those of its user. An entry is in use while `used` is 1, and its
/// texts were written before.
struct Place {
  std::atomic<std::uint32_t> used;
  std::uint32_t core = 0;
  std::atomic<std::uint64_t> executions;
  std::atomic<std::uint64_t> rows;
  std::atomic<std::uint64_t> busy_ns;
  std::atomic<std::uint64_t> failures;
  std::array<char, 16> device{};
  std::array<char, 64> model{};
};
struct Board {
  std::atomic<std::uint64_t> magic;
  std::int64_t pid = 0;
  std::array<Place, kPlaces> places;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::is_trivially_destructible_v<Board>);

template <std::size_t N>
void copy_text(std::array<char, N>& to, std::string_view text) {
  to.fill('\0');
  std::memcpy(to.data(), text.data(), std::min(text.size(), N - 1));
}
template <std::size_t N>
std::string text_in(const std::array<char, N>& from) {
  return short_line({from.data(), ::strnlen(from.data(), N)}, N);
}

/// The board of this process in memory.
struct Mapping {
  Board* board = nullptr;
  explicit Mapping(int fd) {
    void* const memory = ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory != MAP_FAILED) board = static_cast<Board*>(memory);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (board) ::munmap(board, sizeof(Board));
  }
};

void collect(const Board& board, std::vector<CoreActivity>& all) {
  if (board.magic.load(std::memory_order_acquire) != kMagic) return;
  for (const Place& place : board.places) {
    if (place.used.load(std::memory_order_acquire) != 1) continue;
    all.push_back({board.pid, text_in(place.device), text_in(place.model), place.core, place.executions, place.rows,
                   place.busy_ns, place.failures});
  }
}

/// Held while the board of this process is made or removed: both have the same name.
std::mutex& name_mutex() {
  static auto& mutex = *new std::mutex;  // never destroyed: engines may outlive main()
  return mutex;
}

}  // namespace

/// The file is locked for as long as its process lives: that, and not its name, says that it counts.
struct CoreBoard::File {
  /// Under name_mutex().
  File() {
    auto own = OwnFolder::make(CoreBoard::folder());
    if (!own) return;
    folder.emplace(*std::move(own));
    folder->remove(name);  // of a process that had our number before us
    fd = folder->open_file(name, O_RDWR | O_CREAT | O_EXCL);
    // Not ftruncate: on a full disk, writing through a mapping to a hole ends the process.
    if (fd < 0 || ::flock(fd, LOCK_EX | LOCK_NB) != 0 || ::posix_fallocate(fd, 0, sizeof(Board)) != 0) return;
    mapping.emplace(fd);
    if (!mapping->board) return;
    mapping->board->pid = ::getpid();
    mapping->board->magic.store(kMagic, std::memory_order_release);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd < 0) return;
    std::lock_guard lock(name_mutex());
    // The last place may be given up while the first one of the next board is taken: the name is that board's then.
    if (folder->leads_to(name, fd)) folder->remove(name);
    ::close(fd);
  }
  Board* board() { return mapping ? mapping->board : nullptr; }

  const std::string name = fmt::format("{}{}", ::getpid(), kExtension);
  std::optional<OwnFolder> folder;
  int fd = -1;
  std::optional<Mapping> mapping;
  std::mutex mutex;  ///< of taking places
};

CoreBoard::Entry::Entry(Entry&& other) noexcept : file_(std::exchange(other.file_, nullptr)), index_(other.index_) {}
CoreBoard::Entry& CoreBoard::Entry::operator=(Entry&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(index_, other.index_);
  return *this;
}
CoreBoard::Entry::~Entry() {
  if (file_) file_->board()->places.at(index_).used.store(0, std::memory_order_release);
}

void CoreBoard::Entry::executed(std::uint32_t rows, std::chrono::nanoseconds busy) const {
  if (!file_) return;
  Place& place = file_->board()->places.at(index_);
  place.executions.fetch_add(1, std::memory_order_relaxed);
  place.rows.fetch_add(rows, std::memory_order_relaxed);
  place.busy_ns.fetch_add(static_cast<std::uint64_t>(std::max<std::int64_t>(0, busy.count())),
                          std::memory_order_relaxed);
}

void CoreBoard::Entry::failed() const {
  if (file_) file_->board()->places.at(index_).failures.fetch_add(1, std::memory_order_relaxed);
}

CoreBoard::Entry CoreBoard::take(std::string_view device, std::string_view model, CoreId core) {
  static std::weak_ptr<File> current;
  std::shared_ptr<File> file;
  {
    std::lock_guard lock(name_mutex());
    file = current.lock();
    if (!file) current = file = std::make_shared<File>();
  }
  Entry entry;
  Board* const board = file->board();
  if (!board) return entry;
  std::lock_guard lock(file->mutex);
  const auto free = std::ranges::find_if(board->places, [](const Place& place) { return place.used == 0; });
  if (free == board->places.end()) return entry;
  free->core = core;
  free->executions = free->rows = free->busy_ns = free->failures = 0;
  copy_text(free->device, device);
  copy_text(free->model, model);
  free->used.store(1, std::memory_order_release);
  entry.index_ = static_cast<std::size_t>(free - board->places.begin());
  entry.file_ = std::move(file);
  return entry;
}

fs::path CoreBoard::folder() {
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime && runtime[0] == '/') return fs::path(runtime) / "posecam";
  return fmt::format("/tmp/posecam-{}", ::geteuid());
}

std::vector<CoreActivity> CoreBoard::read(const fs::path& path) {
  std::vector<CoreActivity> all;
  const auto folder = OwnFolder::open(path);
  if (!folder) return all;
  const auto board = std::make_unique<Board>();
  for (const std::string& name : folder->names()) {
    if (!name.ends_with(kExtension)) continue;
    const int fd = folder->open_file(name, O_RDONLY);
    if (fd < 0) continue;
    struct stat status {};
    const bool whole = ::fstat(fd, &status) == 0 && status.st_size == sizeof(Board);
    if (whole && ::flock(fd, LOCK_SH | LOCK_NB) == 0) {
      // Nobody holds it: its process is gone. If the process only made a new board since, the name is that one's.
      if (folder->leads_to(name, fd)) folder->remove(name);
    } else if (whole && read_start(fd, board.get(), sizeof(Board))) {
      collect(*board, all);
    }
    ::close(fd);
  }
  std::ranges::sort(all, {}, [](const CoreActivity& a) { return std::tuple(a.device, a.core, a.pid, a.model); });
  return all;
}

}  // namespace posecam
