#pragma once
// The size of a network's input in the words of users.

#include <string>

#include "models/core/geometry.h"
#include "models/core/result.h"

namespace posecam {

/// The aspect that a net resolution follows where no video is known (yet).
inline constexpr Size kUnknownVideo = {16, 9};

/// "WxH"; one of the two may be -1: to be chosen by the aspect of the video.
struct NetResolution {
  int width = -1;   ///< pixels; -1: follows the aspect
  int height = -1;  ///< likewise; resolve() takes at most one -1
  /// The size for a video: the free side follows the aspect, rounded to a multiple of `multiple_of`.
  Size resolve(Size video, int multiple_of) const;
};
/// kUsage unless the text has that form, each side at most 4096.
Result<NetResolution> parse_net_resolution(const std::string& text);

}  // namespace posecam
