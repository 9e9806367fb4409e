#pragma once
// Pipelines that make the clips of tests.

#include <functional>
#include <string>

#include <gst/gst.h>
#include <gtest/gtest.h>

namespace posecam::test {

/// Plays a pipeline as gst-launch would, to its end. After gst_init().
inline void launch(const std::string& description, const std::function<void(GstElement*)>& prepare = {}) {
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(description.c_str(), &error);
  ASSERT_NE(pipeline, nullptr) << error->message;
  if (prepare) prepare(pipeline);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline);
  const auto ends = static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  GstMessage* message = gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, ends);
  EXPECT_EQ(GST_MESSAGE_TYPE(message), GST_MESSAGE_EOS) << description;
  gst_message_unref(message);
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
}

}  // namespace posecam::test
