// Decoders of boxes at the sizes of published networks: lists as they are of a street with some people, most rows below
// the threshold, and lists of noise, the worst case. Figures in docs/performance/decoding.md.

#include <random>

#include <benchmark/benchmark.h>

#include "tests/support/box_networks.h"

namespace posecam {
namespace {

constexpr Size kInput{640, 640};
constexpr int kLabels = 80;
constexpr int kRows = 8400;  // of YOLOv8 at 640x640
constexpr Size kLarge{1024, 1024};
constexpr int kLargeRows = 21'504;  // likewise

/// One value in `rare` may be a score; the others are small.
void decode(benchmark::State& state, const test::BoxNetwork& network, int rare) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> share(0, 1);
  std::uniform_int_distribution<int> chance(1, rare);
  auto frame = test::frame_of(network, [&] { return chance(random) == 1 ? share(random) : share(random) / 10; });
  test::make_plausible(network, frame);
  auto made = network.spec.decoder->make(network.spec, {});
  if (!made) return state.SkipWithError(made.error().message.c_str());
  const Size input = network.spec.input.size;
  const Letterbox letterbox{input, input, {0, 0}, {static_cast<float>(input.width), static_cast<float>(input.height)}};
  FrameResult result;
  for (auto _ : state) {
    if (auto ran = (*made)->run(frame.views, letterbox, result); !ran) {
      return state.SkipWithError(ran.error().message.c_str());
    }
  }
  state.counters["found"] = static_cast<double>(result.detections.size() + result.poses.size());
}

}  // namespace
}  // namespace posecam

int main(int argc, char** argv) {
  using namespace posecam;
  auto networks = test::box_networks(kInput, kLabels, kRows);
  for (auto& network : test::yolo_networks(kLarge, kLabels, kLargeRows)) {
    network.name += " 1024x1024";
    networks.push_back(std::move(network));
  }
  for (const auto& network : networks) {
    for (const auto& [name, rare] : {std::pair{"street", 20'000}, std::pair{"noise", 1}}) {
      benchmark::RegisterBenchmark((network.name + "/" + name).c_str(), [&network,
                                                                         rare = rare](benchmark::State& state) {
        decode(state, network, rare);
      })->Unit(benchmark::kMicrosecond);
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
