#include "app/session/output_set.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <random>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "models/core/file.h"
#include "pipeline/output/index_first.h"
#include "pipeline/output/links.h"
#include "pipeline/output/result_file.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;

/// A reader that is started with posecam is there by then.
constexpr std::chrono::milliseconds kReaderLimit{2000};

Result<void> check_place(const std::string& output, const std::string& file) {
  const fs::path folder = fs::path(file).has_parent_path() ? fs::path(file).parent_path() : fs::path(".");
  std::error_code ec;
  if (!fs::is_directory(folder, ec)) {
    return Error{Errc::kMedia, fmt::format("{}: the folder {} does not exist; make it with: mkdir -p {}", output,
                                           folder.string(), folder.string())};
  }
  if (fs::is_directory(file, ec)) {
    return Error{Errc::kMedia, fmt::format("{}: is a folder; give the name of a file", output)};
  }
  return {};
}

Result<void> make_folder(const std::string& output, const std::string& folder) {
  std::error_code ec;
  if (!fs::is_directory(folder, ec) && mkdir(folder.c_str(), 0777) != 0) {
    const int reason = errno;
    const char* remedy = reason == ENOENT ? "; make the folder around it first" : "";
    return Error{Errc::kMedia, fmt::format("{}: cannot be made: {}{}", output, std::strerror(reason), remedy)};
  }
  if (access(folder.c_str(), W_OK | X_OK) != 0) {
    return Error{Errc::kMedia, fmt::format("{}: cannot be written: {}", output, std::strerror(errno))};
  }
  return {};
}

/// 0 if all of it is on the disk, or what the file system has kept to itself until now (NFS, quotas). close(2) tells,
/// and the lock must stay: closed is a twin of the descriptor.
int find_late_error(int fd) {
  if (const int error = finish_part(fd)) return error;
  const int twin = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (twin < 0) return errno;
  return close(twin) == 0 || errno == EINTR ? 0 : errno;
}

/// With as much left again: others write to that disk, too.
bool has_room_for_copy(int fd) {
  struct stat info {};
  struct statvfs disk {};
  return fstat(fd, &info) == 0 && fstatvfs(fd, &disk) == 0 &&
         disk.f_bavail * disk.f_frsize / 2 >= static_cast<std::uint64_t>(info.st_size);
}

/// The two files change names. False: there is nothing called `b`, or the file system cannot (NFS).
bool exchange_names(const std::string& a, const std::string& b) {
  return renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0;
}

}  // namespace

Result<OutputSet> OutputSet::lock(const SessionSpec& spec) {
  OutputSet set;
  const auto container = container_of(spec.video.file);
  const bool index_first = container == Container::kMp4 || container == Container::kMov;
  if (auto added = set.add(spec.video.name, spec.video.file, index_first); !added) return added.error();
  for (const Sink& sink : spec.sinks) {
    if (sink.format == ResultFormat::kOpenpose) continue;
    if (auto added = set.add(sink.name, sink.location, false); !added) return added.error();
  }
  for (const Sink& sink : spec.sinks) {  // last, since they stay
    if (sink.format != ResultFormat::kOpenpose) continue;
    auto made = make_folder(describe_output(sink.name, sink.location), sink.location);
    if (!made) return made.error();
  }
  return set;
}

Result<void> OutputSet::add(const std::string& name, const std::string& location, bool index_first) {
  if (location.empty() || location == "-") return {};
  const std::string output = describe_output(name, location);
  if (auto place = check_place(output, location); !place) return place;
  if (is_written_straight(location)) return hold_pipe(output, location);
  const int fd = open_part(location);
  if (fd < 0 && errno == EBUSY) {
    return Error{Errc::kUsage,
                 fmt::format("{}: another run is writing it; wait for its end, or give another name", output)};
  }
  if (fd < 0) return Error{Errc::kMedia, fmt::format("{}: cannot be written: {}", output, reason_of(errno))};
  parts_.push_back({.location = location, .fd = fd, .index_first = index_first});
  return {};
}

