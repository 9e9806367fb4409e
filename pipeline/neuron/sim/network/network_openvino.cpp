// The network by OpenVINO: f32, one thread a row, as many rows at a time as the machine has cores.

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <openvino/openvino.hpp>

#include "models/core/text.h"
#include "pipeline/neuron/sim/network/network.h"

namespace posecam::sim {
namespace {

ov::Core& core() {
  // Never destroyed: the library stays loaded to the end of the process, and threads may be computing at exit.
  static ov::Core& instance = *new ov::Core;
  return instance;
}

ov::Shape to_ov(const Shape& shape) {
  ov::Shape out;
  for (std::size_t i = 0; i < shape.rank(); ++i) out.push_back(static_cast<std::size_t>(shape[i]));
  return out;
}

class OpenVinoNetwork final : public Network {
 public:
  OpenVinoNetwork(ov::CompiledModel model, SimProgram program, std::size_t requests)
      : model_(std::move(model)), program_(std::move(program)) {
    for (std::size_t i = 0; i < requests; ++i) idle_.push_back(model_.create_infer_request());
  }

  Result<void> run(std::span<const std::span<const float>> inputs, std::span<const std::span<float>> outputs) override {
    ov::InferRequest request = take();
    Result<void> result;
    try {
      run_on(request, inputs, outputs);
    } catch (const std::exception& e) {
      result = Error{Errc::kDevice, openvino_line(e.what())};
    }
    {
      const std::lock_guard lock(mutex_);
      idle_.push_back(std::move(request));
    }
    returned_.notify_one();
    return result;
  }

 private:
  void run_on(ov::InferRequest& request, std::span<const std::span<const float>> inputs,
              std::span<const std::span<float>> outputs) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      ov::Tensor to = request.get_tensor(program_.inputs[i].name);
      std::memcpy(to.data<float>(), inputs[i].data(), inputs[i].size_bytes());
    }
    request.start_async();
    request.wait();
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const ov::Tensor from = request.get_tensor(program_.outputs[i].name);
      std::memcpy(outputs[i].data(), from.data<float>(), outputs[i].size_bytes());
    }
  }

  ov::InferRequest take() {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [&] { return !idle_.empty(); });
    ov::InferRequest request = std::move(idle_.back());
    idle_.pop_back();
    return request;
  }

  ov::CompiledModel model_;
  SimProgram program_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<ov::InferRequest> idle_;
};

std::shared_ptr<ov::Model> read(const SimNetwork& network, const SimProgram& program) {
  ov::Tensor constants;
  if (!network.constants.empty()) {
    constants = ov::Tensor(ov::element::u8, {network.constants.size()});  // a copy, which the model keeps
    std::memcpy(constants.data(), network.constants.data(), network.constants.size());
  }
  auto model =
      core().read_model({reinterpret_cast<const char*>(network.graph.data()), network.graph.size()}, constants);
  std::map<std::string, ov::PartialShape> shapes;
  for (const SimTensorSpec& input : program.inputs) shapes[input.name] = ov::PartialShape(to_ov(row_shape(input)));
  model->reshape(shapes);
  ov::preprocess::PrePostProcessor ends(model);
  for (const SimTensorSpec& input : program.inputs) ends.input(input.name).tensor().set_element_type(ov::element::f32);
  for (const SimTensorSpec& output : program.outputs) {
    ends.output(output.name).tensor().set_element_type(ov::element::f32);
  }
  return ends.build();
}

}  // namespace

std::string_view network_library() { return "OpenVINO"; }

Result<std::unique_ptr<Network>> make_network(const SimNetwork& network, const SimProgram& program) {
  try {
    const auto model = read(network, program);
    if (model->inputs().size() != program.inputs.size()) {
      return Error{Errc::kModel, fmt::format("the network has {} inputs, sim.json names {}", model->inputs().size(),
                                             program.inputs.size())};
    }
    for (const SimTensorSpec& output : program.outputs) {
      const ov::PartialShape& shape = model->output(output.name).get_partial_shape();
      if (shape != ov::PartialShape(to_ov(row_shape(output)))) {
        return Error{Errc::kModel, fmt::format("output '{}' is {} for one row, sim.json says {}", output.name,
                                               shape.to_string(), to_string(row_shape(output)))};
      }
    }
    // One thread a stream: sums are made in one order whatever else runs.
    const int streams = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    auto compiled = core().compile_model(model, "CPU",
                                         {{ov::hint::inference_precision.name(), ov::element::f32},
                                          {ov::num_streams.name(), ov::streams::Num(streams)},
                                          {ov::inference_num_threads.name(), streams}});
    return std::unique_ptr<Network>(
        std::make_unique<OpenVinoNetwork>(std::move(compiled), program, static_cast<std::size_t>(streams)));
  } catch (const std::exception& e) {
    return Error{Errc::kModel, openvino_line(e.what())};
  }
}

}  // namespace posecam::sim
