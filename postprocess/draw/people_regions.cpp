#include "postprocess/draw/people_regions.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>

namespace posecam {
namespace {

constexpr float kReach = 2;         // frames; keypoints further out belong to nothing that could be seen
constexpr float kMargin = 0.65F;    // head heights from the face's keypoints to beyond chin, crown and nape
constexpr float kAbove = 0.85F;     // head heights from the shoulders to the middle of the head
constexpr float kRadius = 1.0F;     // head heights around a guessed middle
constexpr float kBoxMargin = 0.1F;  // of a box's sides: detectors cut hands and hair
constexpr float kSameBox = 0.4F;    // intersection over union of a person's box with the pose inside it
constexpr float kLoneHead = 0.1F;   // of the frame's longer side: a head that nothing is known of but one point

// Keypoints of COCO-17.
enum Part : std::uint8_t { kNose, kLeftEye, kRightEye, kLeftEar, kRightEar, kLeftShoulder, kRightShoulder };
constexpr std::size_t kLeftHip = 11;
constexpr std::size_t kRightHip = 12;

// Heights of a head (23 cm) in a distance on the body. Adults' means, rounded down, of ANSUR II (Gordon et al. 2014):
// between ears 14.5 cm, pupils 6.3, shoulders 38; from shoulder to hip 49. Seen at an angle each is shorter, so the
// longest of all counts.
struct Measure {
  std::size_t from;
  std::size_t to;
  float heads;
};
constexpr std::array kMeasures{
    Measure{kLeftEar, kRightEar, 1.6F},      Measure{kLeftEye, kRightEye, 3.7F},
    Measure{kNose, kLeftEye, 4.0F},          Measure{kNose, kRightEye, 4.0F},
    Measure{kNose, kLeftEar, 1.9F},          Measure{kNose, kRightEar, 1.9F},
    Measure{kLeftEye, kLeftEar, 2.5F},       Measure{kRightEye, kRightEar, 2.5F},
    Measure{kLeftShoulder, kLeftHip, .5F},   Measure{kLeftShoulder, kRightShoulder, .6F},
    Measure{kRightShoulder, kRightHip, .5F},
};
constexpr float kHeadsInBody = 0.15F;  // from nose to ankle 152 cm

// Edges in continuous pixels.
struct Region {
  float x0 = 0;
  float y0 = 0;
  float x1 = 0;
  float y1 = 0;

  float longer() const { return std::max(x1 - x0, y1 - y0); }
  Point middle() const { return {(x0 + x1) / 2, (y0 + y1) / 2}; }
  bool holds(Point p) const { return p.x >= x0 && p.x <= x1 && p.y >= y0 && p.y <= y1; }
  Box box() const { return {x0, y0, x1 - x0, y1 - y0}; }
  Region grown(float by) const { return {x0 - by, y0 - by, x1 + by, y1 + by}; }
};

Region join(const Region& a, const Region& b) {
  return {std::min(a.x0, b.x0), std::min(a.y0, b.y0), std::max(a.x1, b.x1), std::max(a.y1, b.y1)};
}

float distance(Point a, Point b) { return std::hypot(a.x - b.x, a.y - b.y); }

// A pose in pixels, without what cannot be placed.
class Body {
 public:
  Body(const Pose& pose, const Skeleton& skeleton, Size frame) : pose_(pose), skeleton_(skeleton), frame_(frame) {
    for (const auto& keypoint : pose.keypoints) {
      if (const auto p = to_pixels(keypoint)) extend(box_, *p);
    }
    for (std::size_t i = kNose; i <= kRightEar; ++i) {
      if (const auto p = part(i)) extend(face_, *p);
    }
    measure();
  }

  std::optional<Region> face() const {
    if (face_) return face_->grown(kMargin * head_);
    return guess_face();
  }
  std::optional<Region> whole() const {
    if (!box_) return {};
    const Region body = box_->grown(head_ / 2);
    const auto head = face();
    return head ? join(body, *head) : body;
  }
  const std::optional<Region>& box() const { return box_; }

 private:
  static void extend(std::optional<Region>& region, Point p) {
    const Region point{p.x, p.y, p.x, p.y};
    region = region ? join(*region, point) : point;
  }

  std::optional<Point> to_pixels(const std::optional<Keypoint>& k) const {
    if (!k || !(std::abs(k->x) <= kReach && std::abs(k->y) <= kReach)) return {};
    return Point{k->x * static_cast<float>(frame_.width), k->y * static_cast<float>(frame_.height)};
  }
  std::optional<Point> part(std::size_t coco) const { return to_pixels(pose_.coco17(skeleton_, coco)); }

