#include "pipeline/backend/net_resolution.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace posecam {

Result<NetResolution> parse_net_resolution(const std::string& text) {
  NetResolution r;
  const char* end = text.data() + text.size();
  const auto w = std::from_chars(text.data(), end, r.width);
  const bool cross = w.ec == std::errc{} && w.ptr != end && *w.ptr == 'x';
  const auto h =
      cross ? std::from_chars(w.ptr + 1, end, r.height) : std::from_chars_result{end, std::errc::invalid_argument};
  const auto valid = [](int side) { return side == -1 || (side > 0 && side <= 4096); };
  if (h.ec != std::errc{} || h.ptr != end || !valid(r.width) || !valid(r.height) || (r.width < 0 && r.height < 0)) {
    return Error{Errc::kUsage,
                 fmt::format("net-resolution={}: must be WIDTHxHEIGHT in pixels, one of them -1 to follow "
                             "the video's aspect, e.g. 456x256 or -1x256",
                             text)};
  }
  return r;
}

Size NetResolution::resolve(Size video, int multiple_of) const {
  const int step = std::max(1, multiple_of);
  const auto follow = [step](int fixed, int of, int to) {
    const double exact = static_cast<double>(fixed) * to / of;
    return std::clamp(static_cast<int>(std::lround(exact / step)), 1, 4096 / step) * step;
  };
  if (width < 0) return {follow(height, video.height, video.width), height};
  if (height < 0) return {width, follow(width, video.width, video.height)};
  return {width, height};
}

}  // namespace posecam
