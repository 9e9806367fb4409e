#include <set>

#include <gmock/gmock.h>

#include "postprocess/draw/draw_style.h"
#include "postprocess/draw/regions.h"
#include "tests/element/result_buffers.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"

namespace posecam::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

HarnessPtr overlay_harness(const std::string& more, const GstVideoInfo& info) {
  HarnessPtr h(gst_harness_new_parse(("neuronoverlay name=overlay " + more).c_str()));
  set_caps(h.get(), info);
  return h;
}

gst::BufferPtr through(GstHarness* h, gst::BufferPtr in) {
  EXPECT_EQ(gst_harness_push(h, in.release()), GST_FLOW_OK);
  return gst::BufferPtr(gst_harness_pull(h));
}

/// Different bytes in the luma of 64x64 pixels around (x, y): noise has nearly all 256, blocks few.
std::size_t colours(const Bytes& bytes, const GstVideoInfo& info, int x, int y) {
  std::set<std::uint8_t> seen;
  for (int row = y - 16; row < y + 16; ++row) {
    for (int column = x - 16; column < x + 16; ++column) {
      seen.insert(bytes[static_cast<std::size_t>(row * GST_VIDEO_INFO_PLANE_STRIDE(&info, 0) + column)]);
    }
  }
  return seen.size();
}

const GstVideoInfo kInfo = video_info(GST_VIDEO_FORMAT_NV12, 640, 480);
constexpr std::size_t kBlurred = 16;  // colours at most, so close together
constexpr std::size_t kSharp = 200;   // at least

/// A frame with a person at (160, 120) and nobody at (480, 360).
gst::BufferPtr person_frame() { return noise_frame(kInfo, somebody(0.25F, 0.25F)); }

TEST(NeuronOverlay, PassesAFrameUntouchedThatSomebodyElseHoldsIfNothingIsDrawn) {
  for (const auto& result : {std::shared_ptr<FrameResult>(), nobody(), nobody(FrameStatus::kSkipped),
                             nobody(FrameStatus::kUnanalysed), somebody(0.25F, 0.25F, 0.01F)}) {
    auto h = overlay_harness("", kInfo);
    const gst::BufferPtr held = noise_frame(kInfo, result);
    const auto out = through(h.get(), gst::BufferPtr(gst_buffer_ref(held.get())));
    EXPECT_EQ(out.get(), held.get());
  }
  auto h = overlay_harness("blur=face", kInfo);  // nobody is there to be blurred either
  const gst::BufferPtr held = noise_frame(kInfo, nobody());
  EXPECT_EQ(through(h.get(), gst::BufferPtr(gst_buffer_ref(held.get()))).get(), held.get());
}

TEST(NeuronOverlay, DrawsInTheVeryFrameIfNobodyElseHoldsIt) {
  auto h = overlay_harness("blur=face", kInfo);
  auto in = person_frame();
  const GstBuffer* buffer = in.get();
  const GstMemory* memory = gst_buffer_peek_memory(in.get(), 0);
  const Bytes before = bytes_of(in.get());
  const auto out = through(h.get(), std::move(in));
  EXPECT_EQ(out.get(), buffer);
  EXPECT_EQ(gst_buffer_peek_memory(out.get(), 0), memory);
  EXPECT_NE(bytes_of(out.get()), before);
}

TEST(NeuronOverlay, DrawsOnACopyOfWhatSomebodyElseHolds) {
  for (const char* blur : {"blur=none", "blur=person"}) {
    auto h = overlay_harness(blur, kInfo);
    const gst::BufferPtr held = person_frame();
    const Bytes before = bytes_of(held.get());
    const auto out = through(h.get(), gst::BufferPtr(gst_buffer_ref(held.get())));
    EXPECT_EQ(bytes_of(held.get()), before);
    EXPECT_NE(bytes_of(out.get()), before);
    EXPECT_NE(gst::get_result(out.get()), nullptr);
  }
}

