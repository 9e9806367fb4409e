// What neuronoverlay and neuronjson do to a frame: blur, draw, one line of JSON. 1280x720 NV12, one and eight people.
// Figures in docs/performance/elements.md.

#include <array>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "postprocess/documents/json_writer.h"
#include "postprocess/draw/draw.h"
#include "postprocess/draw/people_regions.h"
#include "postprocess/draw/pixelate.h"

namespace posecam {
namespace {

constexpr int kWidth = 1280;
constexpr int kHeight = 720;

struct Frame {
  Frame() : luma(std::size_t{kWidth} * kHeight), chroma(luma.size() / 2) {
    std::mt19937 random(7);
    for (auto& b : luma) b = static_cast<std::uint8_t>(random());
    view.format = PixelFormat::kNv12;
    view.width = kWidth;
    view.height = kHeight;
    view.planes = {luma.data(), chroma.data()};
    view.strides = {kWidth, kWidth};
  }
  std::vector<std::uint8_t> luma;
  std::vector<std::uint8_t> chroma;
  MutableImageView view;
};

// Standing, two thirds of the frame high, side by side, each with a box; all 17 keypoints found.
FrameResult people(int count) {
  constexpr std::array<Point, 17> kStanding{{{0, .08F},
                                             {.01F, .06F},
                                             {-.01F, .06F},
                                             {.02F, .07F},
                                             {-.02F, .07F},
                                             {.04F, .16F},
                                             {-.04F, .16F},
                                             {.06F, .26F},
                                             {-.06F, .26F},
                                             {.06F, .34F},
                                             {-.06F, .34F},
                                             {.03F, .36F},
                                             {-.03F, .36F},
                                             {.03F, .5F},
                                             {-.03F, .5F},
                                             {.03F, .64F},
                                             {-.03F, .64F}}};
  auto model = std::make_shared<ModelSpec>();
  model->name = "people";
  model->skeleton = find_skeleton("coco-17");
  model->labels = {"person"};
  FrameResult result;
  result.model = model;
  for (int i = 0; i < count; ++i) {
    const float x = (static_cast<float>(i) + 0.5F) / static_cast<float>(count);
    Pose pose;
    for (std::size_t k = 0; k < kStanding.size(); ++k) {
      pose.keypoints[k] = Keypoint{x + kStanding[k].x, 0.2F + kStanding[k].y, 0.8F};
    }
    pose.id = i;
    result.poses.push_back(pose);
    result.detections.push_back({{x - 0.07F, 0.2F, 0.14F, 0.7F}, 0.9F, 0, i});
  }
  return result;
}

void draw_people(benchmark::State& state) {
  const FrameResult result = people(static_cast<int>(state.range(0)));
  const Frame frame;
  for (auto _ : state) benchmark::DoNotOptimize(draw(result, {}, frame.view));
}

void blur(benchmark::State& state, PeoplePart part) {
  const FrameResult result = people(static_cast<int>(state.range(0)));
  const Frame frame;
  std::vector<PixelRect> regions;
  for (auto _ : state) {
    regions.clear();
    find_people(result, part, {kWidth, kHeight}, regions);
    for (const PixelRect& region : regions) pixelate(frame.view, region);
    benchmark::ClobberMemory();
  }
}

void ndjson_line(benchmark::State& state) {
  const FrameResult result = people(static_cast<int>(state.range(0)));
  FrameInfo info;
  info.stream_id = "cam1";
  info.size = {kWidth, kHeight};
  info.pts_ns = 40'000'000;
  info.wallclock = std::chrono::system_clock::now();
  std::string line;
  for (auto _ : state) {
    line.clear();
    append_ndjson_line(info, result, line);
    benchmark::DoNotOptimize(line.data());
  }
  state.counters["bytes"] = static_cast<double>(line.size());
}

BENCHMARK(draw_people)->Arg(1)->Arg(8)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(blur, face, PeoplePart::kFace)->Arg(1)->Arg(8)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(blur, person, PeoplePart::kWhole)->Arg(1)->Arg(8)->Unit(benchmark::kMicrosecond);
BENCHMARK(ndjson_line)->Arg(1)->Arg(8)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace posecam

BENCHMARK_MAIN();
