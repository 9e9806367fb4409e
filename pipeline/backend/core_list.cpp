#include "pipeline/backend/core_list.h"

#include <charconv>
#include <set>

#include <fmt/format.h>

namespace posecam {

Result<std::vector<CoreId>> parse_core_list(std::string_view text, CoreId available) {
  const Error wrong{Errc::kUsage, fmt::format("cores={}: must be all, or a list such as 0-3 or 0,2 of cores below {}",
                                              text, available)};
  if (available == 0) return Error{Errc::kUsage, fmt::format("cores={}: the device has no cores", text)};
  std::set<CoreId> cores;
  if (text == "all") {
    for (CoreId c = 0; c < available; ++c) cores.insert(c);
    return std::vector<CoreId>(cores.begin(), cores.end());
  }
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    CoreId first = 0;
    auto read = std::from_chars(at, end, first);
    if (read.ec != std::errc{}) return wrong;
    CoreId last = first;
    if (read.ptr != end && *read.ptr == '-') {
      read = std::from_chars(read.ptr + 1, end, last);
      if (read.ec != std::errc{}) return wrong;
    }
    if (last < first || last >= available) return wrong;
    for (CoreId c = first; c <= last; ++c) cores.insert(c);
    if (read.ptr == end) return std::vector<CoreId>(cores.begin(), cores.end());
    if (*read.ptr != ',') return wrong;
    at = read.ptr + 1;
  }
}

}  // namespace posecam
