// Metadata needs GStreamer and libneuronmeta, but no element of ours.

#include <gst/gst.h>
#include <gtest/gtest.h>

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  g_log_set_fatal_mask("GStreamer", static_cast<GLogLevelFlags>(G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL));
  testing::InitGoogleTest(&argc, argv);
  const int failed = RUN_ALL_TESTS();
  gst_deinit();  // so that memcheck sees what is left
  return failed;
}
