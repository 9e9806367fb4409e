#include "app/session/input/image_source.h"

#include <gmock/gmock.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>

#include "app/session/handles.h"
#include "tests/support/temp_dir.h"

namespace posecam::test {
namespace {

using ::testing::ElementsAre;

struct Frame {
  int width = 0;
  int height = 0;
  int blue_of_first_pixel = 0;
  int blue_of_last_pixel = 0;
  bool corrupted = false;
  GstClockTime time = 0;
};

/// Images through a sink that takes one after the other.
class ImageSourceTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
  ~ImageSourceTest() override {
    if (pipeline_) gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  }

  /// A picture of one colour, as a portable pixmap (ppm(5)).
  std::filesystem::path image(const std::string& name, int width, int height, char blue) const {
    std::string text = "P6\n" + std::to_string(width) + " " + std::to_string(height) + "\n255\n";
    for (int i = 0; i < width * height; ++i) text += std::string("\0\0", 2) + blue;
    write_file(folder_.path() / name, text);
    return folder_.path() / name;
  }
  void play(std::vector<std::filesystem::path> images, bool repeats = false) {
    pipeline_.reset(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
    GstElement* source = make_image_source(std::move(images), repeats);
    sink_ = gst_element_factory_make("appsink", nullptr);
    g_object_set(sink_, "sync", FALSE, "max-buffers", 1U, nullptr);
    gst_bin_add_many(GST_BIN(pipeline_.get()), source, sink_, nullptr);
    ASSERT_TRUE(gst_element_link(source, sink_));
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
  }
  /// Nothing at the end of the stream.
  std::optional<Frame> next() {
    GstSample* sample = nullptr;
    g_signal_emit_by_name(sink_, "pull-sample", &sample);
    if (sample == nullptr) return {};
    Frame frame;
    GstVideoInfo info;
    EXPECT_TRUE(gst_video_info_from_caps(&info, gst_sample_get_caps(sample)));
    EXPECT_EQ(GST_VIDEO_INFO_FORMAT(&info), GST_VIDEO_FORMAT_BGR);
    GstBuffer* buffer = gst_sample_get_buffer(sample);
    EXPECT_EQ(gst_buffer_get_size(buffer), GST_VIDEO_INFO_SIZE(&info));
    unsigned char pixel = 0;
    unsigned char last = 0;
    gst_buffer_extract(buffer, 0, &pixel, 1);
    const int at = (info.height - 1) * GST_VIDEO_INFO_PLANE_STRIDE(&info, 0) + 3 * (info.width - 1);
    gst_buffer_extract(buffer, static_cast<gsize>(at), &last, 1);
    frame = {info.width,
             info.height,
             pixel,
             last,
             GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_CORRUPTED) != FALSE,
             GST_BUFFER_PTS(buffer)};
    gst_sample_unref(sample);
    return frame;
  }

  TempDir folder_;
  ElementPtr pipeline_;
  GstElement* sink_ = nullptr;
};

TEST_F(ImageSourceTest, GivesImagesOfAnySizeInTheirOrderAndEnds) {
  play({image("a.ppm", 3, 2, 7), image("b.ppm", 5, 4, 9)});
  const auto first = next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->width, 3);
  EXPECT_EQ(first->height, 2);
  EXPECT_EQ(first->blue_of_first_pixel, 7);
  EXPECT_EQ(first->blue_of_last_pixel, 7);
  EXPECT_EQ(first->time, 0U);
  const auto second = next();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->width, 5);
  EXPECT_EQ(second->blue_of_first_pixel, 9);
  EXPECT_EQ(second->time, GST_SECOND / kImageRate);
  EXPECT_FALSE(next());
}

TEST_F(ImageSourceTest, PutsABlackFrameInThePlaceOfWhatIsNoImage) {
  write_file(folder_.path() / "broken.png", "no picture");
  play({image("a.ppm", 3, 2, 7), folder_.path() / "broken.png", image("c.ppm", 3, 2, 8)});
  EXPECT_FALSE(next()->corrupted);
  const auto broken = next();
  ASSERT_TRUE(broken);
  EXPECT_TRUE(broken->corrupted);
  EXPECT_EQ(broken->width, 3);
  EXPECT_EQ(broken->blue_of_first_pixel, 0);
  EXPECT_EQ(next()->blue_of_first_pixel, 8);
  const BusPtr bus(gst_element_get_bus(pipeline_.get()));
  GstMessage* told = gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ELEMENT);
  ASSERT_NE(told, nullptr);
  const GstStructure* what = gst_message_get_structure(told);
  EXPECT_TRUE(gst_structure_has_name(what, "image-unreadable"));
  EXPECT_EQ(gst_structure_get_string(what, "path"), folder_.path() / "broken.png");
  gst_message_unref(told);
}

TEST_F(ImageSourceTest, BeginsAgainIfItRepeats) {
  play({image("a.ppm", 3, 2, 1), image("b.ppm", 3, 2, 2)}, true);
  std::vector<int> seen;
  for (int i = 0; i < 5; ++i) seen.push_back(next()->blue_of_first_pixel);
  EXPECT_THAT(seen, ElementsAre(1, 2, 1, 2, 1));
}

}  // namespace
}  // namespace posecam::test
