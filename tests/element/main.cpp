// The elements under test are linked in, not loaded: so tests can give them devices of their own.

#include <gst/gst.h>
#include <gtest/gtest.h>

#include "elements/register_elements.h"

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  gst_plugin_register_static(GST_VERSION_MAJOR, GST_VERSION_MINOR, "neuron", "elements under test",
                             posecam::gst::register_elements, "0", "Apache 2.0", "posecam", "posecam", "posecam");
  // What GStreamer warns of is a fault of an element.
  g_log_set_fatal_mask("GStreamer", static_cast<GLogLevelFlags>(G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL));
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
