// PAF decoding on the recorded maps of shared/golden, step by step and whole, fast and reference; without the maps: on
// a rendered scene. Decoders of one person on outputs that are made, in the shapes of the networks they are named by;
// MoveNet's maps with people drawn into noise. Figures in docs/performance/decoding.md.

#include <cmath>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include <benchmark/benchmark.h>

#include "postprocess/decode/paf/limb_score.h"
#include "postprocess/decode/paf/paf_decoder.h"
#include "postprocess/decode/paf/peaks.h"
#include "postprocess/decode/single/coordinates.h"
#include "postprocess/decode/single/heatmaps.h"
#include "postprocess/decode/single/simcc.h"
#include "tests/support/decoder_of.h"
#include "tests/support/movenet_maps.h"
#include "tests/support/npy.h"
#include "tests/support/paf_scene.h"

namespace posecam {
namespace {

struct Recording {
  std::string name;
  test::NpyArray heatmaps;
  test::NpyArray pafs;
  PafMaps maps() const {
    return {heatmaps.values.data(), pafs.values.data(), static_cast<int>(heatmaps.shape[2]),
            static_cast<int>(heatmaps.shape[1])};
  }
};

std::vector<Recording> recordings() {
  const std::filesystem::path dir = std::filesystem::path(POSECAM_SHARED_DIR) / "golden";
  std::vector<Recording> all;
  for (const char* name : {"coco_000000000785", "coco_000000000885", "coco_000000541055", "coco_000000001000"}) {
    if (!std::filesystem::exists(dir / (std::string(name) + "_heatmaps.npy"))) continue;
    all.push_back({name, test::read_npy(dir / (std::string(name) + "_heatmaps.npy")),
                   test::read_npy(dir / (std::string(name) + "_pafs.npy"))});
  }
  if (!all.empty()) return all;
  test::Scene scene(coco18(), 57, 32);
  for (const float x : {8.0F, 20.0F, 32.0F, 45.0F}) scene.draw(test::standing(coco18(), x, 4, 22));
  all.push_back({"rendered", {Shape{19, 32, 57}, scene.heatmaps}, {Shape{38, 32, 57}, scene.pafs}});
  return all;
}

// All parts of the last recording, the busiest.
void smoothing(benchmark::State& state, const Recording& r) {
  const PafMaps maps = r.maps();
  const PhaseKernels kernels = phase_kernels(static_cast<int>(state.range(0)));
  PaddedPlane raw, smoothed;
  raw.reset(maps.width, maps.height, kernels.radius);
  smoothed.reset(maps.width * kEnlargement, maps.height * kEnlargement, 1);
  std::vector<float> scratch;
  for (auto _ : state) {
    for (std::size_t part = 0; part < 18; ++part) {
      load_plane(maps.heatmap(part), 0.05F, raw);
      smooth_enlarged(raw, kernels, {0, 0, maps.width, maps.height}, scratch, smoothed);
      benchmark::DoNotOptimize(smoothed.row(0));
      benchmark::ClobberMemory();
    }
  }
}

void smoothing_reference(benchmark::State& state, const Recording& r) {
  const PafMaps maps = r.maps();
  const int taps = static_cast<int>(state.range(0));
  const auto line = gaussian_taps(taps);
  std::vector<float> kernel;
  for (const float a : line) {
    for (const float b : line) kernel.push_back(a * b);
  }
  const int width = maps.width * kEnlargement;
  const int height = maps.height * kEnlargement;
  std::vector<float> in(static_cast<std::size_t>(width) * height, 0.5F), out(in.size());
  for (auto _ : state) {
    for (int part = 0; part < 18; ++part) smooth_full(in.data(), width, height, kernel, taps, out.data());
    benchmark::DoNotOptimize(out.data());
  }
}

void peaks(benchmark::State& state, const Recording& r) {
  const PafMaps maps = r.maps();
  const PhaseKernels kernels = phase_kernels(25);
  std::vector<PaddedPlane> raw(18), smoothed(18);
  std::vector<float> scratch;
  const CellBox all{0, 0, maps.width, maps.height};
  for (std::size_t part = 0; part < 18; ++part) {
    raw[part].reset(maps.width, maps.height, kernels.radius);
    smoothed[part].reset(maps.width * kEnlargement, maps.height * kEnlargement, 1);
    load_plane(maps.heatmap(part), 0.05F, raw[part]);
    smooth_enlarged(raw[part], kernels, all, scratch, smoothed[part]);
  }
  PeakTable table;
  for (auto _ : state) {
    table.clear();
    for (std::size_t part = 0; part < 18; ++part) find_peaks(smoothed[part], raw[part], all, 0.05F, part, table);
    benchmark::DoNotOptimize(table.of(0).data());
  }
}

void limb_scores(benchmark::State& state, const Recording& r) {
  const PafMaps maps = r.maps();
  FastPafDecoder decoder(coco18(), {});
  decoder.decode(maps);
  std::vector<LimbCandidate> candidates;
  for (auto _ : state) {
    for (const Limb& limb : coco18().limbs) {
      score_limbs({maps.paf(limb.paf_x), maps.paf(limb.paf_y), maps.width, maps.height}, decoder.peaks().of(limb.from),
                  decoder.peaks().of(limb.to), 0.05F, candidates);
      benchmark::DoNotOptimize(candidates.data());
    }
  }
}

void grouping(benchmark::State& state, const Recording& r) {
  const PafMaps maps = r.maps();
  FastPafDecoder decoder(coco18(), {});
  decoder.decode(maps);
  std::vector<std::vector<LimbCandidate>> scored(coco18().limbs.size());
  for (std::size_t l = 0; l < scored.size(); ++l) {
    const Limb& limb = coco18().limbs[l];
    score_limbs({maps.paf(limb.paf_x), maps.paf(limb.paf_y), maps.width, maps.height}, decoder.peaks().of(limb.from),
                decoder.peaks().of(limb.to), 0.05F, scored[l]);
  }
  Connections connections;
  std::vector<LimbCandidate> candidates;
  std::vector<GroupedPerson> people;
  for (auto _ : state) {
    connections.clear();
    for (std::size_t l = 0; l < scored.size(); ++l) {
      candidates = scored[l];
      connections.select(l, candidates);
    }
    group_people(coco18(), decoder.peaks(), connections, {}, people);
    benchmark::DoNotOptimize(people.data());
  }
}

template <class Decoder>
void decode(benchmark::State& state, const Recording& r) {
  PafOptions options;
  options.taps = static_cast<int>(state.range(0));
  Decoder decoder(coco18(), options);
  std::size_t people = 0;
  for (auto _ : state) people = decoder.decode(r.maps()).size();
  state.counters["people"] = static_cast<double>(people);
}

/// A network of one person: its decoder, and an output of each shape with smooth values.
struct OnePersonCase {
  std::string name;
  std::string skeleton;
  Size input;
  std::shared_ptr<const Decoder> decoder;
  std::vector<std::string> outputs;
  std::vector<Shape> shapes;
};

std::vector<OnePersonCase> one_person_cases() {
  CoordinatesDecoder movenet;
  movenet.output = "points";
  movenet.values = 3;
  movenet.unit = CoordinatesDecoder::Unit::kInput;
  movenet.score = CoordinatesDecoder::Score{"", 2, false};
  CoordinatesDecoder blazepose = movenet;
  blazepose.count = 39;
  blazepose.values = 5;
  blazepose.score = CoordinatesDecoder::Score{"", 3, true};
  blazepose.refine = CoordinatesDecoder::Refinement{{{"maps", 0}, Layout::kNhwc, 4}, 7};
  HeatmapsDecoder cpm;
  cpm.maps = {{"maps", 0}, Layout::kNhwc, 2};
  HeatmapsDecoder hrnet;
  hrnet.maps = {{"maps", 0}, Layout::kNchw, 4};
  hrnet.refine = HeatmapsDecoder::Refine::kDark;
  SimccDecoder rtmpose;
  rtmpose.x = "x";
  rtmpose.y = "y";
  const auto shared = [](const auto& decoder) {
    return std::make_shared<const std::remove_cvref_t<decltype(decoder)>>(decoder);
  };
  return {{"coordinates/MoveNet", "coco-17", {192, 192}, shared(movenet), {"points"}, {{1, 1, 17, 3}}},
          {"coordinates/BlazePose",
           "blazepose-33",
           {256, 256},
           shared(blazepose),
           {"points", "maps"},
           {{1, 195}, {1, 64, 64, 39}}},
          {"heatmaps/CPM", "ai-challenger-14", {192, 192}, shared(cpm), {"maps"}, {{1, 96, 96, 14}}},
          {"heatmaps/HRNet-DARK", "coco-17", {192, 256}, shared(hrnet), {"maps"}, {{1, 17, 64, 48}}},
          {"simcc/RTMPose", "halpe-26", {192, 256}, shared(rtmpose), {"x", "y"}, {{1, 26, 384}, {1, 26, 512}}}};
}

void one_person(benchmark::State& state, const OnePersonCase& c) {
  ModelSpec spec;
  spec.name = c.name;
  spec.outputs = c.outputs;
  spec.input.size = c.input;
  spec.skeleton = find_skeleton(c.skeleton);
  std::vector<std::vector<float>> values;
  std::vector<TensorView> views;
  for (const Shape& shape : c.shapes) {
    auto& tensor = values.emplace_back(shape.elements());
    for (std::size_t i = 0; i < tensor.size(); ++i) tensor[i] = 0.5F + 0.4F * std::sin(0.013F * static_cast<float>(i));
    views.push_back({reinterpret_cast<const std::byte*>(tensor.data()), DType::kF32, shape});
  }
  auto decoder = c.decoder->make(spec, {});
  if (!decoder) {
    state.SkipWithError(decoder.error().message.c_str());
    return;
  }
  const auto width = static_cast<float>(c.input.width);
  const auto height = static_cast<float>(c.input.height);
  const Letterbox letterbox{c.input, c.input, {0, 0}, {width, height}};
  FrameResult result;
  for (auto _ : state) {
    if (!(*decoder)->run(views, letterbox, result)) state.SkipWithError("the tensors do not fit");
  }
  state.counters["people"] = static_cast<double>(result.poses.size());
}

/// Maps of an input of 512x288 (kOne: 256x256) where nothing is surer than 0.02, and these people in it.
test::Maps crowd(HeadPeople kind, int people) {
  const bool one = kind == HeadPeople::kOne;
  const int width = one ? 64 : 128;
  const int height = one ? 64 : 72;
  test::Maps maps(kind, Layout::kNchw, width, height);
  std::mt19937 random(1);
  for (const std::size_t map : {test::Maps::kCenters, test::Maps::kHeatmaps}) {
    for (float& v : maps.values(map)) v = 0.02F * static_cast<float>(random() >> 8) / 16777216.0F;
  }
  for (int i = 0; i < people; ++i) {
    const int x = (2 * i + 1) * width / (2 * people);
    const int y = height / 2;
    maps.person(y, x, 0.9F, 40, 16);
    for (std::size_t part = 0; part < 17; ++part) {
      const int away = 2 * static_cast<int>(part) - 16;
      maps.at(test::Maps::kRegressions, y, x, 2 * part) = static_cast<float>(away);
      maps.at(test::Maps::kHeatmaps, y + away, x, part) =
          part % 4 == 0 ? 0.05F : 0.7F;  // each fourth is all but hidden
    }
  }
  return maps;
}

void multipose(benchmark::State& state, HeadPeople kind) {
  const test::Maps maps = crowd(kind, static_cast<int>(state.range(0)));
  ModelSpec spec = test::movenet_spec({4 * maps.width(), 4 * maps.height()});
  spec.outputs = maps.names();
  auto decoder = maps.decoder().make(spec, {});
  const Letterbox letterbox{spec.input.size,
                            spec.input.size,
                            {0, 0},
                            {static_cast<float>(spec.input.size.width), static_cast<float>(spec.input.size.height)}};
  const auto views = maps.views();
  FrameResult result;
  for (auto _ : state) {
    if (!(*decoder)->run(views, letterbox, result)) state.SkipWithError("cannot decode");
  }
  state.counters["people"] = static_cast<double>(result.poses.size());
}

}  // namespace
}  // namespace posecam

