#include "pipeline/preprocess.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "postprocess/simd.h"

namespace posecam {
namespace {

// --- kernels: plain loops that the compiler vectorises for each instruction set ----------------------------------

/// out[i] = rows blended, for interleaved bytes.
POSECAM_SIMD void blend(const std::uint8_t* __restrict near, const std::uint8_t* __restrict far, float weight, int n,
                        float* __restrict out) {
  for (int i = 0; i < n; ++i) {
    const float a = near[i];
    out[i] = a + (static_cast<float>(far[i]) - a) * weight;
  }
}

/// out[i] = columns blended, channel `channel` of `step` interleaved ones.
POSECAM_SIMD void gather(const float* __restrict in, const std::int32_t* __restrict near,
                         const std::int32_t* __restrict far, const float* __restrict weight, int step, int channel,
                         int n, float* __restrict out) {
  for (int i = 0; i < n; ++i) {
    const float a = in[near[i] * step + channel];
    out[i] = a + (in[far[i] * step + channel] - a) * weight[i];
  }
}

/// Coefficients of Y'CbCr -> R'G'B' in 0..255.
struct YuvMatrix {
  float y_offset, y_gain, v_to_r, u_to_g, v_to_g, u_to_b;
};

/// ITU-R BT.601-7 and BT.709-6, from their luma weights; limited range is 16..235 and 16..240, full range 0..255.
YuvMatrix yuv_matrix(YuvColorimetry c) {
  const bool bt709 = c.matrix == YuvColorimetry::Matrix::kBt709;
  const float kr = bt709 ? 0.2126F : 0.299F;
  const float kb = bt709 ? 0.0722F : 0.114F;
  const float kg = 1 - kr - kb;
  const float y_gain = c.full_range ? 1.0F : 255.0F / 219.0F;
  const float c_gain = c.full_range ? 1.0F : 255.0F / 224.0F;
  return {c.full_range ? 0.0F : 16.0F,         y_gain, c_gain * 2 * (1 - kr), -c_gain * 2 * (1 - kb) * kb / kg,
          -c_gain * 2 * (1 - kr) * kr / kg, c_gain * 2 * (1 - kb)};
}

POSECAM_SIMD void yuv_to_rgb(const YuvMatrix& m, const float* __restrict y, const float* __restrict u,
                             const float* __restrict v, int n, float* __restrict r, float* __restrict g,
                             float* __restrict b) {
  for (int i = 0; i < n; ++i) {
    const float luma = (y[i] - m.y_offset) * m.y_gain;
    const float cu = u[i] - 128;
    const float cv = v[i] - 128;
    r[i] = std::min(std::max(luma + m.v_to_r * cv, 0.0F), 255.0F);
    g[i] = std::min(std::max(luma + m.u_to_g * cu + m.v_to_g * cv, 0.0F), 255.0F);
    b[i] = std::min(std::max(luma + m.u_to_b * cu, 0.0F), 255.0F);
  }
}

POSECAM_SIMD void scale_to_f32(const float* __restrict in, float scale, float bias, int n, float* __restrict out) {
  for (int i = 0; i < n; ++i) out[i] = in[i] * scale + bias;
}

/// Round to nearest even, as the hardware does; inputs are finite.
std::uint16_t to_bf16(float v) {
  const auto bits = std::bit_cast<std::uint32_t>(v);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U);
}

std::uint8_t to_u8(float v) { return static_cast<std::uint8_t>(std::clamp(std::lround(v), 0L, 255L)); }

/// Index of red, green and blue in the bytes of a packed pixel.
std::array<int, 3> rgb_positions(PixelFormat f) {
  return f == PixelFormat::kBgr || f == PixelFormat::kBgrx ? std::array{2, 1, 0} : std::array{0, 1, 2};
}

/// Index of red, green and blue among the network's channels.
std::array<std::size_t, 3> rgb_channels(ColorOrder order) {
  return order == ColorOrder::kBgr ? std::array<std::size_t, 3>{2, 1, 0} : std::array<std::size_t, 3>{0, 1, 2};
}

}  // namespace

