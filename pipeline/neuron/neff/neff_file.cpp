#include "pipeline/neuron/neff/neff_file.h"

#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

namespace posecam {

Result<std::shared_ptr<const NeffFile>> NeffFile::open(const std::filesystem::path& path) {
  const auto unreadable = [&] {
    return Error{Errc::kModel, fmt::format("{}: cannot read: {}", path.string(),
                                           std::error_code(errno, std::generic_category()).message())};
  };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return unreadable();
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0) {
    ::close(fd);
    return Error{Errc::kModel, fmt::format("{}: is no NEFF: empty, or not a file", path.string())};
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  void* const memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  const auto mapped = memory == MAP_FAILED ? std::optional(unreadable()) : std::nullopt;
  ::close(fd);
  if (mapped) return *mapped;
  const std::shared_ptr<NeffFile> file(new NeffFile);
  file->path_ = path;
  file->bytes_ = {static_cast<const std::byte*>(memory), size};
  auto header = read_neff_header(file->bytes_);
  if (!header) return Error{Errc::kModel, fmt::format("{}: {}", path.string(), header.error().message)};
  file->header_ = std::move(*header);
  return std::shared_ptr<const NeffFile>(file);
}

NeffFile::~NeffFile() {
  // What was mapped read-only is unmapped. NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace posecam
