#include "postprocess/decode/multipose/heads.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace posecam {
namespace {

// Constants of the published graphs, which store them as f16: 1.8, 0.3, 0.127 and 1e-6 there.
constexpr float kNearness = 1.7998047F;        // cells added to a distance before it divides
constexpr float kSpread = 0.30004883F;         // of the Gaussian: its variance in sides of the map
constexpr float kLeastCounted = 0.12695312F;   // score of a part that says something about its person
constexpr float kSameMaximum = 1.013279e-06F;  // a centre this close to the maximum around it is one
constexpr int kPeakRadius = 2;                 // of 5x5 cells
// Where a part is looked for first: it is rarely further from the regressed place.
constexpr int kFirstRadius = 3;

// Comparisons with NaN are false: it is never larger than anything.
bool is_peak(const Heads& heads, int row, int column, float value) {
  const int y1 = std::min(row + kPeakRadius, heads.height - 1);
  const int x0 = std::max(column - kPeakRadius, 0);
  const int x1 = std::min(column + kPeakRadius, heads.width - 1);
  for (int y = std::max(row - kPeakRadius, 0); y <= y1; ++y) {
    for (int x = x0; x <= x1; ++x) {
      const std::size_t cell = static_cast<std::size_t>(y) * heads.width + x;
      if (heads.centers.at(cell, 0) - value >= kSameMaximum) return false;
    }
  }
  return true;
}

HeadPoint pair(const HeadMap& map, std::size_t cell, std::size_t index) {
  return {map.at(cell, 2 * index), map.at(cell, 2 * index + 1)};
}

HeadPoint operator+(HeadPoint a, HeadPoint b) { return {a.y + b.y, a.x + b.x}; }

HeadPoint place_of(std::size_t cell, const Heads& heads) {
  const auto row = static_cast<int>(cell / heads.width);
  const auto column = static_cast<int>(cell % heads.width);
  return {static_cast<float>(row), static_cast<float>(column)};
}

bool is_finite(HeadPoint p) { return std::isfinite(p.y) && std::isfinite(p.x); }

float squared(float v) { return v * v; }

float squared_distance(HeadPoint from, int row, int column) {
  return squared(static_cast<float>(row) - from.y) + squared(static_cast<float>(column) - from.x);
}

}  // namespace

HeadDecoder::HeadDecoder(HeadPeople people, std::size_t parts, float least_center, std::size_t most_people)
    : kind_(people),
      part_count_(parts),
      least_center_(least_center),
      centers_(most_people),
      people_(most_people),
      boxes_(most_people),
      regressed_(most_people * parts),
      parts_(most_people * parts) {}

std::span<const HeadPerson> HeadDecoder::decode(const Heads& heads) {
  variance_ = kSpread * static_cast<float>(std::min(heads.width, heads.height));
  centers_.clear();
  if (kind_ == HeadPeople::kMany) {
    find_centers(heads);
  } else {
    find_center(heads);
  }
  const auto centers = centers_.finish();
  // All are placed before parts get their scores: these depend on whoever claims the same cell.
  people_.resize(centers.size());
  for (std::size_t i = 0; i < centers.size(); ++i) place(heads, centers[i].index, i);
  for (std::size_t i = 0; i < centers.size(); ++i) {
    const std::span<HeadPart> parts(parts_.data() + i * part_count_, part_count_);
    for (std::size_t part = 0; part < part_count_; ++part) {
      const Hit hit = best_cell(heads, part, regressed_[i * part_count_ + part], boxes_[i]);
      parts[part] = {};
      if (!(hit.value > 0)) continue;
      const HeadPoint at = place_of(hit.cell, heads) + pair(heads.offsets, hit.cell, part);
      if (is_finite(at)) parts[part] = {at, claim(heads, part, hit.cell)};
    }
    people_[i].parts = parts;
    score(people_[i], parts, std::min(centers[i].value, 1.0F));
  }
  return people_;
}

void HeadDecoder::find_centers(const Heads& heads) {
  std::size_t cell = 0;
  for (int row = 0; row < heads.height; ++row) {
    for (int column = 0; column < heads.width; ++column, ++cell) {
      const float value = heads.centers.at(cell, 0);
      if (!(value >= least_center_ && value > 0) || !is_peak(heads, row, column, value)) continue;
      centers_.add({value, static_cast<std::uint32_t>(cell)});
    }
  }
}

void HeadDecoder::find_center(const Heads& heads) {
  const HeadPoint middle = place_of(static_cast<std::size_t>(heads.height / 2) * heads.width + heads.width / 2, heads);
  Hit best;
  std::size_t cell = 0;
  for (int row = 0; row < heads.height; ++row) {
    for (int column = 0; column < heads.width; ++column, ++cell) {
      const float value = std::min(heads.centers.at(cell, 0), 1.0F);
      if (!(value > best.value * kNearness)) continue;  // would not win even in the middle
      const float weighted = value / (std::sqrt(squared_distance(middle, row, column)) + kNearness);
      if (weighted > best.value) best = {weighted, cell};
    }
  }
  if (best.value > 0) centers_.add({heads.centers.at(best.cell, 0), static_cast<std::uint32_t>(best.cell)});
}

