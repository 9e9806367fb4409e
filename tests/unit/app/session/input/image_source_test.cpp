#include "app/session/input/image_source.h"

#include <gmock/gmock.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>

#include "app/session/handles.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/app/pictures/picture_files.h"

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
  guint64 place = 0;
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
  std::filesystem::path broken(const std::string& name) const {
    write_file(folder_.path() / name, "no picture");
    return folder_.path() / name;
  }
  void play(std::vector<std::filesystem::path> images, bool repeats = false) {
    play(make_image_source(std::move(images), repeats));
  }
  void play(GstElement* source) {
    if (pipeline_) gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    pipeline_.reset(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
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
             GST_BUFFER_PTS(buffer),
             GST_BUFFER_OFFSET(buffer)};
    gst_sample_unref(sample);
    return frame;
  }

  /// What the bus was told of pictures, in order: the names of the structures and their texts.
  std::vector<std::string> told() {
    std::vector<std::string> all;
    const BusPtr bus(gst_element_get_bus(pipeline_.get()));
    while (GstMessage* message = gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ELEMENT)) {
      const GstStructure* what = gst_message_get_structure(message);
      all.push_back(std::string(gst_structure_get_name(what)) + " " + gst_structure_get_string(what, "text"));
      gst_message_unref(message);
    }
    return all;
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
  play({image("a.ppm", 3, 2, 7), broken("b.png"), image("c.ppm", 3, 2, 8)});
  EXPECT_FALSE(next()->corrupted);
  const auto black = next();
  ASSERT_TRUE(black);
  EXPECT_TRUE(black->corrupted);
  EXPECT_EQ(black->width, 3);
  EXPECT_EQ(black->blue_of_first_pixel, 0);
  EXPECT_EQ(next()->blue_of_first_pixel, 8);
  EXPECT_THAT(told(), ElementsAre("picture-failed " + (folder_.path() / "b.png").string() +
                                  ": not a picture; it is not analysed"));
}

TEST_F(ImageSourceTest, GivesABrokenFirstPictureTheSizeOfTheFirstGoodOne) {
  play({broken("a.png"), broken("b.png"), image("c.ppm", 5, 4, 9), image("d.ppm", 3, 2, 8)});
  for (int i = 0; i < 2; ++i) {
    const auto black = next();
    ASSERT_TRUE(black);
    EXPECT_TRUE(black->corrupted);
    EXPECT_EQ(black->width, 5);
    EXPECT_EQ(black->height, 4);
  }
  EXPECT_EQ(next()->blue_of_first_pixel, 9);
}

TEST_F(ImageSourceTest, GivesNoFrameIfNoPictureIsGood) {
  play({broken("a.png"), broken("b.png")});
  EXPECT_FALSE(next());
  EXPECT_EQ(told().size(), 2U);
  play({broken("a.png")}, true);
  EXPECT_FALSE(next()) << "not even if it is to repeat them";
}

TEST_F(ImageSourceTest, SaysOnEachFrameWhichPictureItIs) {
  play({image("a.ppm", 3, 2, 7), broken("b.png"), image("c.ppm", 3, 2, 8)}, true);
  std::vector<guint64> places;
  for (int i = 0; i < 5; ++i) places.push_back(next()->place);
  EXPECT_THAT(places, ElementsAre(0, 1, 2, 0, 1));
}

TEST_F(ImageSourceTest, SaysOnceHowManyPagesItLeavesOut) {
  const std::string path = (folder_.path() / "a.tif").string();
  play({tiff(path, 48, marked_rows(), {.pages = 3})}, true);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(next());
  EXPECT_THAT(told(),
              ElementsAre("picture-warning " + path + ": only its first picture is analysed; 2 more are left out"));
}

TEST_F(ImageSourceTest, GivesTheFramesOfAMovingPictureTheirTimes) {
  const std::string path = (folder_.path() / "a.gif").string();
  gif(path, 2, 2, {{0, 0, 2, 2, "bbbb", 1, 10}, {0, 0, 2, 2, "kkkk", 1, 25}, {0, 0, 2, 2, "bbbb", 1, 5}});
  for (const bool repeats : {false, true}) {
    play(make_moving_source(path, repeats));
    std::vector<GstClockTime> times;
    std::vector<int> blues;
    for (int i = 0; i < (repeats ? 5 : 3); ++i) {
      const auto frame = next();
      ASSERT_TRUE(frame);
      times.push_back(frame->time / GST_MSECOND);
      blues.push_back(frame->blue_of_first_pixel);
    }
    if (repeats) {
      EXPECT_THAT(times, ElementsAre(0, 100, 350, 400, 500));
      EXPECT_THAT(blues, ElementsAre(255, 0, 255, 255, 0));
    } else {
      EXPECT_THAT(times, ElementsAre(0, 100, 350));
      EXPECT_FALSE(next());
    }
  }
}

TEST_F(ImageSourceTest, EndsAMovingPictureWhereItIsDamaged) {
  const std::string path = (folder_.path() / "a.gif").string();
  gif(path, 1, 1, {{0, 0, 1, 1, "b", 1, 10}, {0, 0, 1, 1, "k", 1, 10}});
  const std::string whole = read_file(path);
  write_file(path, whole.substr(0, whole.size() - 4));
  play(make_moving_source(path, false));
  EXPECT_TRUE(next());
  EXPECT_FALSE(next());
  EXPECT_THAT(told(), ElementsAre("picture-failed " + path + ": it is damaged or cut off"));
}

TEST_F(ImageSourceTest, BeginsAgainIfItRepeats) {
  play({image("a.ppm", 3, 2, 1), image("b.ppm", 3, 2, 2)}, true);
  std::vector<int> seen;
  for (int i = 0; i < 5; ++i) seen.push_back(next()->blue_of_first_pixel);
  EXPECT_THAT(seen, ElementsAre(1, 2, 1, 2, 1));
}

}  // namespace
}  // namespace posecam::test
