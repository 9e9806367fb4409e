#include "pipeline/image/preprocess.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace posecam {
namespace {

/// One output position of a linear resampling: the two source positions and the weight of the second.
struct Tap {
  int near = 0;
  int far = 0;
  float weight = 0;
};

/// Pixel centres aligned, edges replicated.
Tap tap_at(int position, int from, int to) {
  const double source = (position + 0.5) * from / to - 0.5;
  const double floor = std::floor(source);
  const int near = static_cast<int>(floor);
  if (near < 0) return {0, 0, 0};
  if (near >= from - 1) return {from - 1, from - 1, 0};
  return {near, near + 1, static_cast<float>(source - floor)};
}

/// ITU-R BT.601-7 and BT.709-6: E'R - E'Y = (1 - Kr) / 0.5 * E'Cr and so on; limited range is 16..235 for luma and
/// 16..240 for chroma, full range 0..255 for both (JFIF).
kernels::YuvMatrix yuv_matrix(const YuvColorimetry& colorimetry) {
  const bool bt709 = colorimetry.matrix == YuvColorimetry::Matrix::kBt709;
  const double kr = bt709 ? 0.2126 : 0.299;
  const double kb = bt709 ? 0.0722 : 0.114;
  const double kg = 1 - kr - kb;
  const double luma = colorimetry.full_range ? 1.0 : 255.0 / 219.0;
  const double chroma = colorimetry.full_range ? 1.0 : 255.0 / 224.0;
  const double black = colorimetry.full_range ? 0.0 : 16.0;
  const std::array<double, 3> from_u{0, -2 * (1 - kb) * kb / kg * chroma, 2 * (1 - kb) * chroma};
  const std::array<double, 3> from_v{2 * (1 - kr) * chroma, -2 * (1 - kr) * kr / kg * chroma, 0};

  kernels::YuvMatrix m;
  m.luma = static_cast<float>(luma / kernels::kBlendOne);
  for (std::size_t c = 0; c < 3; ++c) {
    m.from_u[c] = static_cast<float>(from_u[c] / kernels::kBlendOne);
    m.from_v[c] = static_cast<float>(from_v[c] / kernels::kBlendOne);
    m.offset[c] = static_cast<float>(-black * luma - 128 * (from_u[c] + from_v[c]));
  }
  return m;
}

bool is_bgr(PixelFormat format) { return format == PixelFormat::kBgr || format == PixelFormat::kBgrx; }

std::size_t count(float extent) { return static_cast<std::size_t>(extent); }

}  // namespace

Letterbox letterbox_for(const InputSpec& spec, Size image, float pixel_aspect) {
  Letterbox box{image, spec.size, {}, {}};
  if (spec.resize == ResizeRule::kStretch) {
    box.content = {static_cast<float>(spec.size.width), static_cast<float>(spec.size.height)};
    return box;
  }
  const double width = static_cast<double>(image.width) * static_cast<double>(pixel_aspect);  // as displayed
  const double height = image.height;
  const double scale = std::min(spec.size.width / width, spec.size.height / height);
  const auto fit = [scale](double from, int room) {
    return std::clamp(static_cast<int>(std::lround(from * scale)), 1, room);
  };
  const Size content{fit(width, spec.size.width), fit(height, spec.size.height)};
  box.content = {static_cast<float>(content.width), static_cast<float>(content.height)};
  if (spec.anchor == PadAnchor::kCenter) {
    const Size margin{(spec.size.width - content.width) / 2, (spec.size.height - content.height) / 2};
    box.offset = {static_cast<float>(margin.width), static_cast<float>(margin.height)};
  }
  return box;
}

Preprocessor::Preprocessor(const InputSpec& spec) : spec_(spec) {
  assert(spec.dtype == DType::kU8 || spec.dtype == DType::kF32 || spec.dtype == DType::kBf16);
  for (std::size_t c = 0; c < 3; ++c) {
    bias_[c] = -spec.mean[c] * spec.scale[c];
    pad_[c] = (spec.pad_value - spec.mean[c]) * spec.scale[c];
    packed_[c].resize(static_cast<std::size_t>(spec.size.width));
  }
}