  std::optional<Point> between(std::size_t a, std::size_t b) const {
    const auto p = part(a);
    const auto q = part(b);
    if (p && q) return Point{(p->x + q->x) / 2, (p->y + q->y) / 2};
    return p ? p : q;
  }
  std::optional<Point> neck() const {
    if (const auto middle = between(kLeftShoulder, kRightShoulder)) return middle;
    return skeleton_.neck ? to_pixels(pose_.keypoints[*skeleton_.neck]) : std::nullopt;
  }

  void measure() {
    for (const Measure& m : kMeasures) {
      const auto from = part(m.from);
      const auto to = part(m.to);
      if (from && to) head_ = std::max(head_, m.heads * distance(*from, *to));
    }
    if (box_) head_ = std::max(head_, kHeadsInBody * box_->longer());
    if (head_ < 1) head_ = kLoneHead * static_cast<float>(std::max(frame_.width, frame_.height));
  }

  std::optional<Region> guess_face() const {
    const auto base = neck();
    if (!base) return {};
    Point up{0, -1};
    if (const auto hips = between(kLeftHip, kRightHip)) {
      const float length = distance(*base, *hips);
      if (length > 0) up = {(base->x - hips->x) / length, (base->y - hips->y) / length};
    }
    const Point middle{base->x + up.x * kAbove * head_, base->y + up.y * kAbove * head_};
    // One shoulder leaves open on which side of it the head is.
    const float radius = part(kLeftShoulder).has_value() == part(kRightShoulder).has_value() ? kRadius : 2 * kRadius;
    return Region{middle.x, middle.y, middle.x, middle.y}.grown(radius * head_);
  }

  const Pose& pose_;
  const Skeleton& skeleton_;
  Size frame_;
  std::optional<Region> box_;   // around all keypoints
  std::optional<Region> face_;  // around those of the face
  float head_ = 0;              // its height
};

void add(const Region& r, Size frame, std::vector<PixelRect>& regions) {
  const auto pixel = [](float v, int extent) {
    return static_cast<int>(std::clamp(v, 0.F, static_cast<float>(extent)));
  };
  const PixelRect rect{pixel(std::floor(r.x0), frame.width), pixel(std::floor(r.y0), frame.height),
                       pixel(std::ceil(r.x1), frame.width), pixel(std::ceil(r.y1), frame.height)};
  if (rect.x1 > rect.x0 && rect.y1 > rect.y0) regions.push_back(rect);
}

std::optional<Region> to_region(const Box& box, Size frame) {
  if (!std::isfinite(box.x + box.y) || !(box.width > 0 && box.height > 0)) return {};
  const auto w = static_cast<float>(frame.width);
  const auto h = static_cast<float>(frame.height);
  const auto near = [](float v) { return std::clamp(v, -kReach, kReach); };
  Region r{near(box.x) * w, near(box.y) * h, near(box.x + box.width) * w, near(box.y + box.height) * h};
  const float x = kBoxMargin * (r.x1 - r.x0);
  const float y = kBoxMargin * (r.y1 - r.y0);
  return Region{r.x0 - x, r.y0 - y, r.x1 + x, r.y1 + y};
}

// A square, at least the upper third: the head of somebody who stands, the whole of a bust or of somebody who lies.
Region top_of(const Region& r) {
  const float height = std::min(r.y1 - r.y0, std::max((r.y1 - r.y0) / 3, r.x1 - r.x0));
  return {r.x0, r.y0, r.x1, r.y0 + height};
}

bool shows_face(const FrameResult& result, const Skeleton* skeleton, const Region& person, Size frame) {
  if (skeleton == nullptr) return false;
  return std::ranges::any_of(result.poses, [&](const Pose& pose) {
    const Body body(pose, *skeleton, frame);
    const auto face = body.face();
    return face && top_of(person).holds(face->middle()) && iou(person.box(), body.box()->box()) >= kSameBox;
  });
}

}  // namespace

void find_people(const FrameResult& result, PeoplePart part, Size frame, std::vector<PixelRect>& regions) {
  const Skeleton* skeleton = result.model ? result.model->skeleton.get() : nullptr;
  for (const Pose& pose : result.poses) {
    if (skeleton == nullptr) break;
    const Body body(pose, *skeleton, frame);
    if (const auto region = part == PeoplePart::kFace ? body.face() : body.whole()) add(*region, frame, regions);
  }
  for (const Detection& detection : result.detections) {
    const std::string_view label = result.label_of(detection);
    const auto region = to_region(detection.box, frame);
    if (!region || !(label.empty() || label == "person" || label == "face")) continue;
    if (part == PeoplePart::kWhole || label == "face") {
      add(*region, frame, regions);
    } else if (!shows_face(result, skeleton, *region, frame)) {
      add(top_of(*region), frame, regions);
    }
  }
}

}  // namespace posecam
