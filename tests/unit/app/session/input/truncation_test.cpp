// Whole and cut clips in every container, as GStreamer writes them.

#include "app/session/input/truncation.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gst/gst.h>
#include <gtest/gtest.h>

#include "models/core/file.h"
#include "tests/support/temp_dir.h"

namespace posecam::test {
namespace {

using ::testing::HasSubstr;

struct Kind {
  const char* name;
  const char* encode;  ///< encoder and muxer
  int unseen = 0;      ///< cuts that fall between two frames of a format that says no more
};

class Truncation : public ::testing::TestWithParam<Kind> {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }

  /// The clip's bytes; empty where an element is not installed.
  std::string make_clip() const {
    const std::string path = folder_.path() / "clip";
    const std::string text =
        std::string("videotestsrc num-buffers=30 ! video/x-raw,width=64,height=48,framerate=25/1 ! ") +
        GetParam().encode + " ! filesink location=" + path;
    GError* error = nullptr;
    GstElement* pipeline = gst_parse_launch_full(text.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error);
    if (pipeline == nullptr) {
      g_error_free(error);
      return {};
    }
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    GstBus* bus = gst_element_get_bus(pipeline);
    const auto ends = static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    GstMessage* message = gst_bus_timed_pop_filtered(bus, 20 * GST_SECOND, ends);
    EXPECT_TRUE(message != nullptr && GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS) << text;
    if (message != nullptr) gst_message_unref(message);
    gst_object_unref(bus);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
    return read_file(path);
  }
  std::string find(const std::string& bytes) const {
    const auto path = folder_.path() / "cut";
    std::ofstream(path, std::ios::binary) << bytes;
    return find_truncation(path);
  }

 private:
  TempDir folder_;
};

TEST_P(Truncation, IsSeenWhereverTheFileEnds) {
  const std::string clip = make_clip();
  if (clip.empty()) GTEST_SKIP() << GetParam().encode << " is not here";
  EXPECT_EQ(find(clip), "");
  int unseen = 0;
  for (std::size_t left = clip.size() - 1; left > clip.size() / 8; left -= std::max<std::size_t>(1, clip.size() / 97)) {
    const std::string cut = find(clip.substr(0, left));
    if (cut.empty() && ++unseen <= GetParam().unseen) continue;
    EXPECT_THAT(cut, HasSubstr("the file is cut off")) << left << " of " << clip.size();
  }
}

INSTANTIATE_TEST_SUITE_P(
    Of, Truncation,
    ::testing::Values(Kind{"Mp4", "x264enc ! mp4mux"}, Kind{"FragmentedMp4", "x264enc ! mp4mux fragment-duration=200"},
                      Kind{"Mov", "x264enc ! qtmux faststart=true"}, Kind{"Avi", "x264enc ! avimux"},
                      Kind{"Matroska", "x264enc ! matroskamux"}, Kind{"WebM", "vp8enc deadline=1 ! webmmux"},
                      Kind{"Flv", "x264enc ! flvmux", 2}, Kind{"Wmv", "avenc_wmv2 ! asfmux"},
                      Kind{"Ogg", "theoraenc ! oggmux"}, Kind{"Ivf", "vp8enc deadline=1 ! avmux_ivf", 3},
                      Kind{"TransportStream", "x264enc ! mpegtsmux"},
                      Kind{"DiscTransportStream", "x264enc ! mpegtsmux m2ts-mode=true"}),
    [](const auto& kind) { return std::string(kind.param.name); });

TEST(TruncationOf, OtherFilesIsNotGuessed) {
  TempDir folder;
  const auto find = [&](const std::string& bytes) {
    const auto path = folder.path() / "file";
    std::ofstream(path, std::ios::binary) << bytes;
    return find_truncation(path);
  };
  for (const std::string bytes : {"", "F", "FLV", "this is text", "RIFF", "OggX"}) {
    EXPECT_EQ(find(bytes), "") << bytes;
  }
  // A recording to a pipe: sizes that nobody could go back to write.
  EXPECT_EQ(find(std::string("RIFF\0\0\0\0AVI LIST", 16)), "");
  EXPECT_EQ(find(std::string(
                "\x1A\x45\xDF\xA3\x80\x18\x53\x80\x67\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x1F\x43\xB6\x75\xFF\xE7", 23)),
            "");
}

}  // namespace
}  // namespace posecam::test
