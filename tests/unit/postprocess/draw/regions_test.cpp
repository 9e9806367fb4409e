#include "postprocess/draw/regions.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace posecam {
namespace {

constexpr Size kImage{200, 100};

std::shared_ptr<const ModelSpec> model(Task task, std::string name) {
  auto spec = std::make_shared<ModelSpec>();
  spec->task = task;
  spec->name = std::move(name);
  return spec;
}

Pose pose_in(const Box& box, float score) {
  Pose pose;
  pose.keypoints[0] = Keypoint{box.x, box.y, score};
  pose.keypoints[1] = Keypoint{box.x + box.width, box.y + box.height, score};
  pose.score = score;
  return pose;
}

std::shared_ptr<const FrameResult> result_of(std::vector<Pose> poses) {
  auto result = std::make_shared<FrameResult>();
  result->poses = std::move(poses);
  result->model = model(Task::kPose, "pose");
  return result;
}

TEST(Region, IsAQuarterLargerThanItsBox) {
  const auto region = region_about({0.4F, 0.2F, 0.2F, 0.4F}, kImage);  // 80..120 x 20..60
  ASSERT_TRUE(region);
  EXPECT_EQ(region->crop.x0, 74);  // 75, made even
  EXPECT_EQ(region->crop.x1, 125);
  EXPECT_EQ(region->crop.y0, 14);
  EXPECT_EQ(region->crop.y1, 65);
}

TEST(Region, StaysInsideTheImage) {
  const auto region = region_about({-0.5F, 0.5F, 2, 2}, {201, 101});
  ASSERT_TRUE(region);
  EXPECT_EQ(region->crop.x0, 0);
  EXPECT_EQ(region->crop.x1, 201);
  EXPECT_EQ(region->crop.y1, 101);
}

TEST(Region, ThereIsNoneForABoxThatIsNoPartOfTheImage) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (const Box box : {Box{kNan, 0, 1, 1}, Box{0, 0, kInf, 1}, Box{2, 0, 1, 1}, Box{0.5F, 0.5F, 0, 0},
                        Box{0.5F, 0.5F, -1, -1}, Box{0, 3e38F, 3e38F, 3e38F}}) {
    EXPECT_FALSE(region_about(box, kImage)) << box.x << ' ' << box.y << ' ' << box.width << ' ' << box.height;
  }
}

ModelSpec one_person(Size input, float factor) {
  ModelSpec spec;
  spec.task = Task::kPose;
  spec.input.size = input;
  spec.crop_factor = factor;
  return spec;
}

TEST(RegionFor, HasTheAspectOfTheInputAndTheFactorOfTheModel) {
  const auto square =
      region_for(one_person({256, 256}, 1.5F), {0.4F, 0.3F, 0.1F, 0.4F}, kImage, 1);  // 20 x 40 at (90, 50)
  ASSERT_TRUE(square);
  EXPECT_EQ(square->crop, (PixelRect{60, 20, 120, 80})) << "60 x 60 about the box";
  ASSERT_TRUE(square->place);
  EXPECT_EQ(square->place->image, (Size{60, 60}));
  EXPECT_EQ(square->place->offset, Point{});
  EXPECT_EQ(square->place->content, (Point{256, 256}));

  const auto tall = region_for(one_person({192, 256}, 1), {0.4F, 0.3F, 0.2F, 0.4F}, kImage, 1);  // 40 x 40
  ASSERT_TRUE(tall);
  EXPECT_EQ(tall->crop.x1 - tall->crop.x0, 40);
  EXPECT_EQ(tall->crop.y1 - tall->crop.y0, 53) << "40 * 256 / 192";
}

TEST(RegionFor, SeesAPersonAsDisplayed) {
  const auto wide = region_for(one_person({256, 256}, 1), {0.4F, 0.3F, 0.1F, 0.4F}, kImage, 2);  // shown 40 x 40
  ASSERT_TRUE(wide);
  EXPECT_EQ(wide->crop, (PixelRect{80, 30, 100, 70}));
}

