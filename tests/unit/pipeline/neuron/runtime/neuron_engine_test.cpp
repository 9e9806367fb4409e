// Frames through an engine on simulated NeuronCores: the same people whatever the cores, slots and batches, and none
// lost when cores are.

#include <condition_variable>
#include <fstream>
#include <map>
#include <mutex>
#include <span>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "pipeline/cpu/opencv_backend.h"
#include "pipeline/engine/engine.h"
#ifdef POSECAM_HAVE_OPENVINO
#include "pipeline/cpu/openvino_backend.h"
#endif
#include "postprocess/decode/decoders.h"
#include "postprocess/decode/paf/paf.h"
#include "tests/support/decoder_of.h"
#include "tests/unit/pipeline/engine/engine_harness.h"
#include "tests/unit/pipeline/neuron/runtime/tiny.h"

namespace posecam {
namespace {

using namespace std::chrono_literals;
using test::Collector;
using test::SimDevice;
using test::Variable;

constexpr Size kSize{232, 128};
constexpr std::size_t kFrames = 24;
using Results = std::map<Ticket, std::shared_ptr<const FrameResult>>;

ModelSpec lite_model() {
  const auto spec = find_model("openpose-lite");
  EXPECT_TRUE(spec) << spec.error().message;
  return *spec->at_resolution(kSize);
}
std::filesystem::path lite_weights() { return test::source_dir() / "models/zoo/openpose-lite/openpose-lite.onnx"; }

/// People, each time a little further to the left.
const std::vector<cv::Mat>& frames() {
  static const std::vector<cv::Mat> all = [] {
    const cv::Mat picture = cv::imread((test::source_dir() / "media/annotated.jpg").string());
    EXPECT_FALSE(picture.empty());
    std::vector<cv::Mat> made;
    for (std::size_t i = 0; i < kFrames; ++i) {
      const int shift = static_cast<int>(i) * 3;
      cv::Mat frame;
      cv::resize(picture(cv::Rect(shift, 0, picture.cols - 100, picture.rows)), frame, {kSize.width, kSize.height});
      made.push_back(frame);
    }
    return made;
  }();
  return all;
}

void write_frame(const cv::Mat& frame, MutableTensorView row) {
  auto out = row.as<float>();
  const std::size_t pixels = frame.total();
  for (std::size_t i = 0; i < pixels; ++i) {
    for (std::size_t c = 0; c < 3; ++c) out[c * pixels + i] = frame.data[i * 3 + c];
  }
}

struct Machine {
  std::uint32_t cores = 1;
  std::uint32_t slots = 1;
  std::vector<std::uint32_t> batches{1};
  std::string faults{};  ///< JSON list
  std::uint32_t retry_ms = 0;
};

ModelSpec compile_lite(const SimDevice& device, const Machine& setup) {
  ModelSpec spec = lite_model();
  spec.input.batch = static_cast<int>(setup.batches.back());
  const auto h = kSize.height / 8;
  const auto w = kSize.width / 8;
  std::vector<Shape> shapes;
  for (const std::string& name : spec.outputs) {
    const auto& paf = test::decoder_of<PafDecoder>(spec);
    const bool both = paf.heatmaps.output == paf.pafs.output;
    shapes.push_back({1, both ? 57 : name == paf.heatmaps.output ? 19 : 38, h, w});
  }
  test::compile_for_sim(spec, lite_weights(), shapes, device.folder(), {.batches = setup.batches});
  return spec;
}

std::string config_of(const Machine& setup) {
  return fmt::format(R"({{"cores": {}, "faults": {}}})", setup.cores, setup.faults.empty() ? "[]" : setup.faults);
}

/// All frames, `order` of them before the others, in one go.
Results analyse(Engine& engine, std::size_t first = 0) {
  auto client = std::make_shared<Collector>();
  for (std::size_t n = 0; n < kFrames; ++n) {
    const std::size_t i =
        (first + n * 7) % kFrames;  // 7 and 24 have no common factor: other neighbours for each `first`
    auto row = engine.reserve({});
    if (!row) {
      ADD_FAILURE() << row.error().message;
      return {};
    }
    write_frame(frames()[i], row->input());
    row->commit(client, i, {kSize, kSize, {0, 0}, {kSize.width, kSize.height}}, 0);
  }
  engine.drain();
  return client->wait_for(kFrames);
}

struct Outcome {
  Results results;
  EngineStats stats;
};
Outcome analyse(const Machine& setup, std::size_t first = 0) {
  const SimDevice device(config_of(setup));
  const ModelSpec spec = compile_lite(device, setup);
  auto backend = test::make_tiny(device, spec);
  EXPECT_TRUE(backend) << backend.error().message;
  if (!backend) return {};
  auto engine = Engine::create(
      std::move(*backend), std::make_shared<const ModelSpec>(spec),
      {.slots_per_core = setup.slots, .max_batch_delay = 2ms, .core_retry = std::chrono::milliseconds(setup.retry_ms)});
  EXPECT_TRUE(engine) << engine.error().message;
  if (!engine) return {};
  Outcome run;
  run.results = analyse(**engine, first);
  run.stats = (*engine)->stats();
  return run;
}

Results on_cpu() {
  const ModelSpec spec = lite_model();
  const BackendOptions options{.cores = {0}, .precision = Precision::kF32};
#ifdef POSECAM_HAVE_OPENVINO
  auto backend = make_openvino_backend(spec, lite_weights(), options);
#else
  auto backend = make_opencv_backend(spec, lite_weights(), options);
#endif
  EXPECT_TRUE(backend) << backend.error().message;
  auto engine = Engine::create(std::move(*backend), std::make_shared<const ModelSpec>(spec), {});
  EXPECT_TRUE(engine) << engine.error().message;
  return analyse(**engine);
}

/// Everything that was found in a frame, in order.
std::vector<float> numbers_of(const FrameResult& result) {
  std::vector<float> numbers;
  for (const Pose& pose : result.poses) {
    numbers.push_back(pose.score);
    for (const auto& k : pose.keypoints) {
      numbers.push_back(k ? k->x : -1);
      numbers.push_back(k ? k->y : -1);
      numbers.push_back(k ? k->score : -1);
    }
  }
  return numbers;
}

void expect_same(const Results& a, const Results& b, float tolerance) {
  ASSERT_EQ(a.size(), kFrames);
  ASSERT_EQ(b.size(), kFrames);
  std::size_t people = 0;
  for (Ticket t = 0; t < kFrames; ++t) {
    EXPECT_EQ(a.at(t)->status, FrameStatus::kAnalysed);
    EXPECT_EQ(b.at(t)->status, FrameStatus::kAnalysed);
    const auto ours = numbers_of(*a.at(t));
    const auto theirs = numbers_of(*b.at(t));
    ASSERT_EQ(ours.size(), theirs.size()) << "frame " << t;
    for (std::size_t i = 0; i < ours.size(); ++i) ASSERT_NEAR(ours[i], theirs[i], tolerance) << "frame " << t;
    people += a.at(t)->poses.size();
  }
  EXPECT_GT(people, 0U);
}

TEST(NeuronEngine, FindsTheSamePeopleAsTheCpu) { expect_same(analyse({}).results, on_cpu(), 1e-3F); }

TEST(NeuronEngine, FindsTheSamePeopleOnAnyNumberOfCoresWithAnySlotsBatchesAndNeighbours) {
  const Results reference = analyse({}).results;
  std::size_t first = 0;
  for (const Machine& setup :
       {Machine{.cores = 4, .slots = 2, .batches = {1}}, Machine{.cores = 16, .slots = 1, .batches = {1}},
        Machine{.cores = 2, .slots = 4, .batches = {1, 4}}, Machine{.cores = 1, .slots = 3, .batches = {16}},
        Machine{.cores = 4, .slots = 1, .batches = {3}}, Machine{.cores = 1, .slots = 2, .batches = {1, 2, 4, 8, 16}},
        Machine{.cores = 1, .slots = 1, .batches = {5, 7}}}) {
    SCOPED_TRACE(fmt::format("{} cores, {} slots, up to {} rows", setup.cores, setup.slots, setup.batches.back()));
    expect_same(analyse(setup, ++first).results, reference, 0);
  }
}

TEST(NeuronEngine, LosesNoFrameWithACore) {
  const Results reference = analyse({}).results;
  const Outcome run = analyse({.cores = 3, .slots = 2, .batches = {1}, .faults = R"([{"core": 1, "lost_at": 4}])"});
  expect_same(run.results, reference, 0);
  EXPECT_EQ(run.stats.cores, 2U);
  EXPECT_EQ(run.stats.losses, 1U);
}

TEST(NeuronEngine, CutsAHangAtTheTimeoutAndGoesOnElsewhere) {
  const Results reference = analyse({}).results;
  const Machine setup{.cores = 2, .slots = 1, .batches = {1}, .faults = R"([{"core": 0, "hang_at": 4}])"};
  const SimDevice device(config_of(setup));
  const Variable timeout("NEURON_RT_EXEC_TIMEOUT", "0.3");
  const ModelSpec spec = compile_lite(device, setup);
  auto backend = test::make_tiny(device, spec);
  ASSERT_TRUE(backend) << backend.error().message;
  auto engine = Engine::create(std::move(*backend), std::make_shared<const ModelSpec>(spec), {.slots_per_core = 1});
  ASSERT_TRUE(engine) << engine.error().message;
  expect_same(analyse(**engine), reference, 0);
  EXPECT_EQ((*engine)->stats().cores, 1U);
}

TEST(NeuronEngine, LoadsALostCoreAnew) {
  const Machine setup{
      .cores = 2, .slots = 2, .batches = {1}, .faults = R"([{"core": 0, "lost_at": 6, "recovers": true}])"};
  const SimDevice device(config_of(setup));
  const ModelSpec spec = compile_lite(device, setup);
  auto backend = test::make_tiny(device, spec);
  ASSERT_TRUE(backend) << backend.error().message;
  auto engine = Engine::create(std::move(*backend), std::make_shared<const ModelSpec>(spec),
                               {.slots_per_core = 2, .core_retry = 1ms});
  ASSERT_TRUE(engine) << engine.error().message;
  const Results reference = analyse(**engine);
  EXPECT_EQ((*engine)->stats().losses, 1U);
  for (int n = 0; n < 100 && (*engine)->stats().cores < 2; ++n) expect_same(analyse(**engine), reference, 0);
  EXPECT_EQ((*engine)->stats().cores, 2U);
}

TEST(NeuronEngine, HasTheResultsOfItsOwnFramesWhereTheEnvironmentAsksForAsynchronousExecutions) {
  const Results reference = analyse({}).results;
  const Machine setup{.cores = 2, .slots = 2, .batches = {1, 4}};
  const SimDevice device(R"({"cores": 2, "runtime": "2.30", "time": {"fixed_ms": 5}})");
  const Variable in_flight("NEURON_RT_ASYNC_EXEC_MAX_INFLIGHT_REQUESTS", "4");
  const ModelSpec spec = compile_lite(device, setup);
  {
    auto backend = test::make_tiny(device, spec);
    ASSERT_TRUE(backend) << backend.error().message;
    auto engine = Engine::create(std::move(*backend), std::make_shared<const ModelSpec>(spec), {.slots_per_core = 2});
    ASSERT_TRUE(engine) << engine.error().message;
    expect_same(analyse(**engine), reference, 0);
  }
  EXPECT_STREQ(std::getenv("NEURON_RT_ASYNC_EXEC_MAX_INFLIGHT_REQUESTS"), "4") << "for whoever comes after it";
}

TEST(NeuronEngine, RetriesABusyDevice) {
  const Outcome run = analyse({.cores = 1,
                               .slots = 2,
                               .batches = {1},
                               .faults = R"([{"call": "nrt_execute", "from": 5, "count": 3, "status": 7}])"});
  for (const auto& [ticket, result] : run.results) EXPECT_EQ(result->status, FrameStatus::kAnalysed) << ticket;
  EXPECT_EQ(run.stats.cores, 1U);
}

TEST(NeuronEngine, DeliversRefusedFramesUnanalysedAndTheOthersAnalysed) {
  const Outcome run = analyse({.cores = 1,
                               .slots = 1,
                               .batches = {1},
                               .faults = R"([{"call": "nrt_execute", "from": 5, "count": 2, "status": 1002}])"});
  std::size_t refused = 0;
  for (const auto& [ticket, result] : run.results) refused += result->status == FrameStatus::kUnanalysed ? 1U : 0U;
  EXPECT_EQ(refused, 2U);
  EXPECT_EQ(run.results.size(), kFrames);
}

}  // namespace
}  // namespace posecam