TEST(NeuronOverlay, ABranchOfATeeIsNotDrawnOnForTheOther) {
  use_fake_device({});
  auto pipeline = launch("videotestsrc num-buffers=5 pattern=smpte100 ! video/x-raw,format=NV12,width=64,height=64 ! " +
                         fake_line() + " ! tee name=t t. ! queue ! appsink name=plain sync=false t. ! queue ! " +
                         "neuronoverlay blur=person ! appsink name=drawn sync=false");
  ASSERT_EQ(gst_element_set_state(pipeline.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_ASYNC);
  const auto next = [&](const char* name) {
    GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline.get()), name);
    GstSample* sample = gst_app_sink_pull_sample(GST_APP_SINK(sink));
    gst_object_unref(sink);
    Bytes bytes = bytes_of(gst_sample_get_buffer(sample));
    gst_sample_unref(sample);
    return bytes;
  };
  auto source = launch(
      "videotestsrc num-buffers=5 pattern=smpte100 ! video/x-raw,format=NV12,width=64,height=64 ! "
      "appsink name=s sync=false");
  gst_element_set_state(source.get(), GST_STATE_PLAYING);
  for (int i = 0; i < 5; ++i) {
    GstElement* sink = gst_bin_get_by_name(GST_BIN(source.get()), "s");
    GstSample* sample = gst_app_sink_pull_sample(GST_APP_SINK(sink));
    gst_object_unref(sink);
    const Bytes original = bytes_of(gst_sample_get_buffer(sample));
    gst_sample_unref(sample);
    EXPECT_TRUE(next("plain") == original);
    EXPECT_TRUE(next("drawn") != original);
  }
}

TEST(NeuronOverlay, BlursFacesAndLeavesTheRest) {
  for (const char* blur : {"blur=face", "blur=person"}) {
    auto h = overlay_harness(std::string("render-threshold=1 ") + blur, kInfo);
    const Bytes out = bytes_of(through(h.get(), person_frame()).get());
    EXPECT_LE(colours(out, kInfo, 160, 120), kBlurred);
    EXPECT_GE(colours(out, kInfo, 480, 360), kSharp);
  }
}

/// A head is as round on a squeezed picture as on the one that is displayed.
TEST(NeuronOverlay, BlursTheSamePartOfAPictureWhosePixelsAreNotSquare) {
  const auto blurred = [](int width, int par) {
    GstVideoInfo info = video_info(GST_VIDEO_FORMAT_NV12, width, 480);
    info.par_n = par;
    auto h = overlay_harness("render-threshold=1 blur=face", info);
    auto in = noise_frame(info, somebody(0.25F, 0.25F));
    const Bytes before = bytes_of(in.get());
    const Bytes after = bytes_of(through(h.get(), std::move(in)).get());
    std::set<int> columns;
    std::set<int> rows;
    for (int i = 0; i < width * 480; ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (before[at] == after[at]) continue;
      columns.insert(i % width);
      rows.insert(i / width);
    }
    return Size{static_cast<int>(columns.size()), static_cast<int>(rows.size())};
  };
  const Size square = blurred(640, 1);
  EXPECT_GT(square.width, 40);
  EXPECT_NEAR(blurred(320, 2).height, square.height, 2);
  EXPECT_NEAR(2 * blurred(320, 2).width, square.width, 6);
}

TEST(NeuronOverlay, BlursPeopleTooUnsureToBeDrawn) {
  auto h = overlay_harness("blur=face render-threshold=0.5", kInfo);
  const Bytes out = bytes_of(through(h.get(), noise_frame(kInfo, somebody(0.25F, 0.25F, 0.01F))).get());
  EXPECT_LE(colours(out, kInfo, 160, 120), kBlurred);
}