void Preprocessor::prepare(const ImageView& view, const Letterbox& place) {
  const Size image = place.image;
  const PixelFormat format = view.format;
  const bool known = image == letterbox_.image && place.content == letterbox_.content && format == format_;
  letterbox_ = place;
  if (known) return;
  format_ = format;

  const std::size_t width = count(letterbox_.content.x);
  const int step = pixel_bytes(format);
  const int chroma_step = format == PixelFormat::kNv12 ? 2 : 1;
  for (auto* offsets : {&pixels_.near, &pixels_.far, &chroma_.near, &chroma_.far}) offsets->resize(width);
  for (auto& line : sampled_) line.resize(width);
  weights_.resize(width);
  for (std::size_t x = 0; x < width; ++x) {
    const Tap tap = tap_at(static_cast<int>(x), image.width, static_cast<int>(width));
    weights_[x] = tap.weight;
    pixels_.near[x] = tap.near * step;
    pixels_.far[x] = tap.far * step;
    chroma_.near[x] = tap.near / 2 * chroma_step;
    chroma_.far[x] = tap.far / 2 * chroma_step;
  }

  lines_.resize(count(letterbox_.content.y));
  for (std::size_t y = 0; y < lines_.size(); ++y) {
    const Tap tap = tap_at(static_cast<int>(y), image.height, static_cast<int>(lines_.size()));
    lines_[y] = {tap.near, tap.far, static_cast<std::uint16_t>(std::lround(tap.weight * kernels::kBlendOne))};
  }
  blended_.resize(static_cast<std::size_t>(std::max(image.width + 1, image.width * step)));
}

void Preprocessor::sample_yuv(const ImageView& image, const Line& line, const Planes& out) {
  const auto blend = [&](int plane, int near, int far, int samples) {
    kernels::blend_lines(image.row(plane, near), image.row(plane, far), line.weight, static_cast<std::size_t>(samples),
                         blended_.data());
  };
  const auto sample = [&](const Columns& at, std::size_t first, std::vector<float>& to) {
    kernels::sample_columns(blended_.data() + first, at.near.data(), at.far.data(), weights_.data(), to.size(),
                            to.data());
  };
  blend(0, line.near, line.far, image.width);
  sample(pixels_, 0, sampled_[0]);

  const int chroma_width = (image.width + 1) / 2;
  if (image.format == PixelFormat::kNv12) {
    blend(1, line.near / 2, line.far / 2, 2 * chroma_width);
    sample(chroma_, 0, sampled_[1]);
    sample(chroma_, 1, sampled_[2]);
  } else {
    for (const int plane : {1, 2}) {
      blend(plane, line.near / 2, line.far / 2, chroma_width);
      sample(chroma_, 0, sampled_[static_cast<std::size_t>(plane)]);
    }
  }

  const kernels::YuvMatrix matrix = yuv_matrix(image.colorimetry);
  for (std::size_t c = 0; c < 3; ++c) {
    const std::size_t rgb = spec_.color == ColorOrder::kRgb ? c : 2 - c;
    kernels::yuv_to_channel(sampled_[0].data(), sampled_[1].data(), sampled_[2].data(), matrix, rgb, spec_.scale[c],
                            bias_[c], weights_.size(), out[c]);
  }
}

