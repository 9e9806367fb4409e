#include "app/cli/text_file.h"

#include <system_error>

#include <fmt/format.h>

#include "models/core/file.h"

namespace posecam {
namespace {

constexpr std::size_t kMostBytes = 1U << 20U;

}  // namespace

Result<std::string> read_text_file(const std::filesystem::path& path, std::string_view what) {
  std::error_code error;
  // A pipe will do: posecam cost <(posecam bench ...).
  const bool folder = std::filesystem::is_directory(path, error);
  auto text = folder ? Result<std::string>(Error{Errc::kModel, "a folder"}) : read_file(path, kMostBytes);
  if (text) return text;
  return Error{Errc::kModel, fmt::format("{}: cannot read {}: {}", path.native(), what, text.error().message)};
}

}  // namespace posecam