TEST(NeuronOverlay, BlursBeforeItDraws) {
  auto h = overlay_harness("blur=person draw-labels=false", kInfo);
  auto result = nobody();
  result->detections.push_back({{0.25F, 0.25F, 0.25F, 0.5F}, 0.9F, 0, {}});
  const auto out = through(h.get(), noise_frame(kInfo, result));
  const Yuv line = to_yuv(index_color(0), {});
  const Bytes bytes = bytes_of(out.get());
  for (const std::size_t x : {160U, 240U, 319U}) EXPECT_EQ(bytes[120 * 640 + x], line.y);
  EXPECT_LE(colours(bytes, kInfo, 240, 240), kBlurred);
}

TEST(NeuronOverlay, FramesThatWereNotAnalysedStayBlurredWherePeopleWereLast) {
  auto h = overlay_harness("blur=face render-threshold=1", kInfo);
  through(h.get(), person_frame());
  for (const auto& result : {nobody(FrameStatus::kSkipped), nobody(FrameStatus::kUnanalysed),
                             nobody(FrameStatus::kSkipped), std::shared_ptr<FrameResult>()}) {
    const Bytes out = bytes_of(through(h.get(), noise_frame(kInfo, result)).get());
    EXPECT_LE(colours(out, kInfo, 160, 120), kBlurred);
    EXPECT_GE(colours(out, kInfo, 480, 360), kSharp);
  }
  const Bytes gone = bytes_of(through(h.get(), noise_frame(kInfo, nobody())).get());
  EXPECT_GE(colours(gone, kInfo, 160, 120), kSharp);
}

/// A detector on every frame, a pose network behind it on some.
TEST(NeuronOverlay, BlursWhomADetectorFoundOnAFrameThatThePoseNetworkSkipped) {
  auto h = overlay_harness("blur=person render-threshold=1 draw-labels=false", kInfo);
  through(h.get(), person_frame());
  auto moved_on = nobody(FrameStatus::kSkipped);
  moved_on->detections.push_back({{0.7F, 0.6F, 0.2F, 0.3F}, 0.9F, 0, {}});
  const Bytes out = bytes_of(through(h.get(), noise_frame(kInfo, moved_on)).get());
  EXPECT_LE(colours(out, kInfo, 512, 360), kBlurred) << "where the detector sees somebody now";
  EXPECT_LE(colours(out, kInfo, 160, 120), kBlurred) << "where the pose network saw somebody last";
}

TEST(NeuronOverlay, WhoeverSaysWhatThePictureShowsDoesNotEndTheBlur) {
  auto model = std::make_shared<ModelSpec>();
  model->task = Task::kClassification;
  FrameResult classes;
  classes.model = model;
  auto h = overlay_harness("blur=person render-threshold=1 draw-labels=false", kInfo);
  const auto seen = [&](const FrameResult& result) {
    const auto out = through(h.get(), noise_frame(kInfo, std::make_shared<FrameResult>(result)));
    return colours(bytes_of(out.get()), kInfo, 160, 120);
  };
  EXPECT_LE(seen(classes), kBlurred) << "nobody has looked for people yet";
  through(h.get(), person_frame());
  auto skipped = *nobody(FrameStatus::kSkipped);
  EXPECT_LE(seen(merge(skipped, classes)), kBlurred) << "behind the pose network";
  EXPECT_LE(seen(merge(classes, skipped)), kBlurred) << "before it";
  skipped.status = FrameStatus::kAnalysed;
  EXPECT_GE(seen(merge(skipped, classes)), kSharp) << "it looked, and nobody is there";
}

TEST(NeuronOverlay, AFrameThatCannotBeMappedIsAnErrorAndDoesNotGoOnUnblurred) {
  auto h = overlay_harness("blur=person", kInfo);
  const BusCounter bus(h->element);
  auto buffer = noise_frame(kInfo);
  gst_buffer_resize(buffer.get(), 0, static_cast<gssize>(GST_VIDEO_INFO_SIZE(&kInfo)) - 1);
  EXPECT_EQ(gst_harness_push(h.get(), buffer.release()), GST_FLOW_ERROR);
  EXPECT_EQ(gst_harness_buffers_received(h.get()), 0U);
  EXPECT_THAT(bus.of(GST_MESSAGE_ERROR, "neuronoverlay"), testing::ElementsAre(testing::HasSubstr("cannot be mapped")));
}