/// Where a point of the image lies in the input, and back.
void expect_there_and_back(const Region& region, Point in_image) {
  const Letterbox& place = *region.place;
  const auto& crop = region.crop;
  const Point in_crop{(in_image.x * 200 - static_cast<float>(crop.x0)) / static_cast<float>(crop.x1 - crop.x0),
                      (in_image.y * 100 - static_cast<float>(crop.y0)) / static_cast<float>(crop.y1 - crop.y0)};
  const Point back = place.to_image(place.to_input(in_crop));
  EXPECT_NEAR(back.x, in_crop.x, 1e-5);
  EXPECT_NEAR(back.y, in_crop.y, 1e-5);
}

TEST(RegionFor, FillsWithPaddingWhatIsBeyondTheImage) {
  const auto corner =
      region_for(one_person({100, 100}, 1), {-0.1F, -0.1F, 0.4F, 0.8F}, kImage, 1);  // -20..60 x -10..70
  ASSERT_TRUE(corner);
  EXPECT_EQ(corner->crop, (PixelRect{0, 0, 60, 70}));
  EXPECT_EQ(corner->place->offset, (Point{25, 13})) << "20 and 10 of 80 pixels";
  EXPECT_EQ(corner->place->content, (Point{75, 87}));
  expect_there_and_back(*corner, {0.2F, 0.3F});

  const auto all = region_for(one_person({100, 100}, 3), {0, 0, 1, 1}, kImage, 1);  // 600 x 600 of 200 x 100
  ASSERT_TRUE(all);
  EXPECT_EQ(all->crop, (PixelRect{0, 0, 200, 100}));
  EXPECT_EQ(all->place->content, (Point{34, 16}));
}

TEST(RegionFor, StaysWithinImageAndInputWhateverTheBox) {
  for (const Size image : {Size{1, 1}, Size{2, 3}, Size{200, 100}, Size{7, 4000}}) {
    for (const float x : {-1.0F, -0.01F, 0.0F, 0.37F, 0.999F, 1.0F, 5.0F}) {
      for (const float extent : {-1.0F, 0.0F, 1e-6F, 0.01F, 0.5F, 1.0F, 100.0F, 1e30F}) {
        for (const Size input : {Size{256, 256}, Size{192, 256}, Size{8, 4096}}) {
          const auto region = region_for(one_person(input, 1.25F), {x, 1 - x, extent, extent / 2}, image, 1.5F);
          if (!region) continue;
          const PixelRect& crop = region->crop;
          EXPECT_TRUE(0 <= crop.x0 && crop.x0 < crop.x1 && crop.x1 <= image.width);
          EXPECT_TRUE(0 <= crop.y0 && crop.y0 < crop.y1 && crop.y1 <= image.height);
          EXPECT_EQ(crop.x0 % 2, 0);
          EXPECT_EQ(crop.y0 % 2, 0);
          const Letterbox& place = *region->place;
          EXPECT_TRUE(place.offset.x >= 0 && place.content.x >= 1 &&
                      place.offset.x + place.content.x <= static_cast<float>(input.width));
          EXPECT_TRUE(place.offset.y >= 0 && place.content.y >= 1 &&
                      place.offset.y + place.content.y <= static_cast<float>(input.height));
        }
      }
    }
  }
}

TEST(RegionFor, ThereIsNoneForABoxFarOutside) {
  for (const Box box : {Box{1e7F, 0, 1e-3F, 1e-3F}, Box{0, -1e7F, 0.1F, 0.1F}, Box{-17, 0, 0.1F, 0.1F}}) {
    EXPECT_FALSE(region_for(one_person({256, 256}, 1.25F), box, kImage, 1));
  }
}

TEST(RegionFor, IsAQuarterLargerForModelsThatLookAtWholeFrames) {
  const Box box{0.4F, 0.2F, 0.2F, 0.4F};
  const auto region = region_for(ModelSpec(), box, kImage, 1);
  ASSERT_TRUE(region);
  EXPECT_EQ(region->crop, region_about(box, kImage)->crop);
  EXPECT_FALSE(region->place);
}

