// Which results, and which metadata of others, come through which element, and whether they still lie where the picture
// shows them. docs/elements.md says the same for users, and this test insists on that.

#include <cmath>
#include <filesystem>
#include <optional>
#include <ostream>

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>

#include "tests/element/results.h"
#include "tests/support/temp_dir.h"

namespace posecam::test {
namespace {

constexpr int kWidth = 640;
constexpr int kHeight = 360;
constexpr const char* kUntagged = "PosecamTestUntaggedMeta";
/// A white square on black, all in the left upper quarter; the person's box and the region are just that square.
constexpr guint kLeft = 120;
constexpr guint kTop = 60;
constexpr guint kSide = 80;

enum class Fate { kRight, kWrong, kDropped };

std::string word(Fate fate) {
  switch (fate) {
    case Fate::kRight: return "right";
    case Fate::kWrong: return "**wrong**";
    case Fate::kDropped: break;
  }
  return "dropped";
}

struct Row {
  const char* name;      ///< of the test
  const char* document;  ///< first cell of its line in docs/elements.md
  const char* chain;
  Fate result;
  Fate roi;
  bool params;
  Fate untagged;
};

/// By the name that GoogleTest looks for.
void PrintTo(const Row& row, std::ostream* out) {  // NOLINT(readability-identifier-naming)
  *out << row.chain;
}

constexpr Row kRows[] = {
    {"Queue", "`queue`", "queue", Fate::kRight, Fate::kRight, true, Fate::kRight},
    {"Tee", "`tee`", "tee ! queue", Fate::kRight, Fate::kRight, true, Fate::kRight},
    {"Videorate", "`videorate`", "videorate", Fate::kRight, Fate::kRight, true, Fate::kRight},
    {"Videobalance", "`videobalance`", "videobalance brightness=-0.1", Fate::kRight, Fate::kRight, true, Fate::kRight},
    {"JpegencJpegdec", "`jpegenc ! jpegdec`", "jpegenc ! jpegdec", Fate::kRight, Fate::kRight, true, Fate::kRight},
    {"Deinterlace", "`deinterlace`", "videoconvert ! video/x-raw,format=RGB ! deinterlace", Fate::kRight, Fate::kRight,
     true, Fate::kRight},
    {"Videoconvert", "`videoconvert`", "videoconvert ! video/x-raw,format=I420", Fate::kRight, Fate::kRight, false,
     Fate::kRight},
    {"Videoscale", "`videoscale`", "videoscale ! video/x-raw,width=320,height=240", Fate::kRight, Fate::kRight, false,
     Fate::kWrong},
    {"Videoconvertscale", "`videoconvertscale`", "videoconvertscale ! video/x-raw,format=I420,width=320,height=240",
     Fate::kRight, Fate::kRight, false, Fate::kWrong},
    {"VideoscaleThatStretches", "`videoscale add-borders=false`, to another aspect",
     "videoscale add-borders=false ! video/x-raw,width=400,height=400,pixel-aspect-ratio=1/1", Fate::kRight,
     Fate::kRight, false, Fate::kWrong},
    {"VideoscaleThatAddsBorders", "`videoscale`, to another aspect (adds borders)",
     "videoscale add-borders=true ! video/x-raw,width=400,height=400,pixel-aspect-ratio=1/1", Fate::kWrong,
     Fate::kWrong, false, Fate::kWrong},
    {"Openh264enc", "`videoconvert ! openh264enc`", "videoconvert ! openh264enc", Fate::kRight, Fate::kRight, false,
     Fate::kRight},
    {"Cairooverlay", "`videoconvert ! cairooverlay`", "videoconvert ! cairooverlay", Fate::kRight, Fate::kRight, false,
     Fate::kRight},
    {"Videocrop", "`videocrop`", "videocrop left=64 top=36", Fate::kDropped, Fate::kDropped, false, Fate::kWrong},
    {"Videobox", "`videobox`", "videobox left=64 top=36", Fate::kDropped, Fate::kDropped, false, Fate::kWrong},
    {"Videoflip", "`videoflip`", "videoflip video-direction=horiz", Fate::kDropped, Fate::kDropped, false,
     Fate::kWrong},
    {"Compositor", "`compositor`", "compositor", Fate::kDropped, Fate::kDropped, false, Fate::kDropped},
};

/// The first element of a chain that this machine does not have, or "".
std::string missing_element(const std::string& chain) {
  std::istringstream words(chain);
  bool first = true;
  for (std::string text; words >> text; first = text == "!") {
    if (!first || text == "!" || text.find('/') != std::string::npos) continue;
    GstElementFactory* factory = gst_element_factory_find(text.c_str());
    if (!factory) return text;
    gst_object_unref(factory);
  }
  return "";
}

TestBuffer marked_frame(int number) {
  TestBuffer buffer = new_buffer(static_cast<gsize>(kWidth) * kHeight * 3);
  gst_buffer_memset(buffer.get(), 0, 0, static_cast<gsize>(-1));
  for (guint y = kTop; y < kTop + kSide; ++y) gst_buffer_memset(buffer.get(), (y * kWidth + kLeft) * 3, 255, kSide * 3);
  GST_BUFFER_PTS(buffer.get()) = static_cast<GstClockTime>(number) * GST_SECOND / 25;
  GST_BUFFER_DURATION(buffer.get()) = GST_SECOND / 25;

  auto* roi = gst_buffer_add_video_region_of_interest_meta(buffer.get(), "person", kLeft, kTop, kSide, kSide);
  gst_video_region_of_interest_meta_add_param(roi, gst_structure_new_empty("keypoints"));
  gst_structure_set(gst_custom_meta_get_structure(gst_buffer_add_custom_meta(buffer.get(), kUntagged)), "x",
                    G_TYPE_UINT, kLeft + kSide / 2, "y", G_TYPE_UINT, kTop + kSide / 2, nullptr);
  FrameResult result;
  result.model = pose_model(coco18());
  result.poses = {person_in({static_cast<float>(kLeft) / kWidth, static_cast<float>(kTop) / kHeight,
                             static_cast<float>(kSide) / kWidth, static_cast<float>(kSide) / kHeight})};
  gst::add_result(buffer.get(), std::make_shared<const FrameResult>(std::move(result)));
  return buffer;
}

struct SampleUnref {
  void operator()(GstSample* s) const noexcept { gst_sample_unref(s); }
};
using SamplePtr = std::unique_ptr<GstSample, SampleUnref>;

/// The first sample that comes out of the chain.
SamplePtr through(const std::string& chain) {
  GError* error = nullptr;
  GstElement* pipeline =
      gst_parse_launch(("appsrc name=in format=time ! " + chain + " ! appsink name=out sync=false").c_str(), &error);
  EXPECT_EQ(error, nullptr) << error->message;
  GstElement* in = gst_bin_get_by_name(GST_BIN(pipeline), "in");
  GstElement* out = gst_bin_get_by_name(GST_BIN(pipeline), "out");
  GstCaps* caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "RGB", "width", G_TYPE_INT, kWidth,
                                      "height", G_TYPE_INT, kHeight, "framerate", GST_TYPE_FRACTION, 25, 1,
                                      "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, nullptr);
  gst_app_src_set_caps(GST_APP_SRC(in), caps);
  gst_caps_unref(caps);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  for (int i = 0; i < 4; ++i) gst_app_src_push_buffer(GST_APP_SRC(in), marked_frame(i).release());
  gst_app_src_end_of_stream(GST_APP_SRC(in));
  SamplePtr sample(gst_app_sink_try_pull_sample(GST_APP_SINK(out), 60 * GST_SECOND));
  gst_element_set_state(pipeline, GST_STATE_NULL);
  for (GstElement* e : {in, out, pipeline}) gst_object_unref(e);
  return sample;
}

struct Seen {
  GstVideoInfo info;
  Point middle;  ///< of the white square, in pixels
};

/// Where the square is now: weighed by brightness. Empty for encoded video, of which the size is that of the source.
std::optional<Seen> look_at(GstSample* sample) {
  Seen seen{};
  if (!gst_structure_has_name(gst_caps_get_structure(gst_sample_get_caps(sample), 0), "video/x-raw")) return {};
  GstVideoFrame frame;
  if (!gst_video_info_from_caps(&seen.info, gst_sample_get_caps(sample)) ||
      !gst_video_frame_map(&frame, &seen.info, gst_sample_get_buffer(sample), GST_MAP_READ)) {
    ADD_FAILURE() << "cannot look at the frame";
    return {};
  }
  double count = 0;
  double x_sum = 0;
  double y_sum = 0;
  for (int y = 0; y < seen.info.height; ++y) {
    const auto* row = static_cast<const guint8*>(GST_VIDEO_FRAME_COMP_DATA(&frame, 0)) +
                      static_cast<std::ptrdiff_t>(y) * GST_VIDEO_FRAME_COMP_STRIDE(&frame, 0);
    for (int x = 0; x < seen.info.width; ++x) {
      if (row[x * GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, 0)] < 128) continue;
      ++count;
      x_sum += x + 0.5;
      y_sum += y + 0.5;
    }
  }
  gst_video_frame_unmap(&frame);
  EXPECT_GT(count, 100) << "the square is gone";
  seen.middle = {static_cast<float>(x_sum / count), static_cast<float>(y_sum / count)};
  return seen;
}

Fate fate_of(Point said, const std::optional<Seen>& seen) {
  if (!seen) return Fate::kRight;  // encoded: there is nothing that it could have been moved against
  const bool near = std::abs(said.x - seen->middle.x) <= 2 && std::abs(said.y - seen->middle.y) <= 2;
  return near ? Fate::kRight : Fate::kWrong;
}

class OnTheWay : public testing::TestWithParam<Row> {
 protected:
  static void SetUpTestSuite() {
    static const gchar* no_tags[] = {nullptr};
    if (!gst_meta_get_info(kUntagged)) gst_meta_register_custom(kUntagged, no_tags, nullptr, nullptr, nullptr);
  }
};

TEST_P(OnTheWay, Metadata) {
  const Row& row = GetParam();
  if (const std::string missing = missing_element(row.chain); !missing.empty())
    GTEST_SKIP() << "no element " << missing;
  const SamplePtr sample = through(row.chain);
  ASSERT_TRUE(sample);
  GstBuffer* buffer = gst_sample_get_buffer(sample.get());
  const auto seen = look_at(sample.get());
  const auto width = static_cast<float>(seen ? seen->info.width : kWidth);
  const auto height = static_cast<float>(seen ? seen->info.height : kHeight);

  Fate result = Fate::kDropped;
  if (auto* meta = gst_buffer_get_neuron_result_meta(buffer)) {
    Box b;
    ASSERT_TRUE(gst_neuron_result_meta_get_person_box(meta, 0, &b.x, &b.y, &b.width, &b.height));
    result = fate_of({(b.x + b.width / 2) * width, (b.y + b.height / 2) * height}, seen);
  }
  EXPECT_EQ(word(result), word(row.result));

  Fate roi = Fate::kDropped;
  bool params = false;
  if (auto* meta = gst_buffer_get_video_region_of_interest_meta(buffer)) {
    roi = fate_of({static_cast<float>(meta->x) + static_cast<float>(meta->w) / 2,
                   static_cast<float>(meta->y) + static_cast<float>(meta->h) / 2},
                  seen);
    params = gst_video_region_of_interest_meta_get_param(meta, "keypoints") != nullptr;
  }
  EXPECT_EQ(word(roi), word(row.roi));
  EXPECT_EQ(params, row.params);

  Fate untagged = Fate::kDropped;
  if (auto* meta = gst_buffer_get_custom_meta(buffer, kUntagged)) {
    guint x = 0;
    guint y = 0;
    ASSERT_TRUE(
        gst_structure_get(gst_custom_meta_get_structure(meta), "x", G_TYPE_UINT, &x, "y", G_TYPE_UINT, &y, nullptr));
    untagged = fate_of({static_cast<float>(x), static_cast<float>(y)}, seen);
  }
  EXPECT_EQ(word(untagged), word(row.untagged));
}

TEST_P(OnTheWay, IsDocumented) {
  const Row& row = GetParam();
  const std::string line = std::string("| ") + row.document + " | " + word(row.result) + " | " + word(row.roi) + " | " +
                           (row.params ? "kept" : "lost") + " | " + word(row.untagged) + " |\n";
  EXPECT_NE(read_file(std::filesystem::path(POSECAM_SOURCE_DIR) / "docs" / "elements.md").find(line), std::string::npos)
      << "docs/elements.md should say: " << line;
}

INSTANTIATE_TEST_SUITE_P(Metadata, OnTheWay, testing::ValuesIn(kRows), [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace posecam::test
