#pragma once
// Objects in the frames that a detector leaves out.

#include <vector>

#include "postprocess/stage/result_stage.h"

namespace posecam {

/// Frames that were skipped get the objects of the last one that was searched, marked as repeated, so that a network
/// behind the detector, and who blurs people, knows in every frame where somebody is. What could not be analysed stays
/// empty and is no search.
class RepeatObjects final : public ResultStage {
 public:
  void process(const StageFrame& frame, FrameResult& result) override;
  void reset() override;

 private:
  bool searched_ = false;
  std::vector<Detection> last_;
};

}  // namespace posecam