int main(int argc, char** argv) {
  using namespace posecam;
  const std::vector<Recording> all = recordings();
  const Recording& busiest = all.back();
  const auto add = [](const std::string& name, void (*run)(benchmark::State&, const Recording&), const Recording& r) {
    return benchmark::RegisterBenchmark(name.c_str(), [run, &r](benchmark::State& state) { run(state, r); })
        ->Unit(benchmark::kMicrosecond);
  };
  for (const int taps : {5, 25}) {
    add("smoothing/fast", smoothing, busiest)->Arg(taps);
    add("smoothing/reference", smoothing_reference, busiest)->Arg(taps);
  }
  add("peaks/fast", peaks, busiest);
  add("limb_scores/fast", limb_scores, busiest);
  add("grouping", grouping, busiest);
  for (const Recording& r : all) {
    for (const int taps : {5, 25}) {
      add("decode/fast/" + r.name, decode<FastPafDecoder>, r)->Arg(taps);
      add("decode/reference/" + r.name, decode<ReferencePafDecoder>, r)->Arg(taps);
    }
  }
  const std::vector<OnePersonCase> single = one_person_cases();
  for (const OnePersonCase& c : single) {
    benchmark::RegisterBenchmark(c.name.c_str(), [&c](benchmark::State& state) {
      one_person(state, c);
    })->Unit(benchmark::kMicrosecond);
  }
  for (const int people : {1, 6, 20}) {
    benchmark::RegisterBenchmark("multipose/many", multipose, HeadPeople::kMany)
        ->Arg(people)
        ->Unit(benchmark::kMicrosecond);
  }
  benchmark::RegisterBenchmark("multipose/one", multipose, HeadPeople::kOne)->Arg(1)->Unit(benchmark::kMicrosecond);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
