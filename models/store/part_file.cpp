#include "models/store/part_file.h"

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "models/core/sha256.h"
#include "models/core/text.h"

namespace posecam {
namespace {

std::string reason(int code) { return std::error_code(code, std::generic_category()).message(); }

}  // namespace

PartFile::PartFile(const Download& job)
    : job_(job), path_(job.target.native() + ".part"), fd_(open_own_file(path_, O_RDWR)) {
  if (fd_.get() < 0) {
    fail_to_write();
    return;
  }
  const off_t size = ::lseek(fd_.get(), 0, SEEK_END);
  size_ = size > 0 ? static_cast<std::uint64_t>(size) : 0;
  if (size_ > job_.bytes) restart();
}

PartFile::~PartFile() {
  if (fd_.get() >= 0 && size_ == 0) discard();  // nothing to continue from
}

bool PartFile::complete() const { return size_ == job_.bytes; }

void PartFile::restart() {
  if (::ftruncate(fd_.get(), 0) != 0 || ::lseek(fd_.get(), 0, SEEK_SET) != 0) fail_to_write();
  size_ = 0;
}

bool PartFile::append(std::span<const char> data) {
  if (error_) return false;
  if (job_.stop.stop_requested()) return fail("stopped", Errc::kCancelled);
  if (data.size() > job_.bytes - size_) {
    too_long();
    return false;
  }
  if (!write_all(fd_.get(), {data.data(), data.size()})) return fail_to_write();
  size_ += data.size();
  if (job_.progress) job_.progress(size_);
  return true;
}

Error PartFile::too_long() {
  discard();
  fail(fmt::format("longer than the {} of the descriptor: not the same file", counted(job_.bytes, "byte", "bytes")));
  return *error_;
}

Error PartFile::too_short(std::uint64_t size) const {
  return {Errc::kModel,
          fmt::format("ends after {} of the {} of the descriptor", size, counted(job_.bytes, "byte", "bytes"))};
}

Result<void> PartFile::finish() {
  const auto sha256 = sha256_of(path_);
  if (!sha256) return sha256.error();
  if (*sha256 != job_.sha256) {
    discard();
    return Error{Errc::kModel,
                 fmt::format("sha256 is {}, the descriptor says {}: not the same file", *sha256, job_.sha256)};
  }
  const bool readable = ::fchmod(fd_.get(), usual_mode()) == 0 || errno == EPERM;  // EPERM: a file system without modes
  // The content must be on the disk before the name is, or a power cut leaves a good name on an empty file.
  if (!readable || ::fsync(fd_.get()) != 0 || ::rename(path_.c_str(), job_.target.c_str()) != 0) {
    return Error{Errc::kModel, fmt::format("{}: cannot write: {}", job_.target.native(), reason(errno))};
  }
  sync_folder_of(job_.target);
  return {};
}

void PartFile::discard() { ::unlink(path_.c_str()); }

bool PartFile::fail_to_write() {
  if (errno == ELOOP) {
    return fail(fmt::format("{}: a link, or not a file of yours alone: remove it", path_.native()), Errc::kMedia);
  }
  const char* const remedy = errno == ENOSPC || errno == EDQUOT ? "; free some space and pull again" : "";
  return fail(fmt::format("{}: cannot write: {} after {} of {}{}", path_.native(), reason(errno), size_,
                          counted(job_.bytes, "byte", "bytes"), remedy),
              Errc::kMedia);
}

bool PartFile::fail(std::string message, Errc code) {
  if (!error_) error_ = Error{code, std::move(message)};
  return false;
}

}  // namespace posecam
