#pragma once
// Buffers in, buffers out, around one element or a launch line.

#include <chrono>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/check/gstharness.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>

#include "elements/base/handles.h"
#include "pipeline/devices/devices.h"
#include "tests/support/fake_backend.h"

namespace posecam::test {

struct HarnessDelete {
  void operator()(GstHarness* h) const { gst_harness_teardown(h); }
};
using HarnessPtr = std::unique_ptr<GstHarness, HarnessDelete>;

struct ElementDelete {
  void operator()(GstElement* e) const {
    gst_element_set_state(e, GST_STATE_NULL);
    gst_object_unref(e);
  }
};
using PipelinePtr = std::unique_ptr<GstElement, ElementDelete>;

/// A network of a few bytes that the tests ship, on the backend that is always built in.
inline std::string tiny_model() { return std::string(POSECAM_SOURCE_DIR) + "/tests/data/tiny_pose.json"; }

inline std::string infer_line(const std::string& more = "") {
  return "neuroninfer name=infer device=opencv model=" + tiny_model() + " " + more;
}

/// From now on device=fake is this one: it finds one object in a frame, see fake_value().
inline void use_fake_device(FakeOptions options) { add_device(std::make_shared<FakeDevice>(std::move(options))); }

inline std::string fake_line(const std::string& more = "") {
  return "neuroninfer name=infer device=fake model=" + std::string(POSECAM_SOURCE_DIR) +
         "/tests/data/one_object.json " + more;
}

/// Frames of one `value`, from 1 to 255: what the fake device reports of them.
inline gst::BufferPtr frame_of(const GstVideoInfo& info, GstClockTime pts, std::uint8_t value = 0) {
  gst::BufferPtr buffer(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr));
  gst_buffer_memset(buffer.get(), 0, value, GST_VIDEO_INFO_SIZE(&info));
  GST_BUFFER_PTS(buffer.get()) = pts;
  return buffer;
}

inline GstVideoInfo video_info(GstVideoFormat format, int width, int height) {
  GstVideoInfo info;
  gst_video_info_set_format(&info, format, static_cast<guint>(width), static_cast<guint>(height));
  return info;
}

inline void set_caps(GstHarness* h, const GstVideoInfo& info) {
  gst_harness_set_src_caps(h, gst_video_info_to_caps(const_cast<GstVideoInfo*>(&info)));
}

/// Frames of one colour through a harness: times 0, 1, 2, ... ms from `first` on.
inline void push_frames(GstHarness* h, const GstVideoInfo& info, int count, int first = 0, std::uint8_t value = 1) {
  for (int i = first; i < first + count; ++i) {
    const auto pts = static_cast<GstClockTime>(i) * GST_MSECOND;
    ASSERT_EQ(gst_harness_push(h, frame_of(info, pts, value).release()), GST_FLOW_OK);
  }
}

/// Pulls `count` buffers and checks their times.
inline void expect_in_order(GstHarness* h, int count, int first = 0) {
  for (int i = first; i < first + count; ++i) {
    gst::BufferPtr out(gst_harness_pull(h));
    ASSERT_TRUE(out) << "buffer " << i;
    EXPECT_EQ(GST_BUFFER_PTS(out.get()), static_cast<GstClockTime>(i) * GST_MSECOND);
  }
}

/// As long as a batch may wait at most. A test that uses it and AtOnce knows that nothing waited for it.
inline const std::string kLongDelay = "max-batch-delay=10000 ";

/// What happens while it lives takes less than half of kLongDelay, or the test fails. (Waits of a harness are of a
/// minute: frames that only the delay brought out would pass unnoticed.)
class AtOnce {
 public:
  AtOnce() = default;
  AtOnce(const AtOnce&) = delete;
  AtOnce& operator=(const AtOnce&) = delete;
  ~AtOnce() { EXPECT_LT(std::chrono::steady_clock::now() - began_, std::chrono::seconds(5)); }

 private:
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

inline HarnessPtr harness(const std::string& line) { return HarnessPtr(gst_harness_new_parse(line.c_str())); }

struct ObjectUnref {
  void operator()(gpointer object) const { gst_object_unref(object); }
};
using ElementRef = std::unique_ptr<GstElement, ObjectUnref>;

inline ElementRef find_infer(GstHarness* h) { return ElementRef(gst_harness_find_element(h, "neuroninfer")); }

/// A number of the element's stats.
inline double stat(GstElement* infer, const char* name) {
  GstStructure* stats = nullptr;
  g_object_get(infer, "stats", &stats, nullptr);
  GValue number = G_VALUE_INIT;
  g_value_init(&number, G_TYPE_DOUBLE);
  const GValue* value = gst_structure_get_value(stats, name);
  EXPECT_NE(value, nullptr) << name;
  if (value) g_value_transform(value, &number);
  gst_structure_free(stats);
  return g_value_get_double(&number);
}

/// The element's messages, seen on a bus of the test's own.
class Messages {
 public:
  explicit Messages(GstElement* element) : element_(element), bus_(gst_bus_new()) {
    gst_element_set_bus(element_, bus_);
  }
  Messages(const Messages&) = delete;
  Messages& operator=(const Messages&) = delete;
  ~Messages() {
    gst_element_set_bus(element_, nullptr);
    gst_object_unref(bus_);
  }

  struct Unref {
    void operator()(GstMessage* m) const { gst_message_unref(m); }
  };
  using Ptr = std::unique_ptr<GstMessage, Unref>;
  /// The next of that type, waited for up to ten seconds; null if none came.
  Ptr next(GstMessageType type) { return Ptr(gst_bus_timed_pop_filtered(bus_, 10 * GST_SECOND, type)); }
  /// The next of that type that is there already.
  Ptr seen(GstMessageType type) { return Ptr(gst_bus_pop_filtered(bus_, type)); }

 private:
  GstElement* element_;
  GstBus* bus_;
};

inline std::string text_of(GstMessage* message) {
  GError* error = nullptr;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) gst_message_parse_error(message, &error, nullptr);
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_INFO) gst_message_parse_info(message, &error, nullptr);
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING) gst_message_parse_warning(message, &error, nullptr);
  std::string text = error ? error->message : "";
  g_clear_error(&error);
  return text;
}

/// The first error on the bus of a pipeline that was played to its end, "" if it ended well.
inline std::string play(GstElement* pipeline, GstClockTime timeout = 60 * GST_SECOND) {
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessage* message =
      gst_bus_timed_pop_filtered(bus, timeout, static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS));
  std::string text = "timeout";
  if (message) {
    text.clear();
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
      GError* error = nullptr;
      gst_message_parse_error(message, &error, nullptr);
      text = error->message;
      g_error_free(error);
    }
    gst_message_unref(message);
  }
  gst_object_unref(bus);
  return text;
}

inline PipelinePtr launch(const std::string& line) {
  GError* error = nullptr;
  PipelinePtr pipeline(gst_parse_launch(line.c_str(), &error));
  EXPECT_EQ(error, nullptr) << error->message;
  g_clear_error(&error);
  return pipeline;
}

}  // namespace posecam::test
