#include "postprocess/documents/motion_document.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "postprocess/documents/json_text.h"

namespace posecam {
namespace {

// A chain may be continued this many frames after it was last seen (two seconds of usual video): a person who passes
// behind another stays the same.
constexpr std::uint32_t kMaxGap = 60;
// Beyond this the last speed says nothing about where somebody is.
constexpr std::uint32_t kMaxExtrapolation = 10;
// Farthest a person can move from one frame to the next, in units of the person's own extent.
constexpr float kMaxDistance = 0.5F;
// Weight of the newest step in the speed; single keypoints come and go, which moves the centre of the box.
constexpr float kSpeedGain = 0.5F;

Point centre(const Box& box) { return {box.x + box.width / 2, box.y + box.height / 2}; }

std::uint16_t pixel(float normalised, int extent) {
  const int last = std::min(extent, 65536) - 1;
  const float at = std::floor(normalised * static_cast<float>(extent));
  return static_cast<std::uint16_t>(std::clamp(at, 0.0F, static_cast<float>(last)));
}

// Share of the frame the person fills times how near the middle of the frame the person is, 1 there and 0 in a corner.
double prominence(const Box& box, Size size) {
  const Point c = centre(box);
  const auto w = static_cast<float>(size.width);
  const auto h = static_cast<float>(size.height);
  const float off = std::hypot(c.x / w - 0.5F, c.y / h - 0.5F) / std::hypot(0.5F, 0.5F);
  return double{box.area()} / (double{w} * h) * (1 - std::min(off, 1.0F));
}

}  // namespace

std::optional<MotionDocument::Person> MotionDocument::person_of(const Pose& pose, const Skeleton& skeleton, Size size) {
  Person person;
  for (std::size_t k = 0; k < person.parts.size(); ++k) {
    const auto keypoint = pose.coco17(skeleton, k);
    if (!keypoint || !std::isfinite(keypoint->x) || !std::isfinite(keypoint->y)) continue;
    person.parts[k] = {pixel(keypoint->x, size.width), pixel(keypoint->y, size.height)};
    person.found |= 1U << k;
  }
  if (person.found == 0) return std::nullopt;
  return person;
}

// In pixels, counting the last one: a single part still has an area.
Box MotionDocument::box_of(const Person& person) {
  int x0 = std::numeric_limits<int>::max(), y0 = x0, x1 = -1, y1 = -1;
  for (std::size_t k = 0; k < person.parts.size(); ++k) {
    if ((person.found >> k & 1U) == 0) continue;
    x0 = std::min<int>(x0, person.parts[k].x);
    y0 = std::min<int>(y0, person.parts[k].y);
    x1 = std::max<int>(x1, person.parts[k].x);
    y1 = std::max<int>(y1, person.parts[k].y);
  }
  return {static_cast<float>(x0), static_cast<float>(y0), static_cast<float>(x1 - x0 + 1),
          static_cast<float>(y1 - y0 + 1)};
}

// In units of the larger of the two people; empty when it is too far to be the same one.
std::optional<float> MotionDocument::distance(const Chain& chain, const Person& person) {
  const std::uint32_t gap = person.frame - chain.last.frame;
  const auto ahead = static_cast<float>(std::min(gap, kMaxExtrapolation));
  const Point shift{chain.speed.x * ahead, chain.speed.y * ahead};
  const Box before = box_of(chain.last);
  const Box now = box_of(person);
  float sum = 0;
  int common = 0;
  for (std::size_t k = 0; k < person.parts.size(); ++k) {
    if ((person.found & chain.last.found & (1U << k)) == 0) continue;
    sum += std::hypot(static_cast<float>(chain.last.parts[k].x) + shift.x - static_cast<float>(person.parts[k].x),
                      static_cast<float>(chain.last.parts[k].y) + shift.y - static_cast<float>(person.parts[k].y));
    ++common;
  }
  if (common == 0) {
    sum = std::hypot(centre(before).x + shift.x - centre(now).x, centre(before).y + shift.y - centre(now).y);
    common = 1;
  }
  const float extent = std::max({before.width, before.height, now.width, now.height});
  const float relative = sum / static_cast<float>(common) / extent;
  if (relative > kMaxDistance) return std::nullopt;
  return relative;
}

void MotionDocument::collect(Size size, const FrameResult& result) {
  const Skeleton* skeleton = result.model->skeleton.get();
  if (!skeleton || result.status != FrameStatus::kAnalysed) return;
  const std::size_t first = people_.size();
  for (const Pose& pose : result.poses) {
    auto person = person_of(pose, *skeleton, size);
    if (!person) continue;
    person->frame = frames_;
    people_.push_back(*person);
  }
  const auto begin = people_.begin() + static_cast<std::ptrdiff_t>(first);
  if (people_.size() - first <= kMaxPeople) return;
  std::stable_sort(begin, people_.end(),
                   [](const Person& a, const Person& b) { return box_of(a).area() > box_of(b).area(); });
  people_.resize(first + kMaxPeople);
}

void MotionDocument::follow(Chain& chain, const Person& person) {
  const auto gap = static_cast<float>(person.frame - chain.last.frame);
  const Point from = centre(box_of(chain.last));
  const Point to = centre(box_of(person));
  chain.speed.x += kSpeedGain * ((to.x - from.x) / gap - chain.speed.x);
  chain.speed.y += kSpeedGain * ((to.y - from.y) / gap - chain.speed.y);
  chain.last = person;
}

void MotionDocument::link(std::size_t first_person) {
  constexpr auto kNone = std::numeric_limits<std::uint32_t>::max();
  links_.clear();
  for (std::size_t p = first_person; p < people_.size(); ++p) {
    people_[p].chain = kNone;
    for (std::size_t c = 0; c < active_.size(); ++c) {
      const auto d = distance(active_[c], people_[p]);
      if (d) links_.push_back({*d, static_cast<std::uint32_t>(c), static_cast<std::uint32_t>(p)});
    }
  }
  std::stable_sort(links_.begin(), links_.end(), [](const Link& a, const Link& b) { return a.distance < b.distance; });
  for (const Link& l : links_) {
    Chain& chain = active_[l.chain];
    if (people_[l.person].chain != kNone || chain.last.frame == frames_) continue;
    people_[l.person].chain = chain.id;
    follow(chain, people_[l.person]);
  }
  for (std::size_t p = first_person; p < people_.size(); ++p) {
    if (people_[p].chain != kNone) continue;
    people_[p].chain = static_cast<std::uint32_t>(scores_.size());
    scores_.push_back(0);
    active_.push_back({people_[p].chain, people_[p], {}});
  }
}

void MotionDocument::add(Size size, const FrameResult& result) {
  const std::size_t first = people_.size();
  std::erase_if(active_, [&](const Chain& c) { return frames_ - c.last.frame > kMaxGap; });
  collect(size, result);
  link(first);
  for (std::size_t p = first; p < people_.size(); ++p) {
    scores_[people_[p].chain] += prominence(box_of(people_[p]), size);
  }
  ++frames_;
}

std::optional<std::uint32_t> MotionDocument::best_chain() const {
  const auto best = std::max_element(scores_.begin(), scores_.end());
  if (best == scores_.end()) return std::nullopt;
  return static_cast<std::uint32_t>(best - scores_.begin());
}

void MotionDocument::append_to(std::string& out) const {
  const auto chain = best_chain();
  const auto names = coco17_camel_names();
  auto person = people_.begin();
  out += '[';
  for (std::uint32_t frame = 0; frame < frames_; ++frame) {
    out += frame > 0 ? ",\n{" : "{";
    for (; person != people_.end() && person->frame == frame; ++person) {
      if (person->chain != chain) continue;
      bool first = true;
      for (std::size_t k = 0; k < names.size(); ++k) {
        if ((person->found >> k & 1U) == 0) continue;
        if (!first) out += ',';
        first = false;
        json::append_string(out, names[k]);
        out += ":[";
        json::append_integer(out, std::int64_t{person->parts[k].x});
        out += ',';
        json::append_integer(out, std::int64_t{person->parts[k].y});
        out += ']';
      }
    }
    out += '}';
  }
  out += "]\n";
}

}  // namespace posecam