Letterbox letterbox_for(const InputSpec& spec, Size image) {
  const auto [w, h] = spec.size;
  int content_w = w;
  int content_h = h;
  if (spec.resize == ResizeRule::kLetterbox) {
    const double scale = std::min(static_cast<double>(w) / image.width, static_cast<double>(h) / image.height);
    content_w = std::clamp(static_cast<int>(std::lround(image.width * scale)), 1, w);
    content_h = std::clamp(static_cast<int>(std::lround(image.height * scale)), 1, h);
  }
  const bool centred = spec.anchor == PadAnchor::kCenter;
  return {image,
          spec.size,
          {static_cast<float>(centred ? (w - content_w) / 2 : 0), static_cast<float>(centred ? (h - content_h) / 2 : 0)},
          {static_cast<float>(content_w), static_cast<float>(content_h)}};
}

void AxisTaps::build(int out, int image, int samples, int subsampling) {
  near.resize(static_cast<std::size_t>(out));
  far.resize(near.size());
  weight.resize(near.size());
  const double step = static_cast<double>(image) / out;
  for (int i = 0; i < out; ++i) {
    const double at = (i + 0.5) * step / subsampling - 0.5;
    const double floor = std::floor(at);
    near[i] = std::clamp(static_cast<int>(floor), 0, samples - 1);
    far[i] = std::clamp(static_cast<int>(floor) + 1, 0, samples - 1);
    weight[i] = static_cast<float>(at - floor);
  }
}

Preprocessor::Preprocessor(const InputSpec& spec) : spec_(spec) {
  for (std::size_t c = 0; c < 3; ++c) bias_[c] = -spec.mean[c] * spec.scale[c];
}

void Preprocessor::prepare(const ImageView& image) {
  const Size size{image.width, image.height};
  if (size == letterbox_.image && image.format == format_) return;
  letterbox_ = letterbox_for(spec_, size);
  format_ = image.format;
  const int w = static_cast<int>(letterbox_.content.x);
  const int h = static_cast<int>(letterbox_.content.y);
  columns_.build(w, size.width, size.width, 1);
  rows_.build(h, size.height, size.height, 1);
  if (is_yuv(format_)) {
    chroma_columns_.build(w, size.width, (size.width + 1) / 2, 2);
    chroma_rows_.build(h, size.height, (size.height + 1) / 2, 2);
  }
  const auto row_values = static_cast<std::size_t>(size.width) * 4;
  blended_.resize(std::max(row_values, 2 * static_cast<std::size_t>(w)));  // U and V of an output row also fit
  for (Line& line : blended_chroma_) line.resize(row_values);
  for (Line& line : planes_) line.resize(static_cast<std::size_t>(w));
  scratch_.resize(static_cast<std::size_t>(std::max(w, spec_.size.width)));
}

Letterbox Preprocessor::write(const ImageView& image, MutableTensorView row) {
  prepare(image);
  store_padding(row);
  const int h = static_cast<int>(letterbox_.content.y);
  for (int y = 0; y < h; ++y) {
    if (is_yuv(format_)) {
      yuv_row(image, y);
    } else {
      packed_row(image, y);
    }
    store_row(y, row);
  }
  return letterbox_;
}

void Preprocessor::blend_rows(const ImageView& image, int plane, const AxisTaps& taps, int y, int values,
                              Line& out) const {
  const auto i = static_cast<std::size_t>(y);
  blend(image.row(plane, taps.near[i]), image.row(plane, taps.far[i]), taps.weight[i], values, out.data());
}

void Preprocessor::packed_row(const ImageView& image, int y) {
  const int step = pixel_bytes(format_);
  blend_rows(image, 0, rows_, y, image.width * step, blended_);
  const auto bytes = rgb_positions(format_);
  const auto channels = rgb_channels(spec_.color);
  const int n = static_cast<int>(columns_.near.size());
  for (std::size_t c = 0; c < 3; ++c) {
    gather(blended_.data(), columns_.near.data(), columns_.far.data(), columns_.weight.data(), step, bytes[c], n,
           planes_[channels[c]].data());
  }
}

