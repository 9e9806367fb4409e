#pragma once
// The picture of a bench's curves for those who cannot show SVG.

#include <string>

#include "models/core/result.h"

namespace posecam {

/// An SVG picture as the bytes of a PNG file, by GStreamer's rsvgdec. kMedia where that is not installed.
Result<std::string> render_png(const std::string& svg);

}  // namespace posecam