void HeadDecoder::place(const Heads& heads, std::size_t cell, std::size_t person) {
  const HeadPoint center = place_of(cell, heads);
  for (std::size_t part = 0; part < part_count_; ++part) {
    regressed_[person * part_count_ + part] = center + pair(heads.regressions, cell, part);
  }
  people_[person] = {};
  boxes_[person] = {};
  if (kind_ == HeadPeople::kOne) {
    boxes_[person] = {0, 0, heads.height, heads.width};
    return;
  }
  const HeadPoint middle = center + pair(heads.box_offsets, cell, 0);
  const HeadPoint size = pair(heads.box_sizes, cell, 0);
  if (!is_finite(middle) || !is_finite(size)) return;  // an empty box, where no part is found
  const float half_height = std::max(size.y, 0.0F) / 2;
  const float half_width = std::max(size.x, 0.0F) / 2;
  const auto height = static_cast<float>(heads.height);
  const auto width = static_cast<float>(heads.width);
  const HeadPoint from{std::clamp(middle.y - half_height, 0.0F, height),
                       std::clamp(middle.x - half_width, 0.0F, width)};
  const HeadPoint to{std::clamp(middle.y + half_height, 0.0F, height), std::clamp(middle.x + half_width, 0.0F, width)};
  people_[person].box_from = from;
  people_[person].box_to = to;
  // The cells c with from <= c < to.
  boxes_[person] = {static_cast<int>(std::ceil(from.y)), static_cast<int>(std::ceil(from.x)),
                    static_cast<int>(std::ceil(to.y)), static_cast<int>(std::ceil(to.x))};
}

/// Never rises with the distance: scan() relies on it.
float HeadDecoder::weight(float squared_distance) const {
  if (kind_ == HeadPeople::kMany) return std::exp(-squared_distance / variance_);
  return 1 / (std::sqrt(squared_distance) + kNearness);
}

/// The distance beyond which no cell reaches that value, which is a probability of at most 1 times its weight.
float HeadDecoder::reach(float value) const {
  if (kind_ == HeadPeople::kMany) return std::sqrt(std::max(variance_ * -std::log(value), 0.0F));
  return 1 / value - kNearness;
}

HeadDecoder::Hit HeadDecoder::best_cell(const Heads& heads, std::size_t part, HeadPoint near,
                                        const Window& within) const {
  Hit hit;
  if (within.empty() || !is_finite(near)) return hit;
  const int y = static_cast<int>(std::clamp(near.y, static_cast<float>(within.y0), static_cast<float>(within.y1 - 1)));
  const int x = static_cast<int>(std::clamp(near.x, static_cast<float>(within.x0), static_cast<float>(within.x1 - 1)));
  const Window first{std::max(y - kFirstRadius, within.y0), std::max(x - kFirstRadius, within.x0),
                     std::min(y + kFirstRadius + 1, within.y1), std::min(x + kFirstRadius + 1, within.x1)};
  scan(heads, part, near, first, hit);
  Window rest = within;
  if (hit.value > 0) {
    // A cell more than the reach, so that rounding loses none.
    const float far = std::min(reach(hit.value), static_cast<float>(heads.width + heads.height)) + 1;
    const auto low = [far](float at, int least, int most) {
      return static_cast<int>(std::clamp(at - far, static_cast<float>(least), static_cast<float>(most)));
    };
    const auto high = [far](float at, int least, int most) {
      return static_cast<int>(std::clamp(at + far + 1, static_cast<float>(least), static_cast<float>(most)));
    };
    rest = {low(near.y, within.y0, within.y1), low(near.x, within.x0, within.x1), high(near.y, within.y0, within.y1),
            high(near.x, within.x0, within.x1)};
  }
  scan(heads, part, near, rest, hit);
  return hit;
}

/// Of equal cells the first one is the hit, as with ArgMax operators, in whatever order windows are scanned.
void HeadDecoder::scan(const Heads& heads, std::size_t part, HeadPoint near, const Window& window, Hit& hit) const {
  for (int row = window.y0; row < window.y1; ++row) {
    const float row_weight = weight(squared(static_cast<float>(row) - near.y));
    if (!(row_weight > 0 && row_weight >= hit.value)) continue;
    std::size_t cell = static_cast<std::size_t>(row) * heads.width + window.x0;
    for (int column = window.x0; column < window.x1; ++column, ++cell) {
      const float probability = std::min(heads.heatmaps.at(cell, part), 1.0F);
      // Most cells end here, NaN as well. A product with the weight of the row's nearest cell is an upper bound.
      if (!(probability * row_weight >= hit.value && probability > 0)) continue;
      const float value = probability * weight(squared_distance(near, row, column));
      if (value > hit.value || (value > 0 && value == hit.value && cell < hit.cell)) hit = {value, cell};
    }
  }
}

/// The score of a part at that cell.
float HeadDecoder::claim(const Heads& heads, std::size_t part, std::size_t cell) const {
  const float probability = std::min(heads.heatmaps.at(cell, part), 1.0F);
  if (kind_ == HeadPeople::kOne) return probability;
  const int row = static_cast<int>(cell / heads.width);
  const int column = static_cast<int>(cell % heads.width);
  float nearest = std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < people_.size(); ++i) {
    const Window& box = boxes_[i];
    if (row < box.y0 || row >= box.y1 || column < box.x0 || column >= box.x1) continue;
    const float distance = squared_distance(regressed_[i * part_count_ + part], row, column);
    if (distance < nearest) nearest = distance;
  }
  return probability * weight(nearest);
}

void HeadDecoder::score(HeadPerson& person, std::span<const HeadPart> parts, float center) const {
  float sum = 0;
  std::size_t count = 0;
  for (const HeadPart& part : parts) {
    if (kind_ == HeadPeople::kMany && !(part.score > kLeastCounted)) continue;
    sum += part.score;
    ++count;
  }
  const float mean = count > 0 ? sum / static_cast<float>(count) : 0;
  person.score = kind_ == HeadPeople::kMany ? center * mean : mean;
}

}  // namespace posecam
