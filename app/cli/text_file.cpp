#include "app/cli/text_file.h"

#include <cerrno>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

namespace posecam {
namespace {

constexpr std::size_t kMostBytes = 1U << 20U;

}  // namespace

Result<std::string> read_text_file(const std::filesystem::path& path, std::string_view what) {
  const auto refuse = [&](const std::string& why) {
    return Error{Errc::kModel, fmt::format("{}: cannot read {}: {}", path.native(), what, why)};
  };
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  // A pipe will do: posecam cost <(posecam bench ...).
  if (std::filesystem::is_directory(status)) return refuse("a folder");
  if (!std::filesystem::exists(status)) return refuse(error ? error.message() : "no such file");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(kMostBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) return refuse(std::error_code(errno, std::generic_category()).message());
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMostBytes) return refuse(fmt::format("larger than {} bytes", kMostBytes));
  return text;
}

}  // namespace posecam
