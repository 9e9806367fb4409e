#include "elements/overlay/overlay_element.h"

#include <cmath>

#include "elements/base/handles.h"
#include "elements/meta/result_meta.h"
#include "postprocess/draw/people_regions.h"
#include "postprocess/draw/pixelate.h"

namespace posecam::gst {
namespace {

/// A network that says what the whole picture shows knows nothing of who is in it.
bool finds_people(const FrameResult& result) { return !result.model || result.model->task != Task::kClassification; }

/// The pixels that are displayed there; sizes differ in width only.
PixelRect to_stored(const PixelRect& rect, Size stored, Size displayed) {
  const double scale = static_cast<double>(stored.width) / displayed.width;
  return {static_cast<int>(std::floor(rect.x0 * scale)), rect.y0, static_cast<int>(std::ceil(rect.x1 * scale)),
          rect.y1};
}

}  // namespace

void OverlayElement::start() {
  forget();
  warned_ = false;
}

void OverlayElement::forget() {
  seen_.reset();
  held_.reset();
}

void OverlayElement::use(const GstVideoInfo& info) {
  const bool known = info_.finfo != nullptr;
  if (!known || gst_video_info_is_equal(&info, &info_) == FALSE) held_.reset();
  info_ = info;
}

bool OverlayElement::plan(GstBuffer* buffer, const OverlaySettings& settings) {
  result_ = get_result(buffer);
  // Kept whether or not anything is blurred now: the property may change before the next frame is analysed.
  if (result_ && result_->status == FrameStatus::kAnalysed && finds_people(*result_)) seen_ = result_;
  options_.min_score = settings.render_threshold;
  options_.labels = settings.draw_labels;
  draws_ = result_ && draws_anything(*result_, options_);
  plan_held(buffer, settings.hold_people);
  plan_blur(settings.blur);
  changes_ = draws_ || draws_held_ || !blurred_.empty();
  return changes_;
}

/// What another network has found on a frame that was not analysed is of this frame, and drawn instead.
void OverlayElement::plan_held(GstBuffer* buffer, bool hold) {
  const GstClockTime now = GST_BUFFER_PTS(buffer);
  draws_held_ = false;
  if (result_ && result_->status == FrameStatus::kAnalysed) {
    held_ = result_;
    held_since_ = now;
    return;
  }
  if (!held_) return;
  const bool timed = GST_CLOCK_TIME_IS_VALID(now) && GST_CLOCK_TIME_IS_VALID(held_since_);
  const bool old = !timed || now < held_since_ || now - held_since_ > kHoldTime;
  if (old || GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DISCONT)) return held_.reset();
  held_options_ = options_;
  held_options_.boxes = !result_ || result_->detections.empty();
  held_options_.classes = !result_ || result_->classes.empty();
  const bool has_people = result_ && !result_->poses.empty();
  draws_held_ = hold && !has_people && draws_anything(*held_, held_options_);
}

/// Heads are round in the picture as it is displayed: so they are looked for there.
void OverlayElement::plan_blur(const std::string& blur) {
  blurred_.clear();
  if (blur == "none") return;
  if (!(result_ && finds_people(*result_)) && !warned_) {
    warned_ = true;
    GST_ELEMENT_WARNING(
        self_, STREAM, FAILED,
        ("blur=%s: a frame has no result about people, so it is blurred where people were last seen, or all over: "
         "put neuroninfer before neuronoverlay, and nothing between them that drops metadata "
         "(videocrop, videoflip, compositor)",
         blur.c_str()),
        (nullptr));
  }
  const PeoplePart part = blur == "face" ? PeoplePart::kFace : PeoplePart::kWhole;
  const Size stored{GST_VIDEO_INFO_WIDTH(&info_), GST_VIDEO_INFO_HEIGHT(&info_)};
  if (!seen_) {
    blurred_.push_back({0, 0, stored.width, stored.height});
    return;
  }
  const Size displayed = display_size(stored, pixel_aspect(info_));
  find_people(*seen_, part, displayed, blurred_);
  // A frame that the pose network skipped may carry what a detector before it has just found.
  if (result_ && result_ != seen_) find_people(*result_, part, displayed, blurred_);
  for (PixelRect& rect : blurred_) rect = to_stored(rect, stored, displayed);
}

Result<void> OverlayElement::apply(const MutableImageView& image) const {
  for (const PixelRect& part : blurred_) pixelate(image, part);
  Result<void> done;
  if (draws_held_) done = draw(*held_, held_options_, image);
  if (done && draws_) done = draw(*result_, options_, image);
  return done;
}

}  // namespace posecam::gst
