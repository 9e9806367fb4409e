#include "pipeline/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace posecam {
namespace {

TEST(Log, LeavesStandardOutputToResults) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  logger().warn("frames stay {}", "unanalysed");
  logger().flush();
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "posecam: warning: frames stay unanalysed\n");
}

}  // namespace
}  // namespace posecam