TEST(Crop, ShowsTheSamePixelsInEveryFormat) {
  std::vector<std::uint8_t> bytes(16 * 16 * 4);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i % 251);
  const PixelRect rect{4, 6, 9, 9};
  for (const PixelFormat format : {PixelFormat::kNv12, PixelFormat::kI420, PixelFormat::kBgr, PixelFormat::kRgbx}) {
    ImageView image{format, 16, 16, {bytes.data(), bytes.data() + 300, bytes.data() + 500}, {}, {}};
    const int row = 16 * pixel_bytes(format);
    image.strides = {row, format == PixelFormat::kI420 ? 8 : 16, 8};
    const ImageView part = crop(image, rect);
    EXPECT_EQ(part.width, 5);
    EXPECT_EQ(part.height, 3);
    EXPECT_EQ(part.row(0, 1), image.row(0, 7) + 4 * pixel_bytes(format));
    if (format == PixelFormat::kNv12) {
      EXPECT_EQ(part.row(1, 0), image.row(1, 3) + 4);
    } else if (format == PixelFormat::kI420) {
      EXPECT_EQ(part.row(2, 1), image.row(2, 4) + 2);
    }
  }
}

FrameResult whole_of(std::span<const Region> regions, std::span<const std::shared_ptr<const FrameResult>> results) {
  FrameResult whole;
  combine(regions, results, kImage, whole);
  return whole;
}

TEST(Combine, TakesOfEachRegionThePersonWhoFillsItsBox) {
  std::vector<Region> regions{*region_about({0.1F, 0.1F, 0.2F, 0.8F}, kImage),
                              *region_about({0.5F, 0.1F, 0.2F, 0.8F}, kImage)};
  regions[1].id = 7;
  const Box inner{0.1F, 0.1F, 0.8F, 0.8F};
  const Box corner{0, 0, 0.2F, 0.2F};
  const std::shared_ptr<const FrameResult> results[] = {result_of({pose_in(corner, 0.9F), pose_in(inner, 0.5F)}),
                                                        result_of({pose_in(inner, 0.8F)})};
  const FrameResult whole = whole_of(regions, results);
  ASSERT_EQ(whole.poses.size(), 2U);
  EXPECT_FLOAT_EQ(whole.poses[0].score, 0.8F) << "best first";
  EXPECT_EQ(whole.poses[0].id, 7);
  EXPECT_FLOAT_EQ(whole.poses[1].score, 0.5F) << "not the one of the corner, who belongs to somebody else's box";
  for (const Pose& pose : whole.poses) {
    const Region& region = regions[pose.id ? 1 : 0];
    EXPECT_GT(iou(pose.box(), region.box), 0.7F);
  }
}

TEST(Combine, TakesWhoeverAModelOfOnePersonFound) {
  Region region = *region_about({0.1F, 0.1F, 0.2F, 0.8F}, kImage);
  region.score = 0.5F;
  auto found = std::make_shared<FrameResult>();
  found->poses = {pose_in({0, 0, 0, 0}, 0.8F)};  // a single point: no extent that could fit the box
  auto poser = std::make_shared<ModelSpec>(one_person({64, 64}, 1));
  found->model = poser;
  const std::shared_ptr<const FrameResult> results[] = {found};
  const FrameResult whole = whole_of({&region, 1}, results);
  ASSERT_EQ(whole.poses.size(), 1U);
  EXPECT_FLOAT_EQ(whole.poses[0].score, 0.4F) << "of the region and of the person";
  EXPECT_FLOAT_EQ(whole.poses[0].box().height, 0.8F) << "the region's";
}

TEST(Combine, IsUnanalysedOnlyIfEveryRegionIs) {
  const std::vector<Region> regions(2, *region_about({0.1F, 0.1F, 0.5F, 0.5F}, kImage));
  auto failed = std::make_shared<FrameResult>();
  failed->status = FrameStatus::kUnanalysed;
  const std::shared_ptr<const FrameResult> half[] = {failed, result_of({})};
  EXPECT_EQ(whole_of(regions, half).status, FrameStatus::kAnalysed);
  EXPECT_EQ(whole_of(regions, half).left_out, 1U) << "who was there may not be lost in silence";
  const std::shared_ptr<const FrameResult> none[] = {failed, failed};
  EXPECT_EQ(whole_of(regions, none).status, FrameStatus::kUnanalysed);
}

