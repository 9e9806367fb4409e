#include "postprocess/stage/repeat_objects.h"

#include <gtest/gtest.h>

namespace posecam {
namespace {

class RepeatObjectsTest : public testing::Test {
 protected:
  /// What the stage makes of a frame with that many objects.
  FrameResult after(FrameStatus status, std::size_t objects = 0) {
    FrameResult result;
    result.status = status;
    result.detections.resize(objects);
    stage_.process({}, result);
    return result;
  }
  RepeatObjects stage_;
};

TEST_F(RepeatObjectsTest, SaysAgainWhatWasSeenInTheFrameThatWasSearched) {
  EXPECT_FALSE(after(FrameStatus::kAnalysed, 2).repeated);
  for (int i = 0; i < 2; ++i) {
    const FrameResult result = after(FrameStatus::kSkipped);
    EXPECT_TRUE(result.repeated);
    EXPECT_EQ(result.detections.size(), 2U);
    EXPECT_EQ(result.status, FrameStatus::kSkipped);
  }
  EXPECT_EQ(after(FrameStatus::kAnalysed, 1).detections.size(), 1U);
  EXPECT_EQ(after(FrameStatus::kSkipped).detections.size(), 1U);
}

TEST_F(RepeatObjectsTest, KnowsNobodyBeforeTheFirstSearchAndAfterACut) {
  EXPECT_FALSE(after(FrameStatus::kSkipped).repeated);
  after(FrameStatus::kAnalysed, 2);
  stage_.reset();
  EXPECT_FALSE(after(FrameStatus::kSkipped).repeated);
  EXPECT_TRUE(after(FrameStatus::kSkipped).detections.empty());
}

TEST_F(RepeatObjectsTest, AFrameThatCouldNotBeAnalysedIsNoSearch) {
  after(FrameStatus::kAnalysed, 2);
  EXPECT_TRUE(after(FrameStatus::kUnanalysed).detections.empty());
  EXPECT_EQ(after(FrameStatus::kSkipped).detections.size(), 2U);
}

TEST_F(RepeatObjectsTest, SaysThatNobodyWasThere) {
  after(FrameStatus::kAnalysed, 2);
  after(FrameStatus::kAnalysed);
  const FrameResult result = after(FrameStatus::kSkipped);
  EXPECT_TRUE(result.repeated);
  EXPECT_TRUE(result.detections.empty());
}

}  // namespace
}  // namespace posecam
