#include "postprocess/documents/image_ids.h"

#include <charconv>
#include <map>
#include <numeric>
#include <string_view>

#include <fmt/format.h>

namespace posecam {
namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr const char* kRemedy = "image_id is the last number of a file's name; rename it, or use another output";

std::string_view last_number(std::string_view name) {
  const auto last = name.find_last_of(kDigits);
  if (last == name.npos) return {};
  const auto before = name.find_last_not_of(kDigits, last);
  const std::size_t first = before == name.npos ? 0 : before + 1;
  return name.substr(first, last - first + 1);
}

}  // namespace

Result<std::vector<std::int64_t>> image_ids_of(std::span<const std::string> names) {
  std::vector<std::int64_t> ids(names.size());
  std::map<std::int64_t, std::string_view> taken;
  std::string_view without;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string_view number = last_number(names[i]);
    if (number.empty()) {
      without = names[i];
      continue;
    }
    if (std::from_chars(number.data(), number.data() + number.size(), ids[i]).ec != std::errc{}) {
      return Error{Errc::kUsage, fmt::format("{}: the number is too large for COCO; {}", names[i], kRemedy)};
    }
    const auto [at, fresh] = taken.emplace(ids[i], names[i]);
    if (!fresh) {
      return Error{Errc::kUsage, fmt::format("{} and {} would both be image {} in COCO's results; {}", at->second,
                                             names[i], ids[i], kRemedy)};
    }
  }
  if (taken.empty()) {
    std::iota(ids.begin(), ids.end(), 0);
  } else if (taken.size() < names.size()) {
    return Error{Errc::kUsage,
                 fmt::format("{} has no number for COCO's results, and others have; {}", without, kRemedy)};
  }
  return ids;
}

}  // namespace posecam
