#include "postprocess/draw/draw_style.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string_view>
#include <utility>

namespace posecam {
namespace {

std::uint8_t to_byte(float value) { return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.F, 255.F))); }

enum class Side : std::uint8_t { kMiddle, kRight, kLeft };

// "RShoulder" and "right_shoulder", but not "Nose" or "Neck"
Side side_of(std::string_view part) {
  if (part.starts_with("right") || part.ends_with("_right")) return Side::kRight;
  if (part.starts_with("left") || part.ends_with("_left")) return Side::kLeft;
  const bool prefixed = part.size() > 1 && part[1] >= 'A' && part[1] <= 'Z';
  if (!prefixed) return Side::kMiddle;
  return part[0] == 'R' ? Side::kRight : part[0] == 'L' ? Side::kLeft : Side::kMiddle;
}

bool on_head(std::string_view part) {
  constexpr std::string_view kHead[]{"Eye", "eye", "Ear", "ear", "mouth"};
  return std::ranges::any_of(kHead,
                             [part](std::string_view name) { return part.find(name) != std::string_view::npos; });
}

}  // namespace

Yuv to_yuv(Rgb color, const YuvColorimetry& colorimetry) {
  const bool bt709 = colorimetry.matrix == YuvColorimetry::Matrix::kBt709;
  const float kr = bt709 ? 0.2126F : 0.299F;
  const float kb = bt709 ? 0.0722F : 0.114F;
  const float r = color.r;
  const float g = color.g;
  const float b = color.b;
  const float y = kr * r + (1 - kr - kb) * g + kb * b;
  const float u = (b - y) / (2 * (1 - kb));
  const float v = (r - y) / (2 * (1 - kr));
  if (colorimetry.full_range) return {to_byte(y), to_byte(128 + u), to_byte(128 + v)};
  return {to_byte(16 + y * 219 / 255), to_byte(128 + u * 224 / 255), to_byte(128 + v * 224 / 255)};
}

Rgb from_hsv(float hue, float saturation, float value) {
  const auto channel = [&](float n) {
    const float k = std::fmod(n + std::fmod(hue, 360.F) / 60 + 6, 6.F);
    return to_byte(255 * value * (1 - saturation * std::clamp(std::min(k, 4 - k), 0.F, 1.F)));
  };
  return {channel(5), channel(3), channel(1)};
}

Rgb index_color(std::int64_t n) {
  constexpr float kGoldenAngle = 137.508F;
  // Hues come near one another again after 13, 34, 55 and 89 steps (Fibonacci numbers): such pairs differ in lightness.
  constexpr std::pair<float, float> kSaturationAndValue[] = {{0.75F, 1}, {0.4F, 1}, {1, 0.85F}, {0.7F, 0.65F}};
  const auto step = static_cast<std::size_t>(((n % 360) + 360) % 360);
  const auto& [saturation, value] = kSaturationAndValue[step % std::size(kSaturationAndValue)];
  return from_hsv(190 + static_cast<float>(step) * kGoldenAngle, saturation, value);
}

Rgb text_color(Rgb background) {
  return to_yuv(background, {YuvColorimetry::Matrix::kBt601, true}).y > 128 ? Rgb{0, 0, 0} : Rgb{255, 255, 255};
}

std::array<Rgb, kMaxKeypoints> part_colors(const Skeleton& skeleton) {
  std::array<Rgb, kMaxKeypoints> colors{};
  std::array<float, 3> seen{};  // parts of each side below the head so far
  for (std::size_t i = 0; i < skeleton.parts.size() && i < colors.size(); ++i) {
    const std::string_view part = skeleton.parts[i];
    const Side side = side_of(part);
    if (side == Side::kMiddle) {
      colors[i] = from_hsv(330, 0.25F, 1);
    } else if (on_head(part)) {
      colors[i] = side == Side::kRight ? from_hsv(330, 0.7F, 1) : from_hsv(280, 0.6F, 1);
    } else {
      float& n = seen[static_cast<std::size_t>(side)];
      colors[i] = side == Side::kRight ? from_hsv(std::min(n * 13, 75.F), 0.9F, 1)
                                       : from_hsv(145 + std::min(n * 22, 125.F), 0.85F, 1);
      ++n;
    }
  }
  return colors;
}

DrawStyle style_for(Size frame) {
  const float side = std::sqrt(static_cast<float>(frame.width) * static_cast<float>(frame.height));
  DrawStyle style;
  style.line_width = std::max(1, static_cast<int>(std::lround(side / 350)));
  style.joint_radius = std::max(1.F, side / 320);
  style.font_scale = std::max(0.35, static_cast<double>(side) / 1700);
  style.font_width = std::max(1, static_cast<int>(std::lround(2 * style.font_scale)));
  style.text_margin = std::max(2, static_cast<int>(std::lround(6 * style.font_scale)));
  return style;
}

}  // namespace posecam
