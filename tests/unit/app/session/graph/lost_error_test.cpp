#include "app/session/graph/lost_error.h"

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "app/session/handles.h"
#include "tests/support/temp_dir.h"

namespace posecam::test {
namespace {

class LostError : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }

  void play(const std::string& text) {
    pipeline_.reset(gst_parse_launch(text.c_str(), nullptr));
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
    bus_.reset(gst_element_get_bus(pipeline_.get()));
  }
  /// Waits for a message of that kind.
  bool hears(GstMessageType type) const {
    GstMessage* message = gst_bus_timed_pop_filtered(bus_.get(), 20 * GST_SECOND, type);
    if (message == nullptr) return false;
    gst_message_unref(message);
    return true;
  }
  /// Whether report_lost_error() has said something so far.
  bool is_reported() const {
    bool found = false;
    while (GstMessage* message = gst_bus_pop_filtered(bus_.get(), GST_MESSAGE_ERROR)) {
      gchar* debug = nullptr;
      gst_message_parse_error(message, nullptr, &debug);
      found |= std::string(debug).find("its own error was lost") != std::string::npos;
      g_free(debug);
      gst_message_unref(message);
    }
    return found;
  }
  std::string write_clip() {
    std::string path = folder_.path() / "clip.avi";
    play("videotestsrc num-buffers=5 ! video/x-raw,width=64,height=48 ! jpegenc ! avimux ! filesink location=" + path);
    EXPECT_TRUE(hears(GST_MESSAGE_EOS));
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    return path;
  }
  void TearDown() override {
    if (pipeline_) gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  }

  const TempDir folder_;
  ElementPtr pipeline_;
  BusPtr bus_;
};

TEST_F(LostError, IsReportedOfADemuxerThatStoppedBeforeItHadAnything) {
  const std::string path = folder_.path() / "head.mp4";
  constexpr char kHead[] = {0, 0, 0, 16, 'f', 't', 'y', 'p', 'm', 'p', '4', '2',
                            0, 0, 0, 0,  0,   0,   1,   0,   'm', 'o', 'o', 'v'};
  std::ofstream(path, std::ios::binary).write(kHead, sizeof kHead);
  play("filesrc location=" + path + " ! qtdemux ! fakesink");
  ASSERT_TRUE(hears(GST_MESSAGE_ERROR));  // the one that may get lost
  ASSERT_FALSE(is_reported());
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  bool reported = false;
  while (!reported && std::chrono::steady_clock::now() < patience) {  // its thread may be on its way to the stop
    report_lost_error(pipeline_.get());
    reported = is_reported();
    std::this_thread::yield();
  }
  EXPECT_TRUE(reported);
}

TEST_F(LostError, IsNotReportedOfOneThatReadItsFileToTheEnd) {
  play("filesrc location=" + write_clip() + " ! avidemux ! fakesink");
  ASSERT_TRUE(hears(GST_MESSAGE_EOS));
  report_lost_error(pipeline_.get());
  EXPECT_FALSE(is_reported());
}

}  // namespace
}  // namespace posecam::test
