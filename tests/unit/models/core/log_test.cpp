#include "models/core/log.h"

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

TEST(Log, GivesATerminalNoOrders) {
  testing::internal::CaptureStderr();
  logger().warn("{}: damaged", "a\x1b[2J\n\u202E");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "posecam: warning: a?[2J??: damaged\n");
}

TEST(Log, GoesToItsHostInsteadOnceThereIsOne) {
  std::vector<std::string> lines;
  const auto before = logger().sinks();
  log_to([&](spdlog::level::level_enum level, std::string_view line) {
    lines.push_back(std::to_string(level) + " " + std::string(line));
  });
  testing::internal::CaptureStderr();
  logger().error("core {} is lost", 3);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_THAT(lines, testing::ElementsAre(std::to_string(spdlog::level::err) + " core 3 is lost"));
  logger().sinks() = before;
}

}  // namespace
}  // namespace posecam
