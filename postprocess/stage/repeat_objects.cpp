#include "postprocess/stage/repeat_objects.h"

namespace posecam {

void RepeatObjects::process(const StageFrame& /*frame*/, FrameResult& result) {
  if (result.status == FrameStatus::kAnalysed) {
    searched_ = true;
    last_.assign(result.detections.begin(), result.detections.end());
  } else if (result.status == FrameStatus::kSkipped && searched_) {
    result.detections.assign(last_.begin(), last_.end());
    result.repeated = true;
  }
}

void RepeatObjects::reset() {
  searched_ = false;
  last_.clear();
}

}  // namespace posecam
