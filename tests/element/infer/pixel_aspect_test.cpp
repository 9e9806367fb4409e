// Video whose pixels are not square: a picture that was squeezed to half its width shows the same people.

#include <cmath>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "elements/meta/result_meta.h"
#include "tests/element/harness.h"

namespace posecam::test {
namespace {

constexpr int kFrames = 3;
using Results = std::vector<std::shared_ptr<const FrameResult>>;

/// A region of interest in the left half of the picture, in its own pixels.
GstPadProbeReturn mark_left_half(GstPad* pad, GstPadProbeInfo* info, gpointer) {
  GstCaps* caps = gst_pad_get_current_caps(pad);
  GstVideoInfo video;
  gst_video_info_from_caps(&video, caps);
  gst_caps_unref(caps);
  GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  const auto side = [](gint extent, guint parts) { return static_cast<guint>(extent) / parts; };
  gst_buffer_add_video_region_of_interest_meta(buffer, "person", 0, side(video.height, 8), side(video.width, 2),
                                               side(video.height, 2));
  GST_PAD_PROBE_INFO_DATA(info) = buffer;
  return GST_PAD_PROBE_OK;
}

/// What is found in the first frames of the project's clip, scaled to those caps.
Results people_of(const std::string& caps, const std::string& more, bool regions) {
  auto pipeline = launch("filesrc location=" POSECAM_SOURCE_DIR
                         "/media/figures.mp4 ! decodebin ! videoconvert ! videoscale method=lanczos ! video/x-raw," +
                         caps + " ! neuroninfer name=infer device=opencv model=openpose-lite " + more +
                         " ! appsink name=sink sync=false");
  if (regions) {
    const ElementRef infer(gst_bin_get_by_name(GST_BIN(pipeline.get()), "infer"));
    GstPad* pad = gst_element_get_static_pad(infer.get(), "sink");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, mark_left_half, nullptr, nullptr);
    gst_object_unref(pad);
  }
  const ElementRef sink(gst_bin_get_by_name(GST_BIN(pipeline.get()), "sink"));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  Results results;
  for (int i = 0; i < kFrames; ++i) {
    GstSample* sample = gst_app_sink_pull_sample(GST_APP_SINK(sink.get()));
    if (!sample) break;
    results.push_back(gst::get_result(gst_sample_get_buffer(sample)));
    gst_sample_unref(sample);
  }
  return results;
}

struct Likeness {
  int people = 0;    ///< in the frames of the first
  int missing = 0;   ///< of them, who are not in the second
  double worst = 0;  ///< farthest a keypoint of both is off, of the picture's width or height
};

Likeness compare(const Results& a, const Results& b) {
  Likeness all;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    for (const Pose& person : a[i]->poses) {
      ++all.people;
      double best = 1;
      for (const Pose& other : b[i]->poses) {
        double off = 0;
        for (std::size_t k = 0; k < person.keypoints.size(); ++k) {
          const auto& p = person.keypoints[k];
          const auto& q = other.keypoints[k];
          if (p && q) off = std::max<double>(off, std::max(std::abs(p->x - q->x), std::abs(p->y - q->y)));
        }
        best = std::min(best, off);
      }
      best > 0.05 ? ++all.missing : all.worst = std::max(all.worst, best);
    }
  }
  return all;
}

class PixelAspect : public testing::TestWithParam<bool> {};

TEST_P(PixelAspect, ASqueezedPictureShowsTheSamePeople) {
  const std::string more = GetParam() ? "inference-region=roi-list" : "";
  const Results square = people_of("width=1280,height=720,pixel-aspect-ratio=1/1", more, GetParam());
  ASSERT_EQ(square.size(), static_cast<std::size_t>(kFrames));
  for (const char* caps :
       {"width=640,height=720,pixel-aspect-ratio=2/1", "width=1280,height=360,pixel-aspect-ratio=1/2"}) {
    const Results squeezed = people_of(caps, more, GetParam());
    ASSERT_EQ(squeezed.size(), square.size());
    const Likeness likeness = compare(square, squeezed);
    EXPECT_GE(likeness.people, kFrames) << caps;
    EXPECT_EQ(likeness.missing, 0) << caps;
    EXPECT_LT(likeness.worst, 0.012) << caps;  // coordinates are fractions of the picture: x in pixels is half of it
  }
}

INSTANTIATE_TEST_SUITE_P(Parts, PixelAspect, testing::Bool(),
                         [](const auto& regions) { return regions.param ? "Regions" : "Frames"; });

/// The network's input follows the picture as it is displayed.
TEST(PixelAspectPlan, AFreeSideOfTheInputFollowsTheDisplayedAspect) {
  for (const auto& [width, par] : {std::pair{32, 2}, std::pair{64, 1}}) {
    FakeNetwork network = one_detection();
    static std::atomic<int> input_width;
    network.shapes = [](const ModelSpec& spec) {
      input_width = spec.input.size.width;
      return std::vector<Shape>{{spec.input.batch, spec.input.size.width / 8 * spec.input.size.height / 8, 6}};
    };
    use_fake_device({.cores = 1, .network = network});
    auto h = harness(fake_line("net-resolution=-1x32"));
    GstVideoInfo info = video_info(GST_VIDEO_FORMAT_BGR, width, 32);
    info.par_n = par;
    set_caps(h.get(), info);
    EXPECT_EQ(input_width, 64) << width;
  }
}

}  // namespace
}  // namespace posecam::test