/// Opening a pipe waits for its reader, and can be told nothing meanwhile. Held from here on, so that its reader sees
/// no end before the one that writes has opened it.
Result<void> OutputSet::hold_pipe(const std::string& output, const std::string& location) {
  struct stat info {};
  if (names_descriptor(location) || stat(location.c_str(), &info) != 0 || !S_ISFIFO(info.st_mode)) return {};
  if (info.st_uid != geteuid() && info.st_uid != 0) {
    return Error{Errc::kUsage, fmt::format("{}: is a pipe that another user made; give one of yours", output)};
  }
  const auto since = std::chrono::steady_clock::now();
  int fd = -1;
  while ((fd = open(location.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0 && errno == ENXIO &&
         std::chrono::steady_clock::now() - since < kReaderLimit) {
    std::this_thread::sleep_for(kReaderLimit / 100);  // nothing tells when one comes
  }
  if (fd < 0 && errno == ENXIO) {
    return Error{Errc::kMedia, fmt::format("{}: nobody reads this pipe; start its reader first", output)};
  }
  if (fd < 0) return Error{Errc::kMedia, fmt::format("{}: cannot be written: {}", output, std::strerror(errno))};
  pipes_.push_back(fd);
  return {};
}

int OutputSet::descriptor(const std::string& location) const {
  const auto part = std::ranges::find(parts_, location, &Part::location);
  return part == parts_.end() ? -1 : part->fd;
}

Result<void> OutputSet::clear() {
  for (const Part& part : parts_) {
    if (ftruncate(part.fd, 0) == 0) continue;
    return Error{Errc::kOutput,
                 fmt::format("{}: cannot be emptied: {}", part_name(part.location), std::strerror(errno))};
  }
  return {};
}

Result<void> OutputSet::commit() {
  for (Part& part : parts_) {
    if (part.index_first) put_index_first(part);
  }
  auto done = check_complete();
  if (done) done = name_all();
  release();
  return done;
}

/// For a player that reads it while it is still fetched. By way of a copy that takes the place of the .part, which
/// plays until then: a run may die at any moment. Without room for one, or on a file system that has no files without a
/// name, the index stays where it is.
void OutputSet::put_index_first(Part& part) {
  const std::string unfinished = part_name(part.location);
  const fs::path folder = fs::path(unfinished).parent_path();
  const int whole = open(fmt::format("/proc/self/fd/{}", part.fd).c_str(), O_RDONLY | O_CLOEXEC);
  const int copy = open(folder.empty() ? "." : folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  const std::string between = fmt::format("{}.{:08x}", unfinished, std::random_device()());
  bool done = whole >= 0 && copy >= 0 && has_room_for_copy(whole) && flock(copy, LOCK_EX | LOCK_NB) == 0 &&
              copy_with_index_first(whole, copy) && find_late_error(copy) == 0 &&
              linkat(AT_FDCWD, fmt::format("/proc/self/fd/{}", copy).c_str(), AT_FDCWD, between.c_str(),
                     AT_SYMLINK_FOLLOW) == 0;
  if (done && std::rename(between.c_str(), unfinished.c_str()) != 0) {
    unlink(between.c_str());
    done = false;
  }
  close(whole);
  close(done ? std::exchange(part.fd, copy) : copy);
}

/// Whatever can be known before the first of them gets its name.
Result<void> OutputSet::check_complete() const {
  for (const Part& part : parts_) {
    if (const int error = find_late_error(part.fd)) {
      return Error{error == ENOSPC || error == EDQUOT ? Errc::kNoSpace : Errc::kOutput,
                   fmt::format("{}: cannot be completed: {}", part.location, std::strerror(error))};
    }
    std::error_code ec;
    if (fs::is_directory(part.location, ec)) {
      return Error{Errc::kMedia, fmt::format("{}: cannot take its name: there is a folder now; the file is called {}",
                                             part.location, part_name(part.location))};
    }
  }
  return {};
}

bool OutputSet::take_name(Part& part) {
  const std::string unfinished = part_name(part.location);
  part.replaced = open(part.location.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (part.replaced >= 0) (void)flock(part.replaced, LOCK_EX | LOCK_NB);
  part.exchanged = exchange_names(unfinished, part.location);
  return part.exchanged || std::rename(unfinished.c_str(), part.location.c_str()) == 0;
}

void OutputSet::give_name_back(const Part& part) {
  const std::string unfinished = part_name(part.location);
  if (part.exchanged) exchange_names(unfinished, part.location);
  if (!part.exchanged) (void)std::rename(part.location.c_str(), unfinished.c_str());
}

/// What had the name of an output is its .part until all have theirs: then it is deleted, or else it is put back.
Result<void> OutputSet::name_all() {
  for (auto part = parts_.begin(); part != parts_.end(); ++part) {
    if (take_name(*part)) continue;
    Error error{Errc::kMedia, fmt::format("{}: cannot take its name: {}", part->location, std::strerror(errno))};
    std::for_each(parts_.begin(), part, give_name_back);
    return error;
  }
  // Unlocked before the .part is free: the next to complete it locks what has the name now.
  for (Part& part : parts_) close(std::exchange(part.fd, -1));
  for (const Part& part : parts_) {
    if (part.exchanged) unlink(part_name(part.location).c_str());
    sync_folder_of(part.location);
  }
  return {};
}

std::int64_t OutputSet::written() const {
  std::int64_t bytes = 0;
  for (const Part& part : parts_) {
    struct stat info {};
    if (fstat(part.fd, &info) == 0) bytes += info.st_size;
  }
  return bytes;
}

std::string OutputSet::give_up() {
  std::string kept = remove_empty();
  release();
  return kept;
}

std::string OutputSet::leave() {
  std::string kept = remove_empty();
  parts_.clear();
  return kept;
}

std::string OutputSet::remove_empty() const {
  std::string kept;
  for (const Part& part : parts_) {
    struct stat info {};
    const std::string name = part_name(part.location);
    if (fstat(part.fd, &info) != 0) continue;
    if (info.st_size == 0) {
      unlink(name.c_str());
    } else {
      kept += (kept.empty() ? "; what was written is in " : ", ") + name;
    }
  }
  return kept;
}

/// Unlocks. Only now: whoever gets the lock next is to find the names as they will stay.
void OutputSet::release() {
  for (const int pipe : std::exchange(pipes_, {})) close(pipe);
  for (const Part& part : std::exchange(parts_, {})) {
    if (part.fd >= 0) close(part.fd);
    if (part.replaced >= 0) close(part.replaced);
  }
}

}  // namespace posecam