void Preprocessor::yuv_row(const ImageView& image, int y) {
  const int n = static_cast<int>(columns_.near.size());
  const int chroma_width = (image.width + 1) / 2;
  blend_rows(image, 0, rows_, y, image.width, blended_);
  // U and V, interleaved in one plane or in a plane each, end up in two output lines, then become colours in place.
  const bool interleaved = format_ == PixelFormat::kNv12;
  for (int p = 0; p < (interleaved ? 1 : 2); ++p) {
    blend_rows(image, 1 + p, chroma_rows_, y, interleaved ? 2 * chroma_width : chroma_width, blended_chroma_[p]);
  }
  const auto channels = rgb_channels(spec_.color);
  Line& r = planes_[channels[0]];
  Line& g = planes_[channels[1]];
  Line& b = planes_[channels[2]];
  Line& luma = scratch_;
  gather(blended_.data(), columns_.near.data(), columns_.far.data(), columns_.weight.data(), 1, 0, n, luma.data());
  const AxisTaps& cc = chroma_columns_;
  Line& u = blended_;  // what it held is in `luma` now
  float* const v = u.data() + n;
  const Line& from_v = blended_chroma_[interleaved ? 0 : 1];
  gather(blended_chroma_[0].data(), cc.near.data(), cc.far.data(), cc.weight.data(), interleaved ? 2 : 1, 0, n, u.data());
  gather(from_v.data(), cc.near.data(), cc.far.data(), cc.weight.data(), interleaved ? 2 : 1, interleaved ? 1 : 0, n, v);
  yuv_to_rgb(yuv_matrix(image.colorimetry), luma.data(), u.data(), v, n, r.data(), g.data(), b.data());
}

void Preprocessor::store_row(int y, MutableTensorView row) const {
  const int x = static_cast<int>(letterbox_.offset.x);
  const int out_y = y + static_cast<int>(letterbox_.offset.y);
  for (int c = 0; c < 3; ++c) {
    store(c, out_y, x, static_cast<int>(columns_.near.size()), planes_[static_cast<std::size_t>(c)].data(), row);
  }
}

void Preprocessor::store_padding(MutableTensorView row) {
  const int x0 = static_cast<int>(letterbox_.offset.x);
  const int y0 = static_cast<int>(letterbox_.offset.y);
  const int x1 = x0 + static_cast<int>(letterbox_.content.x);
  const int y1 = y0 + static_cast<int>(letterbox_.content.y);
  const auto [w, h] = spec_.size;
  if (x1 - x0 == w && y1 - y0 == h) return;
  std::fill_n(scratch_.begin(), w, spec_.pad_value);
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < h; ++y) {
      const bool beside = y >= y0 && y < y1;
      store(c, y, 0, beside ? x0 : w, scratch_.data(), row);
      if (beside) store(c, y, x1, w - x1, scratch_.data(), row);
    }
  }
}

/// Normalises `n` values of one channel and puts them where layout and dtype say.
void Preprocessor::store(int channel, int y, int x, int n, const float* values, MutableTensorView row) const {
  const auto [w, h] = spec_.size;
  const bool planar = spec_.layout == Layout::kNchw;
  const std::ptrdiff_t at = planar ? (std::ptrdiff_t{channel} * h + y) * w + x : (std::ptrdiff_t{y} * w + x) * 3 + channel;
  const std::ptrdiff_t step = planar ? 1 : 3;
  const float scale = spec_.scale[static_cast<std::size_t>(channel)];
  const float bias = bias_[static_cast<std::size_t>(channel)];
  switch (row.dtype) {
    case DType::kF32: {
      float* out = row.as<float>().data() + at;
      if (planar) {
        scale_to_f32(values, scale, bias, n, out);
      } else {
        for (int i = 0; i < n; ++i) out[i * step] = values[i] * scale + bias;
      }
      break;
    }
    case DType::kBf16: {
      std::uint16_t* out = row.as<std::uint16_t>().data() + at;
      for (int i = 0; i < n; ++i) out[i * step] = to_bf16(values[i] * scale + bias);
      break;
    }
    default: {
      std::uint8_t* out = row.as<std::uint8_t>().data() + at;
      for (int i = 0; i < n; ++i) out[i * step] = to_u8(values[i] * scale + bias);
    }
  }
}

}  // namespace posecam
