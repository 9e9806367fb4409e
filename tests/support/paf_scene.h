#pragma once
// Heatmaps and PAFs of people whose places are known: what a perfect network would put out.

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <vector>

#include "models/core/skeleton.h"
#include "models/spec/model_spec.h"
#include "postprocess/decode/paf/paf.h"
#include "postprocess/decode/paf/paf_decoder.h"
#include "tests/support/decoder_of.h"

namespace posecam::test {

/// Places in cells, 0 = left edge of the first (centre of the first cell: 0.5).
using Figure = std::array<std::optional<Point>, kMaxKeypoints>;

/// A standing figure in any OpenPose skeleton, by part name; `size` cells from head to foot, at (x, y) its nose.
inline Figure standing(const Skeleton& skeleton, float x, float y, float size, float lean = 0) {
  struct Place {
    std::string_view part;
    float x, y;
  };
  static constexpr Place kPlaces[] = {
      {"Nose", 0, 0},           {"Neck", 0, .16F},         {"RShoulder", -.12F, .16F}, {"RElbow", -.2F, .32F},
      {"RWrist", -.22F, .48F},  {"LShoulder", .12F, .16F}, {"LElbow", .2F, .32F},      {"LWrist", .24F, .48F},
      {"MidHip", 0, .52F},      {"RHip", -.08F, .52F},     {"RKnee", -.1F, .74F},      {"RAnkle", -.1F, .96F},
      {"LHip", .08F, .52F},     {"LKnee", .1F, .74F},      {"LAnkle", .12F, .96F},     {"REye", -.04F, -.05F},
      {"LEye", .04F, -.05F},    {"REar", -.09F, -.03F},    {"LEar", .09F, -.03F},      {"LBigToe", .18F, 1.04F},
      {"LSmallToe", .24F, 1.F}, {"LHeel", .1F, 1.03F},     {"RBigToe", -.18F, 1.04F},  {"RSmallToe", -.24F, 1.F},
      {"RHeel", -.1F, 1.03F}};
  Figure figure;
  for (const Place& place : kPlaces) {
    const auto at = std::find(skeleton.parts.begin(), skeleton.parts.end(), place.part);
    if (at == skeleton.parts.end()) continue;
    figure[static_cast<std::size_t>(at - skeleton.parts.begin())] = {x + size * (place.x + lean * place.y),
                                                                     y + size * place.y};
  }
  return figure;
}

struct Scene {
  Scene(const Skeleton& skeleton_in, int width_in, int height_in)
      : skeleton(&skeleton_in), width(width_in), height(height_in) {
    int channels = 0;
    for (const Limb& limb : skeleton->limbs) channels = std::max({channels, limb.paf_x + 1, limb.paf_y + 1});
    heatmaps.resize((skeleton->parts.size() + 1) * plane());
    pafs.resize(static_cast<std::size_t>(channels) * plane());
  }

  std::size_t plane() const { return static_cast<std::size_t>(width) * static_cast<std::size_t>(height); }
  PafMaps maps() const { return {heatmaps.data(), pafs.data(), width, height}; }

  void draw(const Figure& figure) {
    for (std::size_t part = 0; part < skeleton->parts.size(); ++part) {
      if (figure[part]) draw_part(part, *figure[part]);
    }
    for (const Limb& limb : skeleton->limbs) {
      if (figure[limb.from] && figure[limb.to]) draw_limb(limb, *figure[limb.from], *figure[limb.to]);
    }
  }

  const Skeleton* skeleton;
  int width;
  int height;
  std::vector<float> heatmaps;  ///< background last
  std::vector<float> pafs;

 private:
  void draw_part(std::size_t part, Point at) {
    constexpr float kSigma = 0.9F;  // cells: 7 pixels at stride 8, what these networks are trained with
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const float dx = static_cast<float>(x) + 0.5F - at.x;
        const float dy = static_cast<float>(y) + 0.5F - at.y;
        float& cell = heatmaps[part * plane() + static_cast<std::size_t>(y * width + x)];
        cell = std::max(cell, std::exp(-(dx * dx + dy * dy) / (2 * kSigma * kSigma)));
      }
    }
  }

  void draw_limb(const Limb& limb, Point a, Point b) {
    constexpr float kHalfWidth = 1.0F;
    const float length = std::hypot(b.x - a.x, b.y - a.y);
    if (length < 1e-3F) return;
    const Point along{(b.x - a.x) / length, (b.y - a.y) / length};
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const float dx = static_cast<float>(x) + 0.5F - a.x;
        const float dy = static_cast<float>(y) + 0.5F - a.y;
        const float forward = dx * along.x + dy * along.y;
        if (forward < -1 || forward > length + 1 || std::abs(dx * along.y - dy * along.x) > kHalfWidth) continue;
        const auto at = static_cast<std::size_t>(y * width + x);
        pafs[limb.paf_x * plane() + at] = along.x;
        pafs[limb.paf_y * plane() + at] = along.y;
      }
    }
  }
};

/// A descriptor of a network with these outputs: "heat" then "paf".
inline ModelSpec paf_spec(const Skeleton& skeleton) {
  ModelSpec spec;
  spec.name = "scene";
  spec.outputs = {"heat", "paf"};
  spec.skeleton = find_skeleton(skeleton.name);
  PafDecoder decoder;
  decoder.heatmaps = {"heat", 0};
  decoder.pafs = {"paf", 0};
  set_decoder(spec, decoder);
  return spec;
}

inline TensorView as_tensor(const std::vector<float>& values, std::int64_t height, std::int64_t width) {
  const std::int64_t cells = std::max<std::int64_t>(1, height * width);
  return {reinterpret_cast<const std::byte*>(values.data()), DType::kF32,
          Shape{1, static_cast<std::int64_t>(values.size()) / cells, height, width}};
}

/// The image is the network's input, pixel for pixel.
inline Letterbox whole_input(int width, int height, int stride = 8) {
  const Size size{width * stride, height * stride};
  return {size, size, {0, 0}, {static_cast<float>(size.width), static_cast<float>(size.height)}};
}

}  // namespace posecam::test
