#include "app/cli/library_log.h"

#include <glib.h>
#include <gtest/gtest.h>
#include <opencv2/core/utils/logger.hpp>

#include "app/cli/console.h"
#include "models/core/log.h"

namespace posecam {
namespace {

std::string heard_of_everybody() {
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 2; ++i) {
    g_log("GStreamer-Video", G_LOG_LEVEL_CRITICAL, "%s", "assertion 'width > 0' failed");
    g_log_structured("Gst", G_LOG_LEVEL_WARNING, "MESSAGE", "line one\nline two");
    g_log("Gst", G_LOG_LEVEL_DEBUG, "nobody asked for this");
    g_printerr("%s", "libsomething: hello\n");
    CV_LOG_ERROR(nullptr, "DNN/ONNX: a node");
    logger().warn("core {} is lost", 3);
    logger().error("core {} is gone", 3);
  }
  return ::testing::internal::GetCapturedStderr();
}

TEST(LibraryLog, TellsEachLineOnceAndOnlyOurErrorsWhenQuiet) {
  take_library_log();
  EXPECT_EQ(heard_of_everybody(),
            "posecam: GStreamer-Video: assertion 'width > 0' failed\n"
            "posecam: Gst: line one; line two\n"
            "posecam: libsomething: hello\n"
            "posecam: warning: core 3 is lost\n"
            "posecam: error: core 3 is gone\n");
  quiet_library_log();
  EXPECT_EQ(heard_of_everybody(), "");
  ::testing::internal::CaptureStderr();
  logger().warn("another warning");
  g_log("Gst", G_LOG_LEVEL_CRITICAL, "another one");
  logger().error("another core");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "posecam: error: another core\n");
}

}  // namespace
}  // namespace posecam
