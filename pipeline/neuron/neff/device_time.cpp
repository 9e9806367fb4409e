#include "pipeline/neuron/neff/device_time.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "models/spec/json_reader.h"

namespace posecam {
namespace {

constexpr double kMaxMs = 3'600'000;
constexpr std::uint32_t kMaxBatch = 1024;

/// A core's milliseconds for a batch where `cores` of them deliver `rate` rows a second together.
constexpr double batch_ms(double rate, double cores, double batch) { return 1000 * cores * batch / rate; }

// AWS's article on OpenPose on Inf1, 656x368: 58.42 ms an image on a core; nothing published for larger batches.
constexpr double kOpenPoseMs = 58.42;
// AWS's ResNet50 notebook on the four cores of an inf1: images a second by compiled batch.
constexpr std::pair<std::uint32_t, double> kResNet50Rates[] = {{1, 753}, {2, 1177}, {4, 1388}, {8, 1141}, {16, 1254}};
// Coordinate network at 256x192: 281 images a second untuned, 414 with batches. Taken for batch 1 and 16 of four cores,
// which the source does not say; a and b of a + b * batch follow.
constexpr double kCoordinatesOne = batch_ms(281, 4, 1);
constexpr double kCoordinatesSixteen = batch_ms(414, 4, 16);
constexpr double kCoordinatesPerRow = (kCoordinatesSixteen - kCoordinatesOne) / 15;

constexpr std::pair<std::string_view, int> kPresets[] = {{"openpose", 0}, {"resnet50", 1}, {"coordinates", 2}};

DeviceTime preset(int index) {
  DeviceTime time;
  time.preset = kPresets[index].first;
  if (time.preset == "openpose") time.per_row_ms = kOpenPoseMs;
  if (time.preset == "resnet50") {
    for (const auto& [batch, rate] : kResNet50Rates) time.by_batch.emplace_back(batch, batch_ms(rate, 4, batch));
  }
  if (time.preset == "coordinates") {
    time.fixed_ms = kCoordinatesOne - kCoordinatesPerRow;
    time.per_row_ms = kCoordinatesPerRow;
  }
  return time;
}

void read_points(const JsonNode& node, DeviceTime& time) {
  for (const auto& [key, value] : node.members()) {
    std::uint32_t batch = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), batch);
    if (error != std::errc() || end != key.data() + key.size() || batch == 0 || batch > kMaxBatch) {
      node.problem(fmt::format("expected batch sizes from 1 to {} as keys", kMaxBatch));
      return;
    }
    time.by_batch.emplace_back(batch, value.real(0, kMaxMs));
  }
  std::ranges::sort(time.by_batch);
  const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
  if (std::ranges::adjacent_find(time.by_batch, same) != time.by_batch.end())
    node.problem("a batch size appears twice");
  if (time.by_batch.empty()) node.problem("expected at least one batch size");
}

}  // namespace

double DeviceTime::ms(std::uint32_t batch) const {
  if (by_batch.empty()) return fixed_ms + per_row_ms * batch;
  if (by_batch.size() == 1) return by_batch[0].second / by_batch[0].first * batch;
  auto above = std::ranges::lower_bound(by_batch, batch, {}, &std::pair<std::uint32_t, double>::first);
  above = std::clamp(above, by_batch.begin() + 1, by_batch.end() - 1);
  const auto [b0, ms0] = *(above - 1);
  const auto [b1, ms1] = *above;
  const double share = (static_cast<double>(batch) - b0) / (static_cast<double>(b1) - b0);
  return std::max(0.0, ms0 + share * (ms1 - ms0));
}

std::vector<std::string_view> device_time_presets() {
  std::vector<std::string_view> names;
  for (const auto& entry : kPresets) names.push_back(entry.first);
  return names;
}

DeviceTime read_device_time(const JsonNode& node) {
  node.expect_keys({"preset", "fixed_ms", "per_row_ms", "by_batch"});
  DeviceTime time;
  if (node.has("preset") + node.has("by_batch") + (node.has("fixed_ms") || node.has("per_row_ms")) != 1) {
    node.problem("expected one of: preset; by_batch; fixed_ms and per_row_ms");
  } else if (node.has("preset")) {
    time = preset(node.at("preset").one_of(kPresets));
  } else if (node.has("by_batch")) {
    read_points(node.at("by_batch"), time);
  } else {
    time.fixed_ms = node.has("fixed_ms") ? node.at("fixed_ms").real(0, kMaxMs) : 0;
    time.per_row_ms = node.has("per_row_ms") ? node.at("per_row_ms").real(0, kMaxMs) : 0;
  }
  return time;
}

nlohmann::json to_json(const DeviceTime& time) {
  if (!time.preset.empty()) return {{"preset", time.preset}};
  if (time.by_batch.empty()) return {{"fixed_ms", time.fixed_ms}, {"per_row_ms", time.per_row_ms}};
  nlohmann::json points = nlohmann::json::object();
  for (const auto& [batch, ms] : time.by_batch) points[std::to_string(batch)] = ms;
  return {{"by_batch", std::move(points)}};
}

Result<DeviceTime> parse_device_time(const std::string& text) {
  if (const auto* named = std::ranges::find(kPresets, text, &std::pair<std::string_view, int>::first);
      named != std::end(kPresets)) {
    return preset(named->second);
  }
  DeviceTime time;
  int used = 0;
  const int found = std::sscanf(text.c_str(), "%lf+%lf%n", &time.fixed_ms, &time.per_row_ms, &used);
  const auto valid = [](double ms) { return ms >= 0 && ms <= kMaxMs; };  // and a number
  if (found == 2 && static_cast<std::size_t>(used) == text.size() && valid(time.fixed_ms) && valid(time.per_row_ms)) {
    return time;
  }
  return Error{Errc::kUsage, fmt::format("{}: must be {} or A+B, milliseconds for a batch and for each of its rows",
                                         text, fmt::join(device_time_presets(), ", "))};
}

}  // namespace posecam
