#pragma once
// Frames analysed in parts, and frames that several networks looked at: how partial results become one.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "models/core/image.h"
#include "models/spec/frame_result.h"
#include "models/spec/model_spec.h"
#include "postprocess/draw/pixel_rect.h"

namespace posecam {

/// A part of a frame that a network analyses as if it were the whole.
struct Region {
  Box box;         ///< what it is about, e.g. a person's box; normalised image coordinates
  PixelRect crop;  ///< what the network sees: the box with a margin, inside the image, left and top even
  std::optional<std::int64_t> id{};  ///< of who is in it, where somebody gave one
  float score = 1;                   ///< how sure it is that somebody is there, (0,1]
  /// How the crop lies in the network's input; empty: as the model places any image.
  std::optional<Letterbox> place{};
};

/// The region about a box: a quarter larger, as top-down pose estimation cuts people out (Xiao, Wu and Wei, Simple
/// Baselines for Human Pose Estimation, ECCV 2018, section 4.1). Nothing for boxes that are not finite or have less
/// than two pixels in the image.
std::optional<Region> region_about(const Box& box, Size image);

/// The box in whole pixels of the image and inside it, as GStreamer's regions of interest have it.
Box in_whole_pixels(const Box& box, Size image);

/// The region that `model` is to see of whom a box is about. A model that looks at one person (crop_factor) sees a
/// part of the frame with the aspect of its input, `crop_factor` times as large as the box (after the shorter side of
/// that was made to have the same aspect), as MMPose cuts people out; what of it is beyond the image is padding. For
/// others it is region_about(). `pixel_aspect` as in ImageView.
std::optional<Region> region_for(const ModelSpec& model, const Box& box, Size image, float pixel_aspect);

/// Keeps the `most` surest regions, in the order of their scores, and returns how many more there were.
std::uint32_t keep_surest(std::vector<Region>& regions, std::size_t most);

/// The same pixels, seen through a window. `rect` lies inside the image, its left and top are even.
ImageView crop(const ImageView& image, const PixelRect& rect);

/// A pose that was found in a crop of the image, in coordinates of the image.
Pose in_image(const Pose& pose, const PixelRect& crop, Size image);

/// The result of a frame from those of its regions, one for each, none of them null, at least one. Each region gives at
/// most one person: the one that fills its box best (of a model that looks at one person only: who was found there,
/// with the region's box, and a score that is the product of both); and every object in it. Analysed if any region was;
/// those that were not are counted in left_out. Of queue and infer the longest counts, of the other times the sum.
/// `whole` is an empty result; nothing is allocated once its lists are large enough.
void combine(std::span<const Region> regions, std::span<const std::shared_ptr<const FrameResult>> results, Size image,
             FrameResult& whole);

/// What is known of a frame once a second network looked at it: the people of the one that looks for people (of the
/// second, if both do), the objects of the one that looks for objects, the classes likewise. The status is that of
/// `model`: of the one that looks for people, else for objects, else for classes. A `now` that is moved here keeps its
/// lists, and nothing is allocated once they are large enough.
FrameResult merge(const FrameResult& before, FrameResult now);

}  // namespace posecam
