#include "pipeline/engine/person_follower.h"

#include <utility>

#include "postprocess/draw/follow.h"

namespace posecam {

Result<std::optional<Region>> PersonFollower::next(const ModelSpec& model, Size image, float pixel_aspect,
                                                   std::stop_token stop) {
  std::unique_lock lock(mutex_);
  if (!done_.wait(lock, std::move(stop), [this] { return !under_way_; })) {
    return Error{Errc::kCancelled, "stopped while the frame before was analysed"};
  }
  region_ = person_ ? region_for(model, *person_, image, pixel_aspect) : std::nullopt;
  image_ = image;
  pixel_aspect_ = pixel_aspect;
  begun_ = forgotten_;
  return region_;
}

void PersonFollower::start() {
  std::lock_guard lock(mutex_);
  under_way_ = true;
}

void PersonFollower::forget() {
  std::lock_guard lock(mutex_);
  person_.reset();
  ++forgotten_;
}

// A frame that could not be analysed says nothing of where the person is: it is the whole picture's turn.
void PersonFollower::row_done(Ticket ticket, std::shared_ptr<FrameResult> result) {
  std::optional<Box> person;
  if (region_) {
    for (Pose& pose : result->poses) pose = in_image(pose, region_->crop, image_);
  }
  if (!result->poses.empty() && result->model->skeleton) {
    person = square_about(result->poses.front(), *result->model->skeleton, image_, pixel_aspect_);
    const float factor = result->model->crop_factor.value_or(1);
    if (person) *person = scaled(*person, 1 / factor);
  }
  {
    std::lock_guard lock(mutex_);
    if (begun_ == forgotten_) person_ = person;
    under_way_ = false;
  }
  done_.notify_one();
  frame_->row_done(ticket, std::move(result));
}

}  // namespace posecam
