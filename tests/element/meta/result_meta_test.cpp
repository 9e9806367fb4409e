// The meta by itself, its regions of interest, and what the functions for C say of it. Runs under memcheck too.

#include "elements/meta/result_meta.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/element/results.h"
#include "tests/support/alloc_counter.h"

namespace posecam::test {
namespace {

using testing::ElementsAre;

std::shared_ptr<const FrameResult> a_result() {
  FrameResult result;
  result.model = pose_model(coco18());
  result.poses = {person_in({0.25F, 0.5F, 0.25F, 0.25F})};
  return std::make_shared<const FrameResult>(result);
}

guint metas_on(GstBuffer* buffer) { return gst_buffer_get_n_meta(buffer, gst_neuron_result_meta_api_get_type()); }

TEST(ResultMeta, SaysWithTagsWhatItDependsOn) {
  const GType api = gst_neuron_result_meta_api_get_type();
  EXPECT_STREQ(g_type_name(api), "GstNeuronResultMetaAPI");
  EXPECT_TRUE(gst_meta_api_type_has_tag(api, g_quark_from_string(GST_META_TAG_VIDEO_STR)));
  EXPECT_TRUE(gst_meta_api_type_has_tag(api, g_quark_from_string(GST_META_TAG_VIDEO_SIZE_STR)));
  EXPECT_TRUE(gst_meta_api_type_has_tag(api, g_quark_from_string(GST_META_TAG_VIDEO_ORIENTATION_STR)));
  EXPECT_FALSE(gst_meta_api_type_has_tag(api, g_quark_from_string(GST_META_TAG_VIDEO_COLORSPACE_STR)));
}

TEST(ResultMeta, HoldsOneResultABuffer) {
  const auto buffer = new_buffer();
  gst::add_result(buffer.get(), a_result());
  const auto second = a_result();
  gst::add_result(buffer.get(), second);
  EXPECT_EQ(gst::get_result(buffer.get()), second);
  EXPECT_EQ(metas_on(buffer.get()), 1U);
}

TEST(ResultMeta, IsSharedByCopiesAndReplacedInOne) {
  const auto buffer = new_buffer();
  const auto first = a_result();
  gst::add_result(buffer.get(), first);
  const TestBuffer copy(gst_buffer_copy(buffer.get()));
  EXPECT_EQ(gst::get_result(copy.get()), first);
  gst::add_result(copy.get(), a_result());
  EXPECT_EQ(gst::get_result(buffer.get()), first);
  EXPECT_NE(gst::get_result(copy.get()), first);
}

TEST(ResultMeta, StaysOnACopyOfSomeBytesAsRegionsOfInterestDo) {
  const auto buffer = new_buffer(16);
  gst::add_result(buffer.get(), a_result());
  gst_buffer_add_video_region_of_interest_meta(buffer.get(), "face", 1, 2, 3, 4);
  const TestBuffer part(gst_buffer_copy_region(buffer.get(), GST_BUFFER_COPY_ALL, 4, 8));
  EXPECT_EQ(gst::get_result(part.get()), gst::get_result(buffer.get()));
  EXPECT_EQ(rois_of(part.get()), rois_of(buffer.get()));
}

TEST(ResultMeta, IsNotAddedToABufferThatHasOne) {
  const auto from = new_buffer();
  const auto to = new_buffer();
  const auto kept = a_result();
  gst::add_result(from.get(), a_result());
  gst::add_result(to.get(), kept);
  ASSERT_TRUE(gst_buffer_copy_into(to.get(), from.get(), GST_BUFFER_COPY_META, 0, static_cast<gsize>(-1)));
  EXPECT_EQ(gst::get_result(to.get()), kept);
  EXPECT_EQ(metas_on(to.get()), 1U);
}

/// What the meta makes of a transformation, on another buffer.
gboolean transformed(const char* type, gpointer data, GstBuffer* from, GstBuffer* to) {
  GstMeta* meta = gst_buffer_get_meta(from, gst_neuron_result_meta_api_get_type());
  return meta->info->transform_func(to, meta, from, g_quark_from_string(type), data);
}

TEST(ResultMeta, FollowsScaling) {
  GstVideoInfo in;
  GstVideoInfo out;
  gst_video_info_set_format(&in, GST_VIDEO_FORMAT_RGB, 640, 360);
  gst_video_info_set_format(&out, GST_VIDEO_FORMAT_RGB, 320, 180);
  GstVideoMetaTransform scale{&in, &out};
  const auto from = new_buffer();
  const auto to = new_buffer();
  gst::add_result(from.get(), a_result());
  EXPECT_TRUE(transformed("gst-video-scale", &scale, from.get(), to.get()));
  EXPECT_EQ(gst::get_result(to.get()), gst::get_result(from.get()));
}

TEST(ResultMeta, IsDroppedByTransformationsItDoesNotKnow) {
  const auto from = new_buffer();
  const auto to = new_buffer();
  gst::add_result(from.get(), a_result());
  EXPECT_FALSE(transformed("gst-video-rotate", nullptr, from.get(), to.get()));
  EXPECT_EQ(gst::get_result(to.get()), nullptr);
}

TEST(ResultMeta, IsNoResultWhenOnlyItsInfoWasUsed) {
  const auto buffer = new_buffer();
  gst::add_result(buffer.get(), a_result());  // registers it
  ASSERT_TRUE(
      gst_buffer_remove_meta(buffer.get(), gst_buffer_get_meta(buffer.get(), gst_neuron_result_meta_api_get_type())));
  ASSERT_NE(gst_buffer_add_meta(buffer.get(), gst_meta_get_info("GstNeuronResultMeta"), nullptr), nullptr);
  EXPECT_EQ(gst::get_result(buffer.get()), nullptr);
  EXPECT_EQ(gst_buffer_get_neuron_result_meta(buffer.get()), nullptr);
}

TEST(ResultMeta, LetsGoOfItsResultWithTheLastBuffer) {
  auto buffer = new_buffer();
  gst::add_result(buffer.get(), a_result());
  TestBuffer copy(gst_buffer_copy(buffer.get()));
  const std::weak_ptr<const FrameResult> watched = gst::get_result(buffer.get());
  buffer.reset();
  EXPECT_FALSE(watched.expired());
  copy.reset();
  EXPECT_TRUE(watched.expired());
}

// --- regions of interest ------------------------------------------------------------------------------------------

FrameResult detections(std::vector<Detection> found, std::vector<std::string> labels) {
  FrameResult result;
  result.model = detector_model(std::move(labels));
  result.detections = std::move(found);
  return result;
}

TEST(Regions, MarkPeopleAndObjectsByNameAndId) {
  FrameResult result = detections({{{0, 0, 0.5F, 0.5F}, 0.9F, 0, {}}, {{0.5F, 0.5F, 0.5F, 0.5F}, 0.8F, 7, 3}}, {"dog"});
  result.poses = {person_in({0.5F, 0.1F, 0.25F, 0.25F})};
  const auto buffer = new_buffer();
  gst::add_regions(buffer.get(), result, 640, 360);
  EXPECT_THAT(rois_of(buffer.get()),
              ElementsAre(Roi{"dog", -1, 0, 0, 0, 320, 180}, Roi{"object", 3, 0, 320, 180, 320, 180},
                          Roi{"person", -3, 0, 320, 36, 160, 90}));
}

TEST(Regions, AreInThePicture) {
  const auto buffer = new_buffer();
  gst::add_regions(buffer.get(), detections({{{-0.5F, 0.9F, 2, 2}, 0.9F, 0, {}}}, {"dog"}), 100, 100);
  EXPECT_THAT(rois_of(buffer.get()), ElementsAre(Roi{"dog", -1, 0, 0, 90, 100, 10}));
}

TEST(Regions, OfTheResultBeforeAreReplacedAndOthersLeft) {
  const auto buffer = new_buffer();
  gst_buffer_add_video_region_of_interest_meta(buffer.get(), "dog", 1, 2, 3, 4);
  FrameResult first = detections({{{0, 0, 0.5F, 0.5F}, 0.9F, 0, {}}}, {"dog"});
  first.poses = {person_in({0.6F, 0.6F, 0.1F, 0.1F})};
  gst::add_regions(buffer.get(), first, 100, 100);
  gst::add_result(buffer.get(), std::make_shared<const FrameResult>(first));
  ASSERT_EQ(rois_of(buffer.get()).size(), 3U);
  gst::add_regions(buffer.get(), detections({{{0, 0, 1, 1}, 0.9F, 0, {}}}, {"cat"}), 100, 100);
  EXPECT_THAT(rois_of(buffer.get()), ElementsAre(Roi{"dog", 0, 0, 1, 2, 3, 4}, Roi{"cat", -1, 0, 0, 0, 100, 100}));
}

TEST(Regions, AreReplacedWhenTheyWereScaledOnTheWay) {
  const auto result =
      std::make_shared<const FrameResult>(detections({{{0.1F, 0.1F, 0.33F, 0.33F}, 0.9F, 0, {}}}, {"dog"}));
  const auto buffer = new_buffer();
  gst::add_result(buffer.get(), result);
  gst_buffer_add_video_region_of_interest_meta(buffer.get(), "dog", 7, 7, 21, 22)->id = -1;
  gst::add_regions(buffer.get(), *result, 64, 64);
  EXPECT_THAT(rois_of(buffer.get()), ElementsAre(Roi{"dog", -1, 0, 6, 6, 22, 22}));
}

TEST(Regions, MarkAPersonOnceThatBothNetworksSaw) {
  FrameResult result = detections(
      {{{0, 0, 0.5F, 1}, 0.9F, 0, {}}, {{0.5F, 0, 0.5F, 1}, 0.8F, 0, {}}, {{0.4F, 0.1F, 0.2F, 0.2F}, 0.7F, 0, {}}},
      {"person"});
  result.detector = std::exchange(result.model, pose_model(coco18()));
  result.poses = {person_in({0.1F, 0.1F, 0.3F, 0.8F}), person_in({0.2F, 0.3F, 0.05F, 0.05F}),
                  person_in({0.9F, 0.1F, 0.3F, 0.8F})};
  const auto buffer = new_buffer();
  gst::add_regions(buffer.get(), result, 100, 100);
  // The first is the first object's person. The second lies in it too, but is somebody else; the third is mostly
  // outside.
  EXPECT_THAT(rois_of(buffer.get()),
              ElementsAre(Roi{"person", -1, 0, 0, 0, 50, 100}, Roi{"person", -2, 0, 50, 0, 50, 100},
                          Roi{"person", -3, 0, 40, 10, 20, 20}, Roi{"person", -5, 0, 20, 30, 5, 5},
                          Roi{"person", -6, 0, 90, 10, 10, 80}));
}

TEST(Regions, NameTheObjectInWhichAPersonIs) {
  FrameResult result = detections({{{0, 0, 1, 1}, 0.9F, 1, {}}, {{0, 0, 0.5F, 1}, 0.8F, 0, 12}}, {"rider", "room"});
  result.poses = {person_in({0.1F, 0.1F, 0.3F, 0.8F})};
  const auto buffer = new_buffer();
  gst::add_regions(buffer.get(), result, 100, 100);
  EXPECT_THAT(rois_of(buffer.get()), ElementsAre(Roi{"room", -1, 0, 0, 0, 100, 100}, Roi{"rider", 12, 0, 0, 0, 50, 100},
                                                 Roi{"person", -3, 12, 10, 10, 30, 80}));
}

TEST(Regions, LeaveThePersonWhoseIdentityIsMarked) {
  const auto buffer = new_buffer();
  gst_buffer_add_video_region_of_interest_meta(buffer.get(), "person", 1, 2, 30, 40)->id = 5;
  FrameResult result = detections({}, {});
  result.poses = {person_in({0.1F, 0.1F, 0.3F, 0.8F})};
  result.poses[0].id = 5;
  gst::add_regions(buffer.get(), result, 100, 100);
  EXPECT_THAT(rois_of(buffer.get()), ElementsAre(Roi{"person", 5, 0, 1, 2, 30, 40}));
}

// --- what C sees --------------------------------------------------------------------------------------------------

GstNeuronResultMeta* meta_with(GstBuffer* buffer, FrameResult result) {
  gst::add_result(buffer, std::make_shared<const FrameResult>(std::move(result)));
  return gst_buffer_get_neuron_result_meta(buffer);
}

void expect_box(const Box& box, gboolean given, const std::array<float, 4>& seen) {
  EXPECT_TRUE(given);
  EXPECT_THAT(seen, ElementsAre(box.x, box.y, box.width, box.height));
}

TEST(NeuronMeta, GivesEveryKeypointOfThePeople) {
  FrameResult result;
  result.model = pose_model(body25());
  result.poses = {person_in({0.25F, 0.5F, 0.25F, 0.25F}, 0.75F), person_in({0, 0, 1, 1}, 0.5F)};
  result.poses[1].id = 42;
  const auto buffer = new_buffer();
  auto* meta = meta_with(buffer.get(), result);
  ASSERT_EQ(gst_neuron_result_meta_get_n_people(meta), 2U);
  for (guint p = 0; p < 2; ++p) {
    const Pose& pose = result.poses[p];
    EXPECT_EQ(gst_neuron_result_meta_get_person_score(meta, p), pose.score);
    std::array<float, 4> b{};
    expect_box(pose.box(), gst_neuron_result_meta_get_person_box(meta, p, &b[0], &b[1], &b[2], &b[3]), b);
    for (guint k = 0; k < gst_neuron_result_meta_get_n_keypoints(meta); ++k) {
      Keypoint seen;
      const bool found = gst_neuron_result_meta_get_keypoint(meta, p, k, &seen.x, &seen.y, &seen.score) != 0;
      ASSERT_EQ(found, pose.keypoints[k].has_value());
      if (!found) continue;
      EXPECT_EQ(seen.x, pose.keypoints[k]->x);
      EXPECT_EQ(seen.y, pose.keypoints[k]->y);
      EXPECT_EQ(seen.score, pose.keypoints[k]->score);
    }
  }
  gint64 id = 0;
  EXPECT_FALSE(gst_neuron_result_meta_get_person_id(meta, 0, &id));
  EXPECT_TRUE(gst_neuron_result_meta_get_person_id(meta, 1, &id));
  EXPECT_EQ(id, 42);
}

TEST(NeuronMeta, DescribesEverySkeleton) {
  const auto buffer = new_buffer();
  for (const Skeleton* skeleton : {&coco18(), &body25(), &coco17()}) {
    FrameResult result;
    result.model = pose_model(*skeleton);
    auto* meta = meta_with(buffer.get(), result);
    EXPECT_EQ(gst_neuron_result_meta_get_keypoint_format(meta), skeleton->tag);
    ASSERT_EQ(gst_neuron_result_meta_get_n_keypoints(meta), skeleton->parts.size());
    for (guint k = 0; k < skeleton->parts.size(); ++k) {
      EXPECT_EQ(gst_neuron_result_meta_get_keypoint_name(meta, k), skeleton->parts[k]);
    }
    guint from = 0;
    guint to = 0;
    guint limb = 0;
    for (const Limb& drawn : skeleton->limbs) {
      if (!drawn.drawn) continue;
      ASSERT_TRUE(gst_neuron_result_meta_get_limb(meta, limb++, &from, &to));
      EXPECT_EQ(from, drawn.from);
      EXPECT_EQ(to, drawn.to);
    }
    EXPECT_EQ(gst_neuron_result_meta_get_n_limbs(meta), limb);
    EXPECT_FALSE(gst_neuron_result_meta_get_limb(meta, limb, &from, &to));
  }
}

TEST(NeuronMeta, GivesTheObjectsByTheNamesOfTheirDetector) {
  FrameResult result =
      detections({{{0.1F, 0.2F, 0.3F, 0.4F}, 0.9F, 1, 8}, {{0, 0, 1, 1}, 0.5F, 9, {}}}, {"cat", "dog"});
  result.detector = std::exchange(result.model, pose_model(coco18()));
  const auto buffer = new_buffer();
  auto* meta = meta_with(buffer.get(), result);
  EXPECT_STREQ(gst_neuron_result_meta_get_model_name(meta), "poser");
  EXPECT_STREQ(gst_neuron_result_meta_get_detector_name(meta), "detector");
  ASSERT_EQ(gst_neuron_result_meta_get_n_objects(meta), 2U);
  EXPECT_STREQ(gst_neuron_result_meta_get_object_label(meta, 0), "dog");
  EXPECT_EQ(gst_neuron_result_meta_get_object_label(meta, 1), nullptr);
  EXPECT_EQ(gst_neuron_result_meta_get_object_score(meta, 0), 0.9F);
  std::array<float, 4> b{};
  expect_box(result.detections[0].box, gst_neuron_result_meta_get_object_box(meta, 0, &b[0], &b[1], &b[2], &b[3]), b);
  gint64 id = 0;
  EXPECT_TRUE(gst_neuron_result_meta_get_object_id(meta, 0, &id));
  EXPECT_EQ(id, 8);
  EXPECT_FALSE(gst_neuron_result_meta_get_object_id(meta, 1, &id));
}

TEST(NeuronMeta, GivesWhatTheWholePictureShows) {
  FrameResult result;
  auto model = *detector_model({"cat", "dog"});
  model.task = Task::kClassification;
  model.name = "classifier";
  result.model = pose_model(coco18());
  result.classifier = std::make_shared<const ModelSpec>(model);
  result.classes = {{0.75F, 1}, {0.25F, 9}};
  const auto buffer = new_buffer();
  auto* meta = meta_with(buffer.get(), result);
  EXPECT_STREQ(gst_neuron_result_meta_get_classifier_name(meta), "classifier");
  ASSERT_EQ(gst_neuron_result_meta_get_n_classes(meta), 2U);
  EXPECT_STREQ(gst_neuron_result_meta_get_class_label(meta, 0), "dog");
  EXPECT_EQ(gst_neuron_result_meta_get_class_label(meta, 1), nullptr);
  EXPECT_EQ(gst_neuron_result_meta_get_class_score(meta, 0), 0.75F);
  meta = meta_with(buffer.get(), *a_result());
  EXPECT_EQ(gst_neuron_result_meta_get_classifier_name(meta), nullptr);
  EXPECT_EQ(gst_neuron_result_meta_get_n_classes(meta), 0U);
}

TEST(NeuronMeta, NamesTheOneNetworkThatRan) {
  const auto buffer = new_buffer();
  auto* meta = meta_with(buffer.get(), detections({}, {}));
  EXPECT_STREQ(gst_neuron_result_meta_get_model_name(meta), "detector");
  EXPECT_STREQ(gst_neuron_result_meta_get_detector_name(meta), "detector");
  EXPECT_EQ(gst_neuron_result_meta_get_keypoint_format(meta), nullptr);
  EXPECT_EQ(gst_neuron_result_meta_get_n_keypoints(meta), 0U);
  meta = meta_with(buffer.get(), *a_result());
  EXPECT_EQ(gst_neuron_result_meta_get_detector_name(meta), nullptr);
}

TEST(NeuronMeta, TellsHowTheFrameFared) {
  const auto buffer = new_buffer();
  const std::pair<FrameStatus, GstNeuronStatus> all[] = {{FrameStatus::kAnalysed, GST_NEURON_STATUS_ANALYSED},
                                                         {FrameStatus::kSkipped, GST_NEURON_STATUS_SKIPPED},
                                                         {FrameStatus::kUnanalysed, GST_NEURON_STATUS_UNANALYSED}};
  for (const auto& [status, seen] : all) {
    EXPECT_EQ(gst_neuron_result_meta_get_status(meta_with(buffer.get(), FrameResult{.status = status})), seen);
  }
}

void expect_nothing(const GstNeuronResultMeta* meta, guint person, guint object) {
  EXPECT_EQ(gst_neuron_result_meta_get_person_score(meta, person), 0);
  EXPECT_FALSE(gst_neuron_result_meta_get_person_id(meta, person, nullptr));
  EXPECT_FALSE(gst_neuron_result_meta_get_person_box(meta, person, nullptr, nullptr, nullptr, nullptr));
  EXPECT_FALSE(gst_neuron_result_meta_get_keypoint(meta, person, 0, nullptr, nullptr, nullptr));
  EXPECT_EQ(gst_neuron_result_meta_get_object_label(meta, object), nullptr);
  EXPECT_EQ(gst_neuron_result_meta_get_object_score(meta, object), 0);
  EXPECT_EQ(gst_neuron_result_meta_get_class_label(meta, object), nullptr);
  EXPECT_EQ(gst_neuron_result_meta_get_class_score(meta, object), 0);
  EXPECT_FALSE(gst_neuron_result_meta_get_object_id(meta, object, nullptr));
  EXPECT_FALSE(gst_neuron_result_meta_get_object_box(meta, object, nullptr, nullptr, nullptr, nullptr));
}

TEST(NeuronMeta, AnswersForNobodyBeyondTheLast) {
  FrameResult result = detections({{{0, 0, 1, 1}, 0.5F, 0, 1}}, {"dog"});
  result.model = pose_model(coco17());
  result.poses = {person_in({0, 0, 1, 1})};
  const auto buffer = new_buffer();
  auto* meta = meta_with(buffer.get(), result);
  expect_nothing(meta, 1, 1);
  expect_nothing(meta, G_MAXUINT, G_MAXUINT);
  EXPECT_FALSE(gst_neuron_result_meta_get_keypoint(meta, 0, 17, nullptr, nullptr, nullptr));
  EXPECT_FALSE(gst_neuron_result_meta_get_keypoint(meta, 0, G_MAXUINT, nullptr, nullptr, nullptr));
  EXPECT_EQ(gst_neuron_result_meta_get_keypoint_name(meta, 17), nullptr);
  EXPECT_FALSE(gst_neuron_result_meta_get_limb(meta, G_MAXUINT, nullptr, nullptr));
  EXPECT_TRUE(gst_neuron_result_meta_get_keypoint(meta, 0, 0, nullptr, nullptr, nullptr));
}

TEST(NeuronMeta, TakesNoMetaForAFrameThatNobodyAnalysed) {
  const auto buffer = new_buffer();
  const GstNeuronResultMeta* none = gst_buffer_get_neuron_result_meta(buffer.get());
  ASSERT_EQ(none, nullptr);
  EXPECT_EQ(gst_neuron_result_meta_get_status(none), GST_NEURON_STATUS_UNANALYSED);
  EXPECT_EQ(gst_neuron_result_meta_get_model_name(none), nullptr);
  EXPECT_EQ(gst_neuron_result_meta_get_detector_name(none), nullptr);
  EXPECT_EQ(gst_neuron_result_meta_get_keypoint_format(none), nullptr);
  EXPECT_EQ(gst_neuron_result_meta_get_keypoint_name(none, 0), nullptr);
  EXPECT_EQ(gst_neuron_result_meta_get_n_keypoints(none), 0U);
  EXPECT_EQ(gst_neuron_result_meta_get_n_limbs(none), 0U);
  EXPECT_EQ(gst_neuron_result_meta_get_n_people(none), 0U);
  EXPECT_EQ(gst_neuron_result_meta_get_n_objects(none), 0U);
  expect_nothing(none, 0, 0);
}

TEST(NeuronMeta, IsReadWithoutAllocating) {
  FrameResult result = detections({{{0, 0, 1, 1}, 0.5F, 0, 1}}, {"a label too long for the string's own buffer"});
  result.detector = std::exchange(result.model, pose_model(coco18()));
  result.poses = {person_in({0, 0, 1, 1})};
  const auto buffer = new_buffer();
  auto* meta = meta_with(buffer.get(), result);
  const std::size_t before = allocation_count();
  std::size_t letters = std::strlen(gst_neuron_result_meta_get_object_label(meta, 0)) +
                        std::strlen(gst_neuron_result_meta_get_model_name(meta)) +
                        std::strlen(gst_neuron_result_meta_get_detector_name(meta));
  for (guint k = 0; k < gst_neuron_result_meta_get_n_keypoints(meta); ++k) {
    letters += std::strlen(gst_neuron_result_meta_get_keypoint_name(meta, k));
    gst_neuron_result_meta_get_keypoint(meta, 0, k, nullptr, nullptr, nullptr);
  }
  EXPECT_EQ(allocation_count(), before);
  EXPECT_GT(letters, 100U);
}

}  // namespace
}  // namespace posecam::test
