#include "models/core/image.h"

namespace posecam {

std::string_view to_string(PixelFormat f) {
  switch (f) {
    case PixelFormat::kNv12: return "NV12";
    case PixelFormat::kI420: return "I420";
    case PixelFormat::kBgr: return "BGR";
    case PixelFormat::kRgb: return "RGB";
    case PixelFormat::kBgrx: return "BGRx";
    case PixelFormat::kRgbx: return "RGBx";
  }
  return "?";
}

}  // namespace posecam