TEST(NeuronOverlay, NobodyFlashesUpOnFramesThatTheIntervalSkips) {
  use_fake_device({});
  std::string model = read_file(source_dir() / "tests/data/one_object.json");
  model.replace(model.find("\"thing\""), 7, "\"person\"");
  const TempDir dir;
  write_file(dir.path() / "model.json", model);
  const auto info = video_info(GST_VIDEO_FORMAT_BGR, 640, 480);
  const HarnessPtr h(gst_harness_new_parse(
      ("neuroninfer device=fake inference-interval=3 model=" + (dir.path() / "model.json").string() +
       " ! neuronoverlay draw-labels=false blur=face")
          .c_str()));
  set_caps(h.get(), info);
  int skipped = 0;
  for (int i = 0; i < 9; ++i) {
    auto in = noise_frame(info);
    // What the fake device reads: it finds somebody 40 pixels wide, from top to bottom.
    for (gsize y = 0; y < 80; ++y) gst_buffer_memset(in.get(), y * 640 * 3, 255, gsize{80 * 3});
    const auto out = through(h.get(), std::move(in));
    skipped += gst::get_result(out.get())->status == FrameStatus::kSkipped;
    EXPECT_LE(colours(bytes_of(out.get()), info, 40, 110), kBlurred) << "frame " << i;
    EXPECT_GE(colours(bytes_of(out.get()), info, 640, 360), kSharp);
  }
  EXPECT_EQ(skipped, 6);
}

TEST(NeuronOverlay, TheWholeFrameIsBlurredWhileNothingWasAnalysed) {
  auto h = overlay_harness("blur=face", kInfo);
  const auto skipped = [] { return noise_frame(kInfo, nobody(FrameStatus::kSkipped)); };
  const auto is_blurred = [&] {
    const Bytes out = bytes_of(through(h.get(), skipped()).get());
    return colours(out, kInfo, 160, 120) <= kBlurred && colours(out, kInfo, 480, 360) <= kBlurred;
  };
  EXPECT_TRUE(is_blurred());
  through(h.get(), noise_frame(kInfo, nobody()));
  EXPECT_FALSE(is_blurred());
  // A seek: who was seen elsewhere in the clip is of no use here.
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_flush_start()));
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_flush_stop(TRUE)));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_segment(&segment)));
  EXPECT_TRUE(is_blurred());
}

TEST(NeuronOverlay, WhoWasSeenInAnotherClipIsOfNoUseInTheNext) {
  auto h = overlay_harness("blur=face render-threshold=1", kInfo);
  through(h.get(), person_frame());
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_stream_start("next")));
  set_caps(h.get(), kInfo);
  const Bytes out = bytes_of(through(h.get(), noise_frame(kInfo, nobody(FrameStatus::kSkipped))).get());
  EXPECT_LE(colours(out, kInfo, 480, 360), kBlurred);
}

TEST(NeuronOverlay, WarnsOnceOfFramesThatNobodyAnalysedIfTheyShouldBeBlurred) {
  auto h = overlay_harness("blur=face", kInfo);
  const BusCounter bus(h->element);
  for (int i = 0; i < 3; ++i) {
    const Bytes out = bytes_of(through(h.get(), noise_frame(kInfo)).get());
    EXPECT_LE(colours(out, kInfo, 480, 360), kBlurred);
  }
  EXPECT_THAT(bus.of(GST_MESSAGE_WARNING, "neuronoverlay"),
              testing::ElementsAre(testing::HasSubstr("put neuroninfer before neuronoverlay")));
}

