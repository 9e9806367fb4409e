#include "elements/overlay/overlay_element.h"

#include "elements/meta/result_meta.h"
#include "postprocess/draw/people_regions.h"
#include "postprocess/draw/pixelate.h"

namespace posecam::gst {
namespace {

/// A network that says what the whole picture shows knows nothing of who is in it.
bool finds_people(const FrameResult& result) { return !result.model || result.model->task != Task::kClassification; }

}  // namespace

void OverlayElement::start() {
  forget();
  warned_ = false;
}

bool OverlayElement::plan(GstBuffer* buffer, const OverlaySettings& settings, Size frame) {
  result_ = get_result(buffer);
  // Kept whether or not anything is blurred now: the property may change before the next frame is analysed.
  if (result_ && result_->status == FrameStatus::kAnalysed && finds_people(*result_)) seen_ = result_;
  options_.min_score = settings.render_threshold;
  options_.labels = settings.draw_labels;
  draws_ = result_ && draws_anything(*result_, options_);
  plan_blur(settings.blur, frame);
  changes_ = draws_ || !blurred_.empty();
  return changes_;
}

void OverlayElement::plan_blur(const std::string& blur, Size frame) {
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
  if (seen_) {
    find_people(*seen_, part, frame, blurred_);
    // A frame that the pose network skipped may carry what a detector before it has just found.
    if (result_ && result_ != seen_) find_people(*result_, part, frame, blurred_);
  } else {
    blurred_.push_back({0, 0, frame.width, frame.height});
  }
}

Result<void> OverlayElement::apply(const MutableImageView& image) const {
  for (const PixelRect& part : blurred_) pixelate(image, part);
  return draws_ ? draw(*result_, options_, image) : Result<void>{};
}

}  // namespace posecam::gst
