// Two networks in a row, and regions of interest.

#include <gmock/gmock.h>
#include <gst/video/gstvideometa.h>
#include <nlohmann/json.hpp>

#include "elements/meta/result_meta.h"
#include "tests/element/harness.h"
#include "tests/element/results.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"

namespace posecam::test {
namespace {

const GstVideoInfo kVideo = video_info(GST_VIDEO_FORMAT_BGR, 64, 64);

/// A frame whose left half says 10 and whose right half says 200.
gst::BufferPtr two_halves() {
  gst::BufferPtr buffer = frame_of(kVideo, 0, 10);
  gst::MappedFrame frame(kVideo, buffer.get(), GST_MAP_WRITE);
  const auto view = frame.view();
  for (int y = 0; y < view.height; ++y) std::fill_n(view.row(0, y) + 32 * 3, 32 * 3, 200);
  return buffer;
}

std::vector<int> widths(const FrameResult& result, double crop_width) {
  std::vector<int> values;
  for (const Detection& d : result.detections) {
    values.push_back(static_cast<int>(std::lround(static_cast<double>(d.box.width) * kFakeRange * 64 / crop_width)));
  }
  return values;
}

TEST(NeuronInferRegions, EachRegionOfTheClassIsAPictureOfItsOwn) {
  use_fake_device({.cores = 2});
  auto h = harness(fake_line("inference-region=roi-list batch-size=2 max-batch-delay=1"));
  set_caps(h.get(), kVideo);
  gst::BufferPtr in = two_halves();
  gst_buffer_add_video_region_of_interest_meta(in.get(), "person", 4, 8, 16, 16);
  gst_buffer_add_video_region_of_interest_meta(in.get(), "car", 0, 0, 64, 64);
  gst_buffer_add_video_region_of_interest_meta(in.get(), "person", 40, 8, 16, 16);
  ASSERT_EQ(gst_harness_push(h.get(), in.release()), GST_FLOW_OK);
  gst::BufferPtr out(gst_harness_pull(h.get()));
  const auto result = gst::get_result(out.get());
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status, FrameStatus::kAnalysed);
  // 16 pixels a quarter larger: 20, of which the fake device finds an object as wide as the pixel says.
  EXPECT_THAT(widths(*result, 20), testing::UnorderedElementsAre(10, 200));
  for (const Detection& d : result->detections) {
    EXPECT_NEAR(static_cast<double>(d.box.x) * 64, d.box.width > 0.003F ? 38 : 2, 0.01) << "left edge of its crop";
  }
}

TEST(NeuronInferRegions, MoreRegionsThanRowsAreNoDeadlock) {
  use_fake_device({.cores = 1});
  auto h = harness(fake_line("inference-region=roi-list object-class=\"\" max-in-flight=1"));
  set_caps(h.get(), kVideo);
  gst::BufferPtr in = frame_of(kVideo, 0, 9);
  for (int i = 0; i < 50; ++i) gst_buffer_add_video_region_of_interest_meta(in.get(), "any", 8, 8, 32, 32);
  ASSERT_EQ(gst_harness_push(h.get(), in.release()), GST_FLOW_OK);
  gst::BufferPtr out(gst_harness_pull(h.get()));
  EXPECT_EQ(gst::get_result(out.get())->detections.size(), 50U);
}

/// A frame with people marked on it, left to right, whose confidence is given.
gst::BufferPtr with_people(std::initializer_list<double> confidences) {
  gst::BufferPtr buffer = two_halves();
  guint x = 0;
  for (const double confidence : confidences) {
    auto* roi = gst_buffer_add_video_region_of_interest_meta(buffer.get(), "person", x, 8, 16, 16);
    gst_video_region_of_interest_meta_add_param(
        roi, gst_structure_new("detection", "confidence", G_TYPE_DOUBLE, confidence, nullptr));
    x += 16;
  }
  return buffer;
}

TEST(NeuronInferRegions, LooksAtTheSurestPeopleAndCountsTheOthers) {
  use_fake_device({.cores = 1});
  auto h = harness(fake_line("inference-region=roi-list max-people=2"));
  set_caps(h.get(), kVideo);
  ASSERT_EQ(gst_harness_push(h.get(), with_people({0.3, 0.9, 0.2, 0.8}).release()), GST_FLOW_OK);
  gst::BufferPtr out(gst_harness_pull(h.get()));
  const auto result = gst::get_result(out.get());
  EXPECT_EQ(result->left_out, 2U);
  EXPECT_THAT(widths(*result, 20), testing::UnorderedElementsAre(10, 180)) << "the second and the fourth, at the edge";
  ASSERT_EQ(gst_harness_push(h.get(), with_people({0.3}).release()), GST_FLOW_OK);
  out.reset(gst_harness_pull(h.get()));
  EXPECT_EQ(gst::get_result(out.get())->left_out, 0U);
  g_autoptr(GstElement) infer = gst_harness_find_element(h.get(), "neuroninfer");
  GstStructure* stats = nullptr;
  g_object_get(infer, "stats", &stats, nullptr);
  guint64 left_out = 0;
  EXPECT_TRUE(gst_structure_get_uint64(stats, "people-left-out", &left_out));
  EXPECT_EQ(left_out, 2U);
  gst_structure_free(stats);
}

TEST(NeuronInferRegions, ADetectorThatLeavesFramesOutSaysAgainWhatItSaw) {
  use_fake_device({.cores = 1});
  auto h = harness(fake_line("inference-interval=3 repeat-objects=true"));
  set_caps(h.get(), kVideo);
  const auto value_of = [&](std::uint64_t frame, std::uint8_t gray, bool discont) {
    gst::BufferPtr in = frame_of(kVideo, frame, gray);
    if (discont) GST_BUFFER_FLAG_SET(in.get(), GST_BUFFER_FLAG_DISCONT);
    EXPECT_EQ(gst_harness_push(h.get(), in.release()), GST_FLOW_OK);
    gst::BufferPtr out(gst_harness_pull(h.get()));
    const auto result = gst::get_result(out.get());
    EXPECT_EQ(result->repeated, result->status == FrameStatus::kSkipped && !result->detections.empty());
    gpointer state = nullptr;
    const bool marked =
        gst_buffer_iterate_meta_filtered(out.get(), &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE) != nullptr;
    EXPECT_EQ(marked, !result->detections.empty());
    return result->detections.empty() ? 0 : fake_value(*result);
  };
  EXPECT_EQ(value_of(0, 40, false), 40);
  EXPECT_EQ(value_of(1, 50, false), 40);
  EXPECT_EQ(value_of(2, 60, false), 40);
  EXPECT_EQ(value_of(3, 70, false), 70);
  EXPECT_EQ(value_of(4, 80, true), 0) << "another place of the clip";
}

/// What a detector that left the frame out on purpose hands on.
gst::BufferPtr not_searched(bool repeated) {
  gst::BufferPtr buffer = two_halves();
  auto result = std::make_shared<FrameResult>();
  result->status = FrameStatus::kSkipped;
  result->repeated = repeated;
  result->model = detector_model({"person"});
  gst::add_result(buffer.get(), std::move(result));
  return buffer;
}

TEST(NeuronInferRegions, NobodyIsThereIfNobodyWasThereWhenItWasSearched) {
  use_fake_device({.cores = 1});
  auto h = harness(fake_line("inference-region=roi-list"));
  set_caps(h.get(), kVideo);
  for (const bool repeated : {false, true}) {
    ASSERT_EQ(gst_harness_push(h.get(), not_searched(repeated).release()), GST_FLOW_OK);
    gst::BufferPtr out(gst_harness_pull(h.get()));
    EXPECT_EQ(gst::get_result(out.get())->status, repeated ? FrameStatus::kAnalysed : FrameStatus::kSkipped);
  }
}

TEST(NeuronInferRegions, ANetworkThatLooksAtWholeFramesDoesNotFollow) {
  use_fake_device({.cores = 1});
  auto h = launch("videotestsrc num-buffers=1 ! " + fake_line("inference-region=follow") + " ! fakesink");
  EXPECT_THAT(play(h.get()), testing::HasSubstr("does not look at one person"));
}

/// A network that sees one person: its one keypoint lies at (0.25, 0.5) of what it sees, and its score is the first
/// value of its input, in 255ths.
std::string one_person_line(const TempDir& dir) {
  auto model = nlohmann::json::parse(read_file(source_dir() / "tests/data/one_object.json"));
  model["name"] = "one-person";
  model["task"] = "pose";
  model["inputs"][0]["pad_value"] = 51;
  model["crop"] = {{"factor", 1}};
  model["skeleton"] = {{"name", "point"}, {"parts", {"middle"}}, {"limbs", nlohmann::json::array()}};
  model["decoder"] = {{"kind", "coordinates"},
                      {"points", {{"output", "detections"}, {"values", 3}, {"x", 0}, {"y", 1}, {"unit", "input"}}},
                      {"score", {{"value", 2}}}};
  model.erase("labels");
  write_file(dir.path() / "model.json", model.dump());
  return "neuroninfer device=fake model=" + (dir.path() / "model.json").string();
}

FakeNetwork one_keypoint() {
  return {[](const ModelSpec& spec) {
            return std::vector<Shape>{{spec.input.batch, 1, 3}};
          },
          [](TensorView input, std::span<const MutableTensorView> outputs) {
            const float values[] = {0.25F, 0.5F, input.as<float>()[0] / 255};
            std::ranges::copy(values, outputs[0].as<float>().begin());
          }};
}

TEST(NeuronInferRegions, ANetworkOfOnePersonSeesASquareAboutTheBoxAndPaddingBeyondTheEdge) {
  use_fake_device({.cores = 1, .network = one_keypoint()});
  const TempDir dir;
  auto h = harness(one_person_line(dir) + " inference-region=roi-list");
  for (const int aspect : {1, 2}) {
    GstVideoInfo video = kVideo;
    GST_VIDEO_INFO_PAR_N(&video) = aspect;
    set_caps(h.get(), video);
    gst::BufferPtr in = two_halves();
    auto* inside = gst_buffer_add_video_region_of_interest_meta(in.get(), "person", 40, 16, 8, 16);
    gst_video_region_of_interest_meta_add_param(
        inside, gst_structure_new("detection", "confidence", G_TYPE_DOUBLE, 0.5, nullptr));
    gst_buffer_add_video_region_of_interest_meta(in.get(), "person", 0, 0, 4, 16);
    ASSERT_EQ(gst_harness_push(h.get(), in.release()), GST_FLOW_OK);
    gst::BufferPtr out(gst_harness_pull(h.get()));
    const auto result = gst::get_result(out.get());
    ASSERT_EQ(result->poses.size(), 2U) << aspect;
    // 16 lines high and as wide as that is displayed: from 36 to 52, or from 40 to 48, in the half that says 200.
    const Pose& first = result->poses[0];
    EXPECT_NEAR(first.keypoints[0]->x * 64, aspect == 1 ? 40 : 42, 1e-3F);
    EXPECT_NEAR(first.keypoints[0]->y * 64, 24, 1e-3F);
    EXPECT_NEAR(first.score, 0.5F * 200 / 255, 1e-3F) << "the region's and the network's";
    EXPECT_NEAR(first.box().x * 64, 40, 1e-3F) << "the detector's box";
    EXPECT_NEAR(first.box().width * 64, 8, 1e-3F);
    // From -6 to 10, or from -2 to 6: what it sees first is padding.
    const Pose& second = result->poses[1];
    EXPECT_NEAR(second.keypoints[0]->x * 64, aspect == 1 ? -2 : 0, 1e-3F);
    EXPECT_NEAR(second.score, 51.0F / 255, 1e-3F);
  }
}

TEST(NeuronInferRegions, AFrameWithoutRegionsIsAnalysedAndEmpty) {
  use_fake_device({.cores = 1});
  auto h = harness(fake_line("inference-region=roi-list"));
  set_caps(h.get(), kVideo);
  push_frames(h.get(), kVideo, 1);
  gst::BufferPtr out(gst_harness_pull(h.get()));
  EXPECT_EQ(gst::get_result(out.get())->status, FrameStatus::kAnalysed);
  EXPECT_TRUE(gst::get_result(out.get())->detections.empty());
}

TEST(NeuronInferRegions, ANetworkForWholePicturesTakesNone) {
  use_fake_device({.cores = 1});
  auto model = nlohmann::json::parse(read_file(source_dir() / "tests/data/one_object.json"));
  model["task"] = "classification";
  model["decoder"] = {{"kind", "classes"}, {"scores", {{"output", "detections"}, {"first", 0}}}, {"values", "logits"}};
  model["labels"] = {"a", "b", "c", "d", "e", "f"};  // as many as the fake device gives values
  const TempDir dir;
  write_file(dir.path() / "model.json", model.dump());
  const std::string line = "neuroninfer device=fake model=" + (dir.path() / "model.json").string();
  auto regions = launch("videotestsrc num-buffers=1 ! " + line + " inference-region=roi-list ! fakesink");
  EXPECT_THAT(play(regions.get()), testing::HasSubstr("model one-object says what a whole picture shows"));
  auto h = harness(line);
  set_caps(h.get(), kVideo);
  push_frames(h.get(), kVideo, 1);
  gst::BufferPtr out(gst_harness_pull(h.get()));
  EXPECT_EQ(gst::get_result(out.get())->classes.size(), 5U);
}

TEST(NeuronInferRegions, RegionsOutsideTheFrameAreLeftOut) {
  use_fake_device({.cores = 1});
  auto h = harness(fake_line("inference-region=roi-list object-class=\"\""));
  set_caps(h.get(), kVideo);
  gst::BufferPtr in = frame_of(kVideo, 0, 9);
  gst_buffer_add_video_region_of_interest_meta(in.get(), "any", 4000, 10, 20, 20);
  gst_buffer_add_video_region_of_interest_meta(in.get(), "any", 10, 10, 0, 0);
  gst_buffer_add_video_region_of_interest_meta(in.get(), "any", 50, 50, G_MAXUINT, G_MAXUINT);
  ASSERT_EQ(gst_harness_push(h.get(), in.release()), GST_FLOW_OK);
  gst::BufferPtr out(gst_harness_pull(h.get()));
  EXPECT_EQ(gst::get_result(out.get())->detections.size(), 1U) << "the last one, as far as it is in the frame";
}

TEST(NeuronInferRegions, APoseNetworkKeepsWhatTheDetectorBeforeItFound) {
  use_fake_device({.cores = 1});
  auto h = harness(fake_line() + " ! neuroninfer device=opencv model=" + tiny_model());
  set_caps(h.get(), kVideo);
  push_frames(h.get(), kVideo, 1, 0, 33);
  gst::BufferPtr out(gst_harness_pull(h.get()));
  const auto result = gst::get_result(out.get());
  ASSERT_TRUE(result);
  EXPECT_EQ(result->model->name, "tiny-pose");
  ASSERT_EQ(result->detections.size(), 1U);
  EXPECT_EQ(result->label_of(result->detections.front()), "thing");
  EXPECT_EQ(fake_value(*result), 33);
}

TEST(NeuronInferRegions, ADetectorKeepsThePeopleFoundBeforeIt) {
  use_fake_device({.cores = 1});
  auto h = harness("neuroninfer device=opencv model=" + tiny_model() + " ! " + fake_line());
  set_caps(h.get(), kVideo);
  push_frames(h.get(), kVideo, 1, 0, 33);
  gst::BufferPtr out(gst_harness_pull(h.get()));
  const auto result = gst::get_result(out.get());
  EXPECT_EQ(result->model->name, "tiny-pose");
  EXPECT_EQ(result->label_of(result->detections.front()), "thing");
}

}  // namespace
}  // namespace posecam::test
