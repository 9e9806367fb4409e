#include "postprocess/decode/single/maps.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace posecam {
namespace {

constexpr float kLargest = std::numeric_limits<float>::max();

/// NaN and infinities are no height.
bool is_higher(float v, float than) { return v > than && v <= kLargest; }

float sign(float v) { return static_cast<float>(v > 0) - static_cast<float>(v < 0); }

}  // namespace

MapsSection MapsSection::read(const JsonNode& node, std::span<const std::string> outputs) {
  static constexpr std::pair<std::string_view, Layout> kLayouts[]{{"nchw", Layout::kNchw}, {"nhwc", Layout::kNhwc}};
  MapsSection section;
  section.channels = {read_output(node, outputs), static_cast<int>(node.at("first").integer(0, 4096))};
  section.layout = node.at("layout").one_of(kLayouts);
  section.stride = static_cast<int>(node.at("stride").integer(1, 256));
  return section;
}

Result<MapsOutput> MapsOutput::make(const ModelSpec& spec, const MapsSection& section, std::size_t parts) {
  auto output = find_output(spec, section.channels.output);
  if (!output) return output.error();
  const Size size = spec.input.size;
  const int stride = section.stride;
  if (stride < 1 || size.width < stride || size.height < stride || size.width % stride != 0 ||
      size.height % stride != 0) {
    return Error{Errc::kModel, fmt::format("model '{}': stride {} of the heatmaps does not divide the input of {}x{}",
                                           spec.name, stride, size.width, size.height)};
  }
  MapsOutput made;
  made.output_ = *std::move(output);
  made.section_ = section;
  made.cells_ = {size.width / stride, size.height / stride};
  made.parts_ = parts;
  return made;
}

Result<void> MapsOutput::check(std::span<const TensorView> outputs) const {
  if (outputs.size() <= output_.index) return check_values(outputs, output_, 0, "heatmaps");
  const TensorView& tensor = outputs[output_.index];
  const bool planes = section_.layout == Layout::kNchw;
  const std::int64_t channels = section_.channels.first + static_cast<std::int64_t>(parts_);
  const Shape& shape = tensor.shape;
  const bool fits = tensor.dtype == DType::kF32 && shape.rank() == 4 && shape[0] == 1 &&
                    shape[planes ? 1 : 3] >= channels && shape[planes ? 2 : 1] == cells_.height &&
                    shape[planes ? 3 : 2] == cells_.width;
  if (fits) return {};
  const auto cells = fmt::format("{}x{}", cells_.height, cells_.width);
  const auto count = fmt::format("(at least {})", channels);
  return Error{Errc::kModel,
               fmt::format("output '{}' is {} {}, expected f32 1x{}x{}; check layout and stride of the heatmaps in the "
                           "model's decoder entry",
                           output_.name, to_string(shape), to_string(tensor.dtype), planes ? count : cells,
                           planes ? cells : count)};
}

Maps MapsOutput::maps(std::span<const TensorView> outputs) const {
  const TensorView& tensor = outputs[output_.index];
  Maps maps;
  maps.width = cells_.width;
  maps.height = cells_.height;
  maps.parts = parts_;
  if (section_.layout == Layout::kNchw) {
    maps.column = 1;
    maps.row = maps.width;
    maps.part = std::ptrdiff_t{maps.row} * maps.height;
  } else {
    maps.part = 1;
    maps.column = static_cast<std::ptrdiff_t>(tensor.shape[3]);
    maps.row = maps.column * maps.width;
  }
  maps.values = tensor.as<float>().data() + section_.channels.first * maps.part;
  return maps;
}

void find_highest(const Maps& maps, std::span<Cell> cells) {
  std::ranges::fill(cells, Cell{});
  const auto look = [&](std::size_t part, int x, int y) {
    const float value = maps.at(part, x, y);
    if (is_higher(value, cells[part].value)) cells[part] = {x, y, value};
  };
  // In the order in which the values lie in memory.
  if (maps.part == 1) {
    for (int y = 0; y < maps.height; ++y) {
      for (int x = 0; x < maps.width; ++x) {
        for (std::size_t part = 0; part < maps.parts; ++part) look(part, x, y);
      }
    }
    return;
  }
  for (std::size_t part = 0; part < maps.parts; ++part) {
    for (int y = 0; y < maps.height; ++y) {
      for (int x = 0; x < maps.width; ++x) look(part, x, y);
    }
  }
}