void Preprocessor::sample_packed(const ImageView& image, const Line& line, const Planes& out) {
  kernels::blend_lines(image.row(0, line.near), image.row(0, line.far), line.weight,
                       static_cast<std::size_t>(image.width) * static_cast<std::size_t>(pixel_bytes(image.format)),
                       blended_.data());
  const bool same_order = is_bgr(image.format) == (spec_.color == ColorOrder::kBgr);
  for (std::size_t c = 0; c < 3; ++c) {
    const std::size_t byte = same_order ? c : 2 - c;
    kernels::sample_columns(blended_.data() + byte, pixels_.near.data(), pixels_.far.data(), weights_.data(),
                            weights_.size(), out[c]);
    kernels::scale_line(spec_.scale[c] / kernels::kBlendOne, bias_[c], weights_.size(), out[c]);
  }
}

void Preprocessor::sample_line(const ImageView& image, const Line& line, const Planes& out) {
  const auto width = static_cast<std::size_t>(spec_.size.width);
  const std::size_t left = count(letterbox_.offset.x);
  Planes content{};
  for (std::size_t c = 0; c < 3; ++c) {
    content[c] = out[c] + left;
    std::fill(out[c], content[c], pad_[c]);
    std::fill(content[c] + weights_.size(), out[c] + width, pad_[c]);
  }
  if (is_yuv(image.format)) {
    sample_yuv(image, line, content);
  } else {
    sample_packed(image, line, content);
  }
}

/// Planar floats are written in place; anything else is packed from a line of floats.
Preprocessor::Planes Preprocessor::target(MutableTensorView row, int y) {
  if (spec_.dtype != DType::kF32 || spec_.layout != Layout::kNchw) {
    return {packed_[0].data(), packed_[1].data(), packed_[2].data()};
  }
  const auto width = static_cast<std::size_t>(spec_.size.width);
  const std::size_t plane = width * static_cast<std::size_t>(spec_.size.height);
  float* line = row.as<float>().data() + width * static_cast<std::size_t>(y);
  return {line, line + plane, line + 2 * plane};
}

void Preprocessor::store(MutableTensorView row, int y) const {
  const auto width = static_cast<std::size_t>(spec_.size.width);
  const bool planar = spec_.layout == Layout::kNchw;
  const std::size_t line = width * static_cast<std::size_t>(y);
  for (std::size_t c = 0; c < 3; ++c) {
    const std::size_t at = planar ? c * width * static_cast<std::size_t>(spec_.size.height) + line : 3 * line + c;
    const std::size_t stride = planar ? 1 : 3;
    const float* from = packed_[c].data();
    if (spec_.dtype == DType::kU8) {
      kernels::store_u8(from, width, stride, row.as<std::uint8_t>().data() + at);
    } else if (spec_.dtype == DType::kBf16) {
      kernels::store_bf16(from, width, stride, row.as<std::uint16_t>().data() + at);
    } else if (!planar) {
      kernels::store_f32(from, width, stride, row.as<float>().data() + at);
    }
  }
}

Letterbox Preprocessor::write(const ImageView& image, MutableTensorView row) {
  const Letterbox place = letterbox_for(spec_, {image.width, image.height}, image.pixel_aspect);
  write(image, place, row);
  return place;
}

void Preprocessor::write(const ImageView& image, const Letterbox& place, MutableTensorView row) {
  assert(row.dtype == spec_.dtype);
  prepare(image, place);
  const int top = static_cast<int>(letterbox_.offset.y);
  const int bottom = top + static_cast<int>(lines_.size());
  const auto width = static_cast<std::size_t>(spec_.size.width);
  for (int y = 0; y < spec_.size.height; ++y) {
    const Planes out = target(row, y);
    if (y >= top && y < bottom) {
      sample_line(image, lines_[static_cast<std::size_t>(y - top)], out);
    } else {
      for (std::size_t c = 0; c < 3; ++c) std::fill_n(out[c], width, pad_[c]);
    }
    store(row, y);
  }
}

Letterbox write_region(Preprocessor& preprocessor, const ImageView& frame, const Region& region,
                       MutableTensorView row) {
  const ImageView part = crop(frame, region.crop);
  if (!region.place) return preprocessor.write(part, row);
  preprocessor.write(part, *region.place, row);
  return *region.place;
}

}  // namespace posecam