TEST(NeuronOverlay, PropertiesChangeFromOneFrameToTheNext) {
  auto h = overlay_harness("render-threshold=1", kInfo);
  GstElement* overlay = gst_harness_find_element(h.get(), "neuronoverlay");
  const BusCounter bus(h->element);
  const Bytes plain = bytes_of(person_frame().get());
  EXPECT_EQ(bytes_of(through(h.get(), person_frame()).get()), plain);
  gst_util_set_object_arg(G_OBJECT(overlay), "blur", "face");
  EXPECT_LE(colours(bytes_of(through(h.get(), person_frame()).get()), kInfo, 160, 120), kBlurred);
  g_object_set(overlay, "blur", 0, "render-threshold", 0.5, nullptr);
  const Bytes drawn = bytes_of(through(h.get(), person_frame()).get());
  EXPECT_NE(drawn, plain);
  EXPECT_GE(colours(drawn, kInfo, 160, 220), kSharp);
  EXPECT_THAT(bus.of(GST_MESSAGE_WARNING, "neuronoverlay"), testing::IsEmpty());
  gst_object_unref(overlay);
}

TEST(NeuronOverlay, DrawsAndBlursEveryFormatAtAnySizeAndAfterNewCaps) {
  auto h = overlay_harness("blur=person", kInfo);
  for (const GstVideoFormat format :
       {GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_BGR, GST_VIDEO_FORMAT_RGB, GST_VIDEO_FORMAT_BGRx,
        GST_VIDEO_FORMAT_RGBx, GST_VIDEO_FORMAT_BGRA, GST_VIDEO_FORMAT_RGBA}) {
    for (const Size size : {Size{321, 241}, Size{640, 480}, Size{1, 1}, Size{2, 3}}) {
      const auto info = video_info(format, size.width, size.height);
      set_caps(h.get(), info);
      auto in = noise_frame(info, somebody(0.95F, 0.02F));
      const Bytes before = bytes_of(in.get());
      const auto out = through(h.get(), std::move(in));
      ASSERT_TRUE(out);
      if (size.width > 2) {
        EXPECT_NE(bytes_of(out.get()), before) << gst_video_format_to_string(format);
      }
    }
  }
}

TEST(NeuronOverlay, DrawsLateFramesToo) {
  auto h = overlay_harness("", kInfo);
  GstElement* overlay = gst_harness_find_element(h.get(), "neuronoverlay");
  gboolean qos = TRUE;
  g_object_get(overlay, "qos", &qos, nullptr);
  EXPECT_FALSE(qos);
  gst_object_unref(overlay);
}

TEST(NeuronOverlay, AsksUpstreamForWhatDownstreamWants) {
  for (const bool supported : {false, true}) {
    HarnessPtr h(gst_harness_new_parse("neuronoverlay"));
    if (supported) gst_harness_add_propose_allocation_meta(h.get(), GST_VIDEO_META_API_TYPE, nullptr);
    set_caps(h.get(), kInfo);
    GstVideoInfo info = kInfo;
    GstCaps* caps = gst_video_info_to_caps(&info);
    GstQuery* query = gst_query_new_allocation(caps, FALSE);
    ASSERT_TRUE(gst_pad_peer_query(h->srcpad, query));
    EXPECT_EQ(gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr) != 0, supported);
    gst_query_unref(query);
    gst_caps_unref(caps);
  }
}

TEST(NeuronOverlay, EveryPropertySaysWhenItMayChangeAndWhatItDoes) {
  auto* overlay = GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("neuronoverlay", nullptr)));
  for (const char* name : {"render-threshold", "draw-labels", "blur", "hold-people"}) {
    const GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(overlay), name);
    ASSERT_NE(spec, nullptr) << name;
    EXPECT_TRUE(spec->flags & GST_PARAM_MUTABLE_PLAYING) << name;
    EXPECT_THAT(g_param_spec_get_blurb(const_cast<GParamSpec*>(spec)), testing::HasSubstr("May change at any time"));
  }
  gst_object_unref(overlay);
}

}  // namespace
}  // namespace posecam::test
