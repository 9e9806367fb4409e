#pragma once
// The exit codes of posecam: 0 ok, 2 usage, 3 configuration or model, 4 device, 5 media, 130 interrupted.

#include "models/core/result.h"

namespace posecam {

/// Of a command that ended with such an error; never 0.
constexpr int exit_code(Errc code) {
  switch (code) {
    case Errc::kUsage: return 2;
    case Errc::kModel: return 3;
    case Errc::kDevice:
    case Errc::kBusy:
    case Errc::kBadInput:
    case Errc::kCoreLost: return 4;
    case Errc::kMedia:
    case Errc::kOutput:
    case Errc::kNoSpace: return 5;
    case Errc::kCancelled: return 130;
  }
  return 4;
}

}  // namespace posecam