TEST(Combine, CountsWhatPassesSideBySideOnce) {
  const std::vector<Region> regions(2, *region_about({0.1F, 0.1F, 0.5F, 0.5F}, kImage));
  auto a = std::make_shared<FrameResult>();
  auto b = std::make_shared<FrameResult>();
  a->times = {.preprocess = 1, .queue = 5, .infer = 10, .post = 2};
  b->times = {.preprocess = 2, .queue = 3, .infer = 12, .post = 1};
  const std::shared_ptr<const FrameResult> results[] = {a, b};
  const FrameTimes times = whole_of(regions, results).times;
  EXPECT_EQ(times.preprocess, 3);
  EXPECT_EQ(times.queue, 5);
  EXPECT_EQ(times.infer, 12);
  EXPECT_EQ(times.post, 3);
}

TEST(Merge, KeepsPeopleAndObjectsWhicheverNetworkWasFirst) {
  FrameResult people;
  people.model = model(Task::kPose, "pose");
  people.poses = {pose_in({0, 0, 1, 1}, 0.5F)};
  FrameResult objects;
  objects.model = model(Task::kDetection, "detector");
  objects.detections = {{{0, 0, 1, 1}, 0.5F, 0, {}}};
  for (const FrameResult& both : {merge(people, objects), merge(objects, people)}) {
    EXPECT_EQ(both.model->name, "pose");
    EXPECT_EQ(both.detector->name, "detector");
    EXPECT_EQ(both.poses.size(), 1U);
    EXPECT_EQ(both.detections.size(), 1U);
  }
}

TEST(Merge, KeepsWhatEveryKindOfNetworkFound) {
  FrameResult people;
  people.model = model(Task::kPose, "pose");
  people.poses = {pose_in({0, 0, 1, 1}, 0.5F)};
  FrameResult objects;
  objects.model = model(Task::kDetection, "detector");
  objects.detections = {{{0, 0, 1, 1}, 0.5F, 0, {}}};
  FrameResult classes;
  classes.model = model(Task::kClassification, "classifier");
  classes.classes = {{0.5F, 0}};
  for (const FrameResult& all : {merge(merge(people, objects), classes), merge(merge(classes, objects), people),
                                 merge(merge(objects, people), classes)}) {
    EXPECT_EQ(all.model->name, "pose");
    EXPECT_EQ(all.detector->name, "detector");
    EXPECT_EQ(all.classifier->name, "classifier");
    EXPECT_EQ(all.poses.size() + all.detections.size() + all.classes.size(), 3U);
  }
  const FrameResult both = merge(classes, objects);
  EXPECT_EQ(both.model->name, "detector");
  EXPECT_EQ(both.detector, nullptr);
  EXPECT_EQ(both.classifier->name, "classifier");
}

TEST(Merge, TheStatusIsThatOfWhoLookedForPeopleElseForObjects) {
  FrameResult people;
  people.model = model(Task::kPose, "pose");
  people.status = FrameStatus::kSkipped;
  FrameResult objects;
  objects.model = model(Task::kDetection, "detector");
  objects.status = FrameStatus::kUnanalysed;
  FrameResult classes;
  classes.model = model(Task::kClassification, "classifier");
  EXPECT_EQ(merge(people, classes).status, FrameStatus::kSkipped);
  EXPECT_EQ(merge(classes, people).status, FrameStatus::kSkipped);
  EXPECT_EQ(merge(people, objects).status, FrameStatus::kSkipped);
  EXPECT_EQ(merge(objects, people).status, FrameStatus::kSkipped);
  EXPECT_EQ(merge(objects, classes).status, FrameStatus::kUnanalysed);
  EXPECT_EQ(merge(classes, objects).status, FrameStatus::kUnanalysed);
  EXPECT_EQ(merge(merge(objects, classes), people).status, FrameStatus::kSkipped);
}

TEST(Merge, TheSecondOfTwoNetworksOfOneKindStandsOver) {
  FrameResult first;
  first.model = model(Task::kPose, "first");
  first.poses = {pose_in({0, 0, 1, 1}, 0.5F)};
  FrameResult second;
  second.model = model(Task::kPose, "second");
  const FrameResult both = merge(first, second);
  EXPECT_EQ(both.model->name, "second");
  EXPECT_TRUE(both.poses.empty());
}

}  // namespace
}  // namespace posecam
