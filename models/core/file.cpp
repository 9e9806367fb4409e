#include "models/core/file.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include <fmt/format.h>

namespace posecam {
namespace {

struct FileClose {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

Error reason(int error_number) { return {Errc::kModel, std::generic_category().message(error_number)}; }

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path, std::size_t most) {
  const std::unique_ptr<std::FILE, FileClose> file(std::fopen(path.c_str(), "rbe"));
  if (!file) return reason(errno);
  std::string bytes;
  std::array<char, std::size_t{1} << 16> block{};
  while (const std::size_t n = std::fread(block.data(), 1, block.size(), file.get())) {
    if (n > most - bytes.size()) return Error{Errc::kModel, fmt::format("larger than {} bytes", most)};
    bytes.append(block.data(), n);
  }
  if (std::ferror(file.get()) != 0) return reason(errno);  // a folder, for one
  return bytes;
}

}  // namespace posecam