Point quarter_offset(const Maps& maps, std::size_t part, const Cell& cell) {
  const auto [x, y, value] = cell;
  Point at{static_cast<float>(x), static_cast<float>(y)};
  if (x > 0 && x + 1 < maps.width) at.x += 0.25F * sign(maps.at(part, x + 1, y) - maps.at(part, x - 1, y));
  if (y > 0 && y + 1 < maps.height) at.y += 0.25F * sign(maps.at(part, x, y + 1) - maps.at(part, x, y - 1));
  return at;
}

DarkStep::DarkStep(int taps)
    : taps_(static_cast<std::size_t>(taps)),
      lines_(kSide * (kSide + taps_.size() - 1)),
      smoothed_(std::size_t{kSide} * kSide) {
  const float middle = static_cast<float>(taps - 1) / 2;
  const float deviation = 0.3F * (middle - 1) + 0.8F;
  float sum = 0;
  for (int i = 0; i < taps; ++i) {
    const float off = (static_cast<float>(i) - middle) / deviation;
    sum += taps_[static_cast<std::size_t>(i)] = std::exp(-off * off / 2);
  }
  for (float& tap : taps_) tap /= sum;
}

// Along the rows first, then along the columns. What is not finite counts as 0, like what is beyond the edge.
void DarkStep::smooth(const Maps& maps, std::size_t part, const Cell& cell) {
  const int reach = kReach + static_cast<int>(taps_.size()) / 2;
  auto line = lines_.begin();
  for (int y = cell.y - reach; y <= cell.y + reach; ++y) {
    for (int first = cell.x - reach; first < cell.x - reach + kSide; ++first) {
      float sum = 0;
      int x = first;
      for (const float tap : taps_) {
        const bool inside = x >= 0 && x < maps.width && y >= 0 && y < maps.height;
        const float value = inside ? maps.at(part, x, y) : 0;
        if (std::isfinite(value)) sum += tap * value;
        ++x;
      }
      *line++ = sum;
    }
  }
  constexpr float kFloor = 1e-10F;  // the authors' own, so that there is a logarithm
  for (std::size_t at = 0; at < smoothed_.size(); ++at) {
    float sum = 0;
    for (std::size_t i = 0; i < taps_.size(); ++i) sum += taps_[i] * lines_[at + i * kSide];
    // The authors also scale the map so that its maximum stays: a constant here, which no difference sees.
    smoothed_[at] = std::log(std::max(sum, kFloor));
  }
}

Point DarkStep::refine(const Maps& maps, std::size_t part, const Cell& cell) {
  const Point at{static_cast<float>(cell.x), static_cast<float>(cell.y)};
  if (cell.x < kReach || cell.y < kReach || cell.x + kReach >= maps.width || cell.y + kReach >= maps.height) return at;
  smooth(maps, part, cell);
  const float dx = 0.5F * (log_at(1, 0) - log_at(-1, 0));
  const float dy = 0.5F * (log_at(0, 1) - log_at(0, -1));
  const float dxx = 0.25F * (log_at(2, 0) - 2 * log_at(0, 0) + log_at(-2, 0));
  const float dyy = 0.25F * (log_at(0, 2) - 2 * log_at(0, 0) + log_at(0, -2));
  const float dxy = 0.25F * (log_at(1, 1) - log_at(-1, 1) - log_at(1, -1) + log_at(-1, -1));
  const float determinant = dxx * dyy - dxy * dxy;
  if (!(determinant > 0 && dxx < 0)) return at;
  const float step_x = (dxy * dy - dyy * dx) / determinant;
  const float step_y = (dxy * dx - dxx * dy) / determinant;
  if (!(std::abs(step_x) <= kReach && std::abs(step_y) <= kReach)) return at;
  return {at.x + step_x, at.y + step_y};
}

}  // namespace posecam
