#include "pipeline/engine/person_follower.h"

#include <thread>

#include <gtest/gtest.h>

namespace posecam {
namespace {

constexpr Size kImage{200, 100};

struct Frames final : RowClient {
  void row_done(Ticket ticket, std::shared_ptr<FrameResult> result) override {
    last_ticket = ticket;
    last = std::move(result);
  }
  Ticket last_ticket = 0;
  std::shared_ptr<FrameResult> last;
};

std::shared_ptr<const ModelSpec> model_of_one() {
  auto model = std::make_shared<ModelSpec>();
  model->task = Task::kPose;
  model->skeleton = find_skeleton("coco-17");
  model->input.size = {64, 64};
  model->crop_factor = 1.25F;
  return model;
}

class Follow : public testing::Test {
 protected:
  std::optional<Region> next() {
    auto region = follower_.next(*model_, kImage, 1, {});
    EXPECT_TRUE(region);
    return *region;
  }
  /// Somebody with shoulders and hips at these places of what the network saw.
  void found(float shoulders, float hips) {
    auto result = std::make_shared<FrameResult>();
    result->model = model_;
    Pose pose;
    for (const std::size_t k : {5U, 6U}) pose.keypoints[k] = Keypoint{0.5F, shoulders, 0.9F};
    for (const std::size_t k : {11U, 12U}) pose.keypoints[k] = Keypoint{0.5F, hips, 0.9F};
    result->poses = {pose};
    follower_.start();
    follower_.row_done(7, std::move(result));
  }
  void found_nobody() {
    auto result = std::make_shared<FrameResult>();
    result->model = model_;
    follower_.start();
    follower_.row_done(7, std::move(result));
  }

  std::shared_ptr<const ModelSpec> model_ = model_of_one();
  std::shared_ptr<Frames> frames_ = std::make_shared<Frames>();
  PersonFollower follower_{frames_};
};

TEST_F(Follow, LooksAtTheWholePictureAtFirstAndThenAboutThePerson) {
  EXPECT_FALSE(next());
  found(0.4F, 0.6F);  // 20 pixels apart, hips at (100, 60)
  EXPECT_EQ(frames_->last_ticket, 7U);
  const auto region = next();
  ASSERT_TRUE(region);
  EXPECT_EQ(region->crop, (PixelRect{62, 22, 138, 98})) << "1.9 * 20 pixels on each side, whatever the crop factor";
}

TEST_F(Follow, PutsWhatIsFoundIntoTheWholePicture) {
  next();
  found(0.4F, 0.6F);
  next();
  found(0.25F, 0.5F);  // in the square of 76 pixels
  const Pose& pose = frames_->last->poses.at(0);
  EXPECT_NEAR(pose.keypoints[11]->x * 200, 100, 1e-3);
  EXPECT_NEAR(pose.keypoints[11]->y * 100, 60, 1e-3);
  EXPECT_NEAR(pose.keypoints[5]->y * 100, 41, 1e-3);
}

TEST_F(Follow, LooksAtTheWholePictureOnceThePersonIsLost) {
  next();
  found(0.4F, 0.6F);
  EXPECT_TRUE(next());
  found_nobody();
  EXPECT_FALSE(next());
  found(0.4F, 0.6F);
  EXPECT_TRUE(next());
}

TEST_F(Follow, ForgetsAlsoWhatIsStillUnderWay) {
  next();
  follower_.forget();
  found(0.4F, 0.6F);
  EXPECT_FALSE(next());
}

TEST_F(Follow, WaitsForTheFrameBefore) {
  next();
  follower_.start();
  std::optional<Region> second;
  std::jthread waiting([&] { second = next(); });
  found(0.4F, 0.6F);
  waiting.join();
  EXPECT_TRUE(second);
}

TEST_F(Follow, EndsItsWaitWhenStopped) {
  next();
  follower_.start();
  std::stop_source stop;
  stop.request_stop();
  const auto region = follower_.next(*model_, kImage, 1, stop.get_token());
  ASSERT_FALSE(region);
  EXPECT_EQ(region.error().code, Errc::kCancelled);
}

}  // namespace
}  // namespace posecam
