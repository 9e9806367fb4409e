#include "postprocess/draw/follow.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace posecam {
namespace {

constexpr float kSure = 0.2F;
constexpr float kTorsoReach = 1.9F;
constexpr float kBodyReach = 1.2F;

// Of COCO-17.
constexpr std::array<std::size_t, 2> kShoulders{5, 6};
constexpr std::array<std::size_t, 2> kHips{11, 12};

/// Keypoints in displayed pixels.
class Body {
 public:
  Body(const Pose& pose, const Skeleton& skeleton, Point scale) : pose_(pose), skeleton_(skeleton), scale_(scale) {}

  std::optional<Point> place(const std::optional<Keypoint>& k) const {
    if (!k || !std::isfinite(k->x + k->y)) return {};
    return Point{k->x * scale_.x, k->y * scale_.y};
  }
  std::optional<Point> part(std::size_t coco) const { return place(pose_.coco17(skeleton_, coco)); }
  bool is_sure(std::size_t coco) const {
    const auto k = pose_.coco17(skeleton_, coco);
    return k && k->score > kSure;
  }

  /// The middle of the hips that were found.
  std::optional<Point> hips() const {
    const auto left = part(kHips[0]);
    const auto right = part(kHips[1]);
    if (left && right) return Point{(left->x + right->x) / 2, (left->y + right->y) / 2};
    return left ? left : right;
  }
  float torso_reach(Point from) const {
    float reach = 0;
    for (const auto& pair : {kShoulders, kHips}) {
      for (const std::size_t coco : pair) reach = std::max(reach, distance(from, part(coco)));
    }
    return reach;
  }
  float body_reach(Point from) const {
    float reach = 0;
    for (const auto& k : pose_.keypoints) {
      if (k && k->score > kSure) reach = std::max(reach, distance(from, place(k)));
    }
    return reach;
  }

 private:
  static float distance(Point from, const std::optional<Point>& to) {
    return to ? std::max(std::abs(to->x - from.x), std::abs(to->y - from.y)) : 0;
  }

  const Pose& pose_;
  const Skeleton& skeleton_;
  Point scale_;
};

}  // namespace

std::optional<Box> square_about(const Pose& pose, const Skeleton& skeleton, Size image, float pixel_aspect) {
  const Point extent{static_cast<float>(image.width) * pixel_aspect, static_cast<float>(image.height)};
  const Body body(pose, skeleton, extent);
  const auto sure = [&](const auto& pair) { return body.is_sure(pair[0]) || body.is_sure(pair[1]); };
  const auto centre = body.hips();
  if (!centre || !sure(kShoulders) || !sure(kHips)) return {};
  const float to_the_farthest_edge = std::max({centre->x, extent.x - centre->x, centre->y, extent.y - centre->y});
  const float half = std::min(std::max(kTorsoReach * body.torso_reach(*centre), kBodyReach * body.body_reach(*centre)),
                              to_the_farthest_edge);
  // Also of somebody who is seen as a single point.
  if (!(half >= 1) || half > std::max(extent.x, extent.y) / 2) return {};
  return Box{(centre->x - half) / extent.x, (centre->y - half) / extent.y, 2 * half / extent.x, 2 * half / extent.y};
}

}  // namespace posecam
