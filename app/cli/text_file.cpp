#include "app/cli/text_file.h"

#include <fmt/format.h>

#include "models/core/file.h"

namespace posecam {
namespace {

constexpr std::size_t kMostBytes = 1U << 20U;

}  // namespace

Result<std::string> read_text_file(const std::filesystem::path& path, std::string_view what) {
  auto text = read_file(path, kMostBytes);
  if (text) return text;
  return Error{Errc::kModel, fmt::format("{}: cannot read {}: {}", path.native(), what, text.error().message)};
}

}  // namespace posecam
