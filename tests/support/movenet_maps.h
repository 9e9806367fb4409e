#pragma once
// The six maps of a MoveNet, to draw people into.

#include <array>
#include <string>
#include <vector>

#include "models/core/skeleton.h"
#include "postprocess/decode/multipose/multipose.h"

namespace posecam::test {

/// A model of COCO's 17 keypoints; outputs and decoder are up to the caller.
inline ModelSpec movenet_spec(Size input) {
  ModelSpec spec;
  spec.name = "movenet";
  spec.skeleton = find_skeleton("coco-17");
  spec.input.size = input;
  return spec;
}

/// All 0 at first.
class Maps {
 public:
  enum : std::size_t { kCenters, kRegressions, kHeatmaps, kOffsets, kBoxSizes, kBoxOffsets };

  Maps(HeadPeople people, Layout layout, int width, int height)
      : people_(people), layout_(layout), width_(width), height_(height) {
    for (std::size_t map = 0; map < kChannels.size(); ++map) {
      values_[map].resize(kChannels[map] * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    }
  }

  int width() const { return width_; }
  int height() const { return height_; }
  std::vector<float>& values(std::size_t map) { return values_[map]; }

  float& at(std::size_t map, int y, int x, std::size_t channel) {
    const std::size_t cell =
        static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x);
    const std::size_t cells = static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_);
    return values_[map][layout_ == Layout::kNchw ? channel * cells + cell : cell * kChannels[map] + channel];
  }

  /// A centre, and a box around it.
  void person(int y, int x, float probability, float box_height = 0, float box_width = 0) {
    at(kCenters, y, x, 0) = probability;
    at(kBoxSizes, y, x, 0) = box_height;
    at(kBoxSizes, y, x, 1) = box_width;
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names{"centers", "regressions", "heatmaps", "offsets", "box_sizes", "box_offsets"};
    if (people_ == HeadPeople::kOne) names.resize(4);
    return names;
  }

  /// Borrowed, in the order of names().
  std::vector<TensorView> views() const {
    std::vector<TensorView> views;
    for (std::size_t map = 0; map < names().size(); ++map) {
      const auto channels = static_cast<std::int64_t>(kChannels[map]);
      const Shape shape =
          layout_ == Layout::kNchw ? Shape{1, channels, height_, width_} : Shape{1, height_, width_, channels};
      views.push_back({reinterpret_cast<const std::byte*>(values_[map].data()), DType::kF32, shape});
    }
    return views;
  }

  MultiposeDecoder decoder() const {
    MultiposeDecoder decoder;
    decoder.form = MultiposeDecoder::Form::kHeads;
    decoder.people = people_;
    decoder.layout = layout_;
    if (people_ == HeadPeople::kOne) decoder.max_people = 1;
    decoder.heads = {"centers", "regressions", "heatmaps", "offsets", "box_sizes", "box_offsets"};
    return decoder;
  }

 private:
  static constexpr std::array<std::size_t, 6> kChannels{1, 34, 17, 34, 2, 2};
  HeadPeople people_;
  Layout layout_;
  int width_;
  int height_;
  std::array<std::vector<float>, 6> values_;
};

}  // namespace posecam::test
