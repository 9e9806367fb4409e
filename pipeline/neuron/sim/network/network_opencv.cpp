// The network by OpenCV, for builds without OpenVINO: one copy of the network for each row in work.

#include <algorithm>
#include <cstring>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <opencv2/core.hpp>
#include <opencv2/dnn.hpp>

#include "models/core/text.h"
#include "pipeline/neuron/sim/network/network.h"

namespace posecam::sim {
namespace {

std::vector<int> dims_of(const Shape& shape) {
  std::vector<int> dims;
  for (std::size_t i = 0; i < shape.rank(); ++i) dims.push_back(static_cast<int>(shape[i]));
  return dims;
}

class OpenCvNetwork final : public Network {
 public:
  OpenCvNetwork(std::span<const std::byte> onnx, SimProgram program)
      : onnx_(onnx.begin(), onnx.end()), program_(std::move(program)) {
    for (const SimTensorSpec& output : program_.outputs) names_.emplace_back(output.name);
  }

  Result<void> run(std::span<const std::span<const float>> inputs, std::span<const std::span<float>> outputs) override {
    try {
      cv::dnn::Net net = take();
      auto result = run_on(net, inputs, outputs);
      const std::lock_guard lock(mutex_);
      idle_.push_back(std::move(net));
      return result;
    } catch (const cv::Exception& e) {
      return Error{Errc::kDevice, joined_lines(e.err)};
    }
  }

 private:
  Result<void> run_on(cv::dnn::Net& net, std::span<const std::span<const float>> inputs,
                      std::span<const std::span<float>> outputs) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      cv::Mat blob(dims_of(row_shape(program_.inputs[i])), CV_32F);
      std::memcpy(blob.data, inputs[i].data(), inputs[i].size_bytes());
      net.setInput(blob, program_.inputs[i].name);
    }
    std::vector<cv::Mat> results;
    net.forward(results, names_);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const cv::Mat& m = results[i];
      const std::vector<int> dims(m.size.p, m.size.p + m.dims);
      if (m.type() != CV_32F || !m.isContinuous() || dims != dims_of(row_shape(program_.outputs[i]))) {
        return Error{Errc::kModel, fmt::format("output '{}' is not {} f32 for one row", program_.outputs[i].name,
                                               to_string(row_shape(program_.outputs[i])))};
      }
      std::memcpy(outputs[i].data(), m.data, outputs[i].size_bytes());
    }
    return {};
  }

  cv::dnn::Net take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        cv::dnn::Net net = idle_.back();  // shares the network
        idle_.pop_back();
        return net;
      }
    }
    cv::dnn::Net net = cv::dnn::readNetFromONNX(reinterpret_cast<const char*>(onnx_.data()), onnx_.size());
    net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
    return net;
  }

  std::vector<std::byte> onnx_;
  SimProgram program_;
  std::vector<cv::String> names_;
  std::mutex mutex_;
  std::vector<cv::dnn::Net> idle_;
};

}  // namespace

std::string_view network_library() { return "OpenCV"; }

Result<std::unique_ptr<Network>> make_network(const SimNetwork& bytes, const SimProgram& program) {
  if (!bytes.constants.empty()) {
    return Error{Errc::kModel,
                 "is OpenVINO's IR, which this simulator does not read, as it was built with OpenCV only"};
  }
  auto network = std::make_unique<OpenCvNetwork>(bytes.graph, program);
  // OpenCV tells what does not fit when it runs.
  std::vector<std::vector<float>> memory;
  std::vector<std::span<const float>> inputs;
  std::vector<std::span<float>> outputs;
  for (const SimTensorSpec& input : program.inputs) memory.emplace_back(row_shape(input).elements());
  for (const SimTensorSpec& output : program.outputs) memory.emplace_back(row_shape(output).elements());
  for (std::size_t i = 0; i < memory.size(); ++i) {
    if (i < program.inputs.size()) {
      inputs.emplace_back(memory[i]);
    } else {
      outputs.emplace_back(memory[i]);
    }
  }
  if (auto ran = network->run(inputs, outputs); !ran) return Error{Errc::kModel, ran.error().message};
  return std::unique_ptr<Network>(std::move(network));
}

}  // namespace posecam::sim
