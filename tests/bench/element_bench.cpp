// What neuroninfer itself costs: a device that costs nothing, 720p NV12, the built-in network's input of 456x256.
// Figures in docs/performance/elements.md.

#include <chrono>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include "elements/base/handles.h"
#include "elements/meta/result_meta.h"
#include "elements/register_elements.h"
#include "models/core/stage_log.h"
#include "pipeline/devices/devices.h"
#include "pipeline/engine/engine.h"
#include "pipeline/engine/sequencer.h"
#include "pipeline/image/preprocess.h"
#include "postprocess/decode/decoders.h"
#include "tests/support/fake_backend.h"

namespace posecam {
namespace {

constexpr int kWidth = 1280;
constexpr int kHeight = 720;
constexpr int kFrames = 600;

/// The maps of a network of stride 8 in which nobody is: the device leaves them as they are.
test::FakeOptions nobody() {
  const auto shapes = [](const ModelSpec& spec) {
    const int batch = spec.input.batch;
    const int height = spec.input.size.height / 8;
    const int width = spec.input.size.width / 8;
    return std::vector<Shape>{{batch, 19, height, width}, {batch, 38, height, width}};
  };
  return {.cores = 2, .network = {shapes, [](TensorView, std::span<const MutableTensorView>) {}}};
}

ModelSpec network() { return *find_model("openpose-lite"); }

GstVideoInfo video() {
  GstVideoInfo info;
  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_NV12, kWidth, kHeight);
  return info;
}

gst::BufferPtr new_frame() {
  const GstVideoInfo info = video();
  gst::BufferPtr buffer(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr));
  gst_buffer_memset(buffer.get(), 0, 90, GST_VIDEO_INFO_SIZE(&info));
  return buffer;
}

/// A result with as many people as the benchmark's argument says.
std::shared_ptr<const FrameResult> people(std::int64_t count) {
  auto result = std::make_shared<FrameResult>();
  result->model = std::make_shared<const ModelSpec>(network());
  for (std::int64_t i = 0; i < count; ++i) {
    Pose pose;
    const float x = 0.1F * static_cast<float>(i);
    for (std::size_t k = 0; k < 18; ++k) pose.keypoints[k] = Keypoint{x, 0.05F * static_cast<float>(k), 0.9F};
    result->poses.push_back(pose);
  }
  return result;
}

void map_frame(benchmark::State& state) {
  const GstVideoInfo info = video();
  const gst::BufferPtr buffer = new_frame();
  for (auto _ : state) {
    gst::MappedFrame frame(info, buffer.get(), GST_MAP_READ);
    benchmark::DoNotOptimize(frame.view());
  }
}
BENCHMARK(map_frame);

void preprocess(benchmark::State& state) {
  const GstVideoInfo info = video();
  const gst::BufferPtr buffer = new_frame();
  gst::MappedFrame frame(info, buffer.get(), GST_MAP_READ);
  const ImageView image = as_const(frame.view());
  const ModelSpec spec = network();
  Preprocessor preprocessor(spec.input);
  std::vector<float> row(spec.input.shape().elements());
  const MutableTensorView tensor{reinterpret_cast<std::byte*>(row.data()), DType::kF32, spec.input.shape()};
  for (auto _ : state) benchmark::DoNotOptimize(preprocessor.write(image, tensor));
}
BENCHMARK(preprocess);

struct Stream final : RowClient {
  Sequencer<std::shared_ptr<const FrameResult>> frames{16};
  void row_done(Ticket ticket, std::shared_ptr<FrameResult> result) override {
    frames.complete(ticket, [&](auto& item) { item = std::move(result); });
  }
};

/// A row through the engine and back in its order, eight under way; with the decoding of empty maps.
void queue_and_decode(benchmark::State& state) {
  auto engine =
      Engine::create(std::make_unique<test::FakeBackend>(nobody()), std::make_shared<const ModelSpec>(network()), {});
  const auto stream = std::make_shared<Stream>();
  constexpr int kUnderWay = 4;
  const auto submit = [&] {
    auto row = (*engine)->reserve({});
    row->commit(stream, stream->frames.reserve({}), {{kWidth, kHeight}, {456, 256}, {0, 0}, {456, 256}}, 0);
  };
  for (int i = 0; i < kUnderWay - 1; ++i) submit();
  for (auto _ : state) {
    submit();
    benchmark::DoNotOptimize(stream->frames.pop({}));
  }
  for (int i = 0; i < kUnderWay - 1; ++i) stream->frames.pop({});
}
BENCHMARK(queue_and_decode)->MeasureProcessCPUTime();

void attach(benchmark::State& state) {
  const auto result = people(state.range(0));
  const gst::BufferPtr frame = new_frame();
  for (auto _ : state) {
    gst::BufferPtr buffer(gst_buffer_make_writable(gst_buffer_ref(frame.get())));
    gst::add_regions(buffer.get(), *result, kWidth, kHeight);
    gst::add_result(buffer.get(), result);
  }
}
BENCHMARK(attach)->Arg(0)->Arg(1)->Arg(8);

/// A whole pipeline behind videotestsrc, whose own cost is that of the line without elements.
void pipeline(benchmark::State& state, const std::string& elements) {
  const std::string line = "videotestsrc pattern=black num-buffers=" + std::to_string(kFrames) +
                           " ! video/x-raw,format=NV12,width=1280,height=720 ! " + elements + "fakesink sync=false";
  for (auto _ : state) {
    state.PauseTiming();
    GstElement* playing = gst_parse_launch(line.c_str(), nullptr);
    gst_element_set_state(playing, GST_STATE_READY);
    GstBus* bus = gst_element_get_bus(playing);
    state.ResumeTiming();
    gst_element_set_state(playing, GST_STATE_PLAYING);
    GstMessage* end = gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE,
                                                 static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
    state.PauseTiming();
    if (GST_MESSAGE_TYPE(end) == GST_MESSAGE_ERROR) state.SkipWithError("the pipeline failed");
    gst_message_unref(end);
    gst_object_unref(bus);
    gst_element_set_state(playing, GST_STATE_NULL);
    gst_object_unref(playing);
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * kFrames);
}

struct Line {
  const char* name;
  std::string elements;
  bool profiled = false;
};

void add_pipelines() {
  const std::string infer = "neuroninfer device=fake model=openpose-lite ! ";
  const Line lines[] = {{"pipeline/source", ""},
                        {"pipeline/infer", infer},
                        {"pipeline/infer, profiled", infer, true},
                        {"pipeline/infer+overlay", infer + "neuronoverlay ! "},
                        {"pipeline/infer+json", infer + "neuronjson location=/dev/null ! "}};
  const auto run = [](benchmark::State& state, const Line& line) {
    if (line.profiled) StageLog::start();
    pipeline(state, line.elements);
    if (line.profiled) StageLog::stop();
  };
  for (const Line& line : lines) {
    benchmark::RegisterBenchmark(line.name, [line, run](benchmark::State& state) { run(state, line); })
        ->Iterations(1)
        ->UseRealTime()
        ->MeasureProcessCPUTime()
        ->Unit(benchmark::kMillisecond);
  }
}

}  // namespace
}  // namespace posecam

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  gst_plugin_register_static(GST_VERSION_MAJOR, GST_VERSION_MINOR, "neuron", "elements under test",
                             posecam::gst::register_elements, "0", "Apache 2.0", "posecam", "posecam", "posecam");
  posecam::add_device(std::make_shared<posecam::test::FakeDevice>(posecam::nobody()));
  posecam::add_pipelines();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
