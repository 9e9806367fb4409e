// A decoded frame -> 1x3x256x456 f32: our fused pass, and the plain OpenCV steps it replaces, one thread each.

#include <random>
#include <vector>

#include <benchmark/benchmark.h>
#include <opencv2/dnn.hpp>
#include <opencv2/imgproc.hpp>

#include "pipeline/image/preprocess.h"

namespace posecam {
namespace {

constexpr Size kInput{456, 256};

std::vector<std::uint8_t> noise(std::size_t bytes) {
  std::vector<std::uint8_t> data(bytes);
  std::mt19937 random(1);
  for (auto& b : data) b = static_cast<std::uint8_t>(random());
  return data;
}

/// Arguments: width, height, PixelFormat.
void fused(benchmark::State& state) {
  const int width = static_cast<int>(state.range(0));
  const int height = static_cast<int>(state.range(1));
  ImageView view;
  view.format = static_cast<PixelFormat>(state.range(2));
  view.width = width;
  view.height = height;
  const auto data = noise(static_cast<std::size_t>(width * height * 4));
  const int luma = width * height;
  view.planes = {data.data(), data.data() + luma, data.data() + luma * 5 / 4};
  const int chroma = view.format == PixelFormat::kNv12 ? width : width / 2;
  view.strides = {width * pixel_bytes(view.format), chroma, chroma};
  InputSpec spec;
  spec.size = kInput;
  std::vector<float> out(spec.shape().elements());
  const MutableTensorView row{reinterpret_cast<std::byte*>(out.data()), DType::kF32, spec.shape()};
  Preprocessor preprocessor(spec);
  for (auto _ : state) {
    benchmark::DoNotOptimize(preprocessor.write(view, row));
    benchmark::ClobberMemory();
  }
  state.SetLabel(std::string(to_string(view.format)));
}

/// cvtColor (YUV only), resize, blobFromImage (convert and split).
void opencv_steps(benchmark::State& state) {
  cv::setNumThreads(1);
  const int width = static_cast<int>(state.range(0));
  const int height = static_cast<int>(state.range(1));
  const auto format = static_cast<PixelFormat>(state.range(2));
  auto data = noise(static_cast<std::size_t>(width * height * 4));
  const bool nv12 = format == PixelFormat::kNv12;
  const cv::Mat frame(nv12 ? height * 3 / 2 : height, width, nv12 ? CV_8UC1 : CV_8UC3, data.data());
  cv::Mat bgr;
  cv::Mat resized;
  cv::Mat blob;
  for (auto _ : state) {
    if (nv12) cv::cvtColor(frame, bgr, cv::COLOR_YUV2BGR_NV12);
    cv::resize(nv12 ? bgr : frame, resized, {kInput.width, kInput.height}, 0, 0, cv::INTER_LINEAR);
    cv::dnn::blobFromImage(resized, blob);
    benchmark::DoNotOptimize(blob.data);
    benchmark::ClobberMemory();
  }
  state.SetLabel(std::string(to_string(format)));
}

const std::vector<std::int64_t> kNv12And{static_cast<std::int64_t>(PixelFormat::kNv12),
                                         static_cast<std::int64_t>(PixelFormat::kBgr)};

void frames(benchmark::internal::Benchmark* b) {
  for (const std::int64_t format : kNv12And) {
    for (const auto& [width, height] : {std::pair{640, 360}, {1280, 720}, {1920, 1080}, {3840, 2160}}) {
      b->Args({width, height, format});
    }
  }
  b->Unit(benchmark::kMicrosecond);
}

BENCHMARK(fused)->Apply(frames)->Args({1280, 720, static_cast<std::int64_t>(PixelFormat::kI420)});
BENCHMARK(opencv_steps)->Apply(frames);

}  // namespace
}  // namespace posecam

BENCHMARK_MAIN();
