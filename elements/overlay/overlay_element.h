#pragma once
// neuronoverlay without GObject: what to blur and to draw on each frame, decided before anybody makes it writable.

#include <memory>
#include <string>
#include <vector>

#include <gst/gst.h>
#include <gst/video/video.h>

#include "models/core/image.h"
#include "models/core/result.h"
#include "models/spec/frame_result.h"
#include "postprocess/draw/draw.h"
#include "postprocess/draw/pixel_rect.h"

namespace posecam::gst {

/// The properties of neuronoverlay.
struct OverlaySettings {
  float render_threshold = 0.05F;  ///< keypoints below it are not drawn, 0 to 1
  bool draw_labels = true;         ///< names and scores beside boxes, ids, the likeliest class
  std::string blur = "none";       ///< or "face", "person"
  bool hold_people = true;         ///< who was seen last is drawn on frames that were not analysed
};

/// How long people that were seen are drawn on frames that were not analysed.
inline constexpr GstClockTime kHoldTime = GST_SECOND;

/// Streaming thread only. For each frame plan(), then apply() if it said that the frame changes.
class OverlayElement {
 public:
  explicit OverlayElement(GstElement* self) : self_(self) {}

  /// A new stream or another place in it: who was seen before is no longer there.
  void forget();
  /// Frames are of other caps from now on.
  void use(const GstVideoInfo& info);
  /// The element starts: forgets, and warns anew.
  void start();

  /// True if the frame is to change. Frames that were not analysed are blurred where people were last seen, all over if
  /// nothing was analysed yet. Warns once on the bus if there is no result at all and something should be blurred.
  bool plan(GstBuffer* buffer, const OverlaySettings& settings);
  bool changes() const { return changes_; }  ///< what plan() said last
  /// Blurs, then draws, as planned. kMedia from draw().
  Result<void> apply(const MutableImageView& image) const;

 private:
  void plan_blur(const std::string& blur);
  void plan_held(GstBuffer* buffer, bool hold);

  GstElement* self_;
  std::shared_ptr<const FrameResult> result_;  ///< of this frame
  std::shared_ptr<const FrameResult> seen_;    ///< the last that was analysed for people
  std::shared_ptr<const FrameResult> held_;    ///< the last that was analysed, as long as it may be drawn
  GstClockTime held_since_ = GST_CLOCK_TIME_NONE;
  GstVideoInfo info_{};
  std::vector<PixelRect> blurred_;
  DrawOptions options_;
  DrawOptions held_options_;
  bool draws_ = false;
  bool draws_held_ = false;  ///< held_ too, below what is of this frame
  bool changes_ = false;
  bool warned_ = false;
};

}  // namespace posecam::gst
