#pragma once
// GStreamer with the plugin of the build tree, for tests of what makes our elements by their names.

#include <gst/gst.h>
#include <gtest/gtest.h>

#include "app/session/plugin_path.h"

namespace posecam::test {

/// To be called by SetUpTestSuite().
inline void start_gstreamer_with_our_plugin() {
  gst_init(nullptr, nullptr);
  const auto loaded = load_plugin();
  ASSERT_TRUE(loaded) << loaded.error().message;
}

}  // namespace posecam::test
