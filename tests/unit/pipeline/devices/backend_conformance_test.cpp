// What every backend must do, over a network small enough to know its answers (tests/data/make_networks.py). The fake
// device of the engine's tests must do it, too; only the reading of network files is not its business.

#include <algorithm>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "models/make/onnx_writer.h"
#include "pipeline/cpu/opencv_backend.h"
#include "pipeline/neuron/runtime/neuron_backend.h"
#ifdef POSECAM_HAVE_OPENVINO
#include "pipeline/cpu/openvino_backend.h"
#endif
#include "tests/support/fake_backend.h"
#include "tests/support/neuron_sim.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/pipeline/devices/onnx_networks.h"
#include "tests/unit/pipeline/devices/tiny_network.h"

namespace posecam {
namespace {

using test::answer_shapes;
using test::calculate;
using test::expect_answers;
using test::fill_row;
using test::run_and_check;
using test::tiny_model;
using test::tiny_weights;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using Factory = std::function<Result<std::unique_ptr<InferenceBackend>>(
    const ModelSpec& spec, const std::filesystem::path& weights, const BackendOptions& options)>;

struct Candidate {
  std::string name;
  Factory make;
  std::string simulator{};  ///< as NEURON_SIM_CONFIG has it; empty: none
  std::string suffix{};

  friend std::ostream& operator<<(std::ostream& out, const Candidate& c) { return out << c.name; }
};

Result<std::unique_ptr<InferenceBackend>> make_fake_backend(const ModelSpec& spec, const std::filesystem::path&,
                                                            const BackendOptions& options) {
  const auto run = [](TensorView input, std::span<const MutableTensorView> outputs) {
    calculate(input, outputs[0].as<float>(), outputs[1].as<float>());
  };
  test::FakeOptions fake{
      .cores = static_cast<std::uint32_t>(options.cores.size()), .on_run = {}, .network = {answer_shapes, run}};
  return std::unique_ptr<InferenceBackend>(std::make_unique<test::FakeBackend>(std::move(fake), spec));
}

/// Compiles for the simulator, then makes the device.
Result<std::unique_ptr<InferenceBackend>> make_neuron_sim(const ModelSpec& spec, const std::filesystem::path& weights,
                                                          const BackendOptions& options) {
  const test::TempDir folder;
  ModelSpec compiled = spec;
  auto shapes = answer_shapes(spec);
  for (Shape& shape : shapes) shape[0] = 1;
  test::compile_for_sim(compiled, weights, shapes, folder.path());
  return make_neuron_backend("neuron-sim", compiled, folder.path(), options);
}

class BackendConformance : public ::testing::TestWithParam<Candidate> {
 protected:
  BackendConformance() {
    options_.cores = {0, 1};
    options_.precision = Precision::kF32;
    if (!GetParam().simulator.empty()) device_.emplace(GetParam().simulator);
  }

  std::unique_ptr<InferenceBackend> make(const ModelSpec& spec) {
    auto backend = GetParam().make(spec, tiny_weights(), options_);
    EXPECT_TRUE(backend) << backend.error().message;
    return backend ? std::move(*backend) : nullptr;
  }
  static std::unique_ptr<Slot> slot_of(InferenceBackend& backend, const ModelSpec& spec, CoreId core = 0) {
    auto slot = backend.make_slot(spec, core);
    EXPECT_TRUE(slot) << slot.error().message;
    return slot ? std::move(*slot) : nullptr;
  }
  /// The failure of making a backend and its first slot, whichever refuses.
  Error refusal(const ModelSpec& spec, const std::filesystem::path& weights) {
    auto backend = GetParam().make(spec, weights, options_);
    if (!backend) return backend.error();
    auto slot = (*backend)->make_slot(spec, 0);
    if (!slot) return slot.error();
    ADD_FAILURE() << "accepted";
    return {};
  }

  BackendOptions options_;
  std::optional<test::SimDevice> device_;
};

TEST_P(BackendConformance, NamesItselfAndItsCores) {
  const auto backend = make(tiny_model(1));
  EXPECT_EQ(backend->name(), GetParam().name);
  EXPECT_THAT(backend->cores(), ::testing::ElementsAre(0, 1));
}

TEST_P(BackendConformance, AnswersByNameInTheOrderOfTheSpec) {
  const ModelSpec spec = tiny_model(1);
  const auto backend = make(spec);
  run_and_check(*slot_of(*backend, spec), 1);
}

TEST_P(BackendConformance, HandsOutTheInputOfTheSpecOnACacheLine) {
  const ModelSpec spec = tiny_model(3);
  const auto backend = make(spec);
  const auto slot = slot_of(*backend, spec);
  EXPECT_EQ(slot->input().shape, spec.input.shape());
  EXPECT_EQ(slot->input().dtype, DType::kF32);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(slot->input().data) % 64, 0U);
  for (const float v : slot->input().as<float>()) ASSERT_EQ(v, 0);
}

TEST_P(BackendConformance, KeepsItsAddressesAndRepeatsItself) {
  const ModelSpec spec = tiny_model(2);
  const auto backend = make(spec);
  const auto slot = slot_of(*backend, spec);
  run_and_check(*slot, 1);
  const std::byte* input = slot->input().data;
  const std::byte* outputs[] = {slot->output(0).data, slot->output(1).data};
  const std::vector<std::byte> before(outputs[1], outputs[1] + slot->output(1).bytes());
  run_and_check(*slot, 50);
  run_and_check(*slot, 1);
  EXPECT_EQ(slot->input().data, input);
  EXPECT_EQ(slot->output(0).data, outputs[0]);
  EXPECT_EQ(slot->output(1).data, outputs[1]);
  EXPECT_TRUE(std::ranges::equal(before, std::span(outputs[1], before.size())));
}

TEST_P(BackendConformance, GivesAFrameTheSameAnswerInEveryRowAndWithAnyNeighbours) {
  const ModelSpec spec = tiny_model(4);
  const auto backend = make(spec);
  const auto slot = slot_of(*backend, spec);
  std::vector<std::byte> first;
  for (std::size_t place = 0; place < 4; ++place) {
    for (std::size_t r = 0; r < 4; ++r) fill_row(slot->input().row(r), static_cast<int>(100 * place + 7 * r));
    fill_row(slot->input().row(place), 5);
    ASSERT_TRUE(slot->run(4));
    const TensorView sum = slot->output(1).row(place);
    std::vector<std::byte> bytes(sum.data, sum.data + sum.bytes());
    if (place == 0) first = bytes;
    EXPECT_EQ(bytes, first) << "row " << place;
  }
}

TEST_P(BackendConformance, RunsAShortBatch) {
  const ModelSpec spec = tiny_model(4);
  const auto backend = make(spec);
  const auto slot = slot_of(*backend, spec);
  fill_row(slot->input().row(0), 9);
  ASSERT_TRUE(slot->run(1));
  expect_answers(TensorView(slot->input()).row(0), slot->output(0).row(0), slot->output(1).row(0));
}

TEST_P(BackendConformance, RunsSlotsOfAllCoresAtOnce) {
  const ModelSpec spec = tiny_model(1);
  const auto backend = make(spec);
  std::vector<std::unique_ptr<Slot>> slots;
  for (const CoreId core : {0U, 1U, 0U, 1U}) slots.push_back(slot_of(*backend, spec, core));
  std::vector<std::jthread> threads;
  for (std::size_t s = 0; s < slots.size(); ++s) {
    threads.emplace_back([&, s] {
      for (int n = 0; n < 50; ++n) run_and_check(*slots[s], static_cast<int>(s) * 1000 + n);
    });
  }
}

TEST_P(BackendConformance, MakesSlotsFromManyThreads) {
  const ModelSpec spec = tiny_model(1);
  const auto backend = make(spec);
  std::vector<std::jthread> threads;
  for (CoreId t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] { run_and_check(*slot_of(*backend, spec, t % 2), static_cast<int>(t)); });
  }
}

TEST_P(BackendConformance, RunsAtAnotherResolution) {
  for (const Size size : {Size{8, 8}, Size{40, 64}, Size{456, 256}}) {
    const ModelSpec spec = tiny_model(2, size);
    const auto backend = make(spec);
    run_and_check(*slot_of(*backend, spec), 3);
  }
}

/// For backends that read network files.
class NetworkConformance : public BackendConformance {};

TEST_P(NetworkConformance, RunsOnTheCoresThatWereAskedFor) {
  options_.cores = {1};
  EXPECT_THAT(make(tiny_model(1))->cores(), ::testing::ElementsAre(1));
}

TEST_P(NetworkConformance, RunsForLatencyOnOneStream) {
  options_.scheduling = Scheduling::kLatency;
  const ModelSpec spec = tiny_model(1);
  const auto backend = make(spec);
  EXPECT_EQ(backend->cores().size(), 1U);
  run_and_check(*slot_of(*backend, spec), 3);
}

TEST_P(BackendConformance, LetsASlotOutliveItsBackend) {
  const ModelSpec spec = tiny_model(1);
  auto backend = make(spec);
  const auto slot = slot_of(*backend, spec);
  backend.reset();
  run_and_check(*slot, 3);
}

TEST_P(BackendConformance, RefusesASlotOfAnotherShape) {
  const auto backend = make(tiny_model(1));
  const auto slot = backend->make_slot(tiny_model(2), 0);
  ASSERT_FALSE(slot);
  EXPECT_EQ(slot.error().code, Errc::kModel);
}

TEST_P(NetworkConformance, NamesTheOutputsThatExistWhenOneIsMissing) {
  ModelSpec spec = tiny_model(1);
  spec.outputs = {"sum", "heatmaps"};
  const Error error = refusal(spec, tiny_weights());
  EXPECT_EQ(error.code, Errc::kModel);
  EXPECT_THAT(error.message, AllOf(HasSubstr("tiny"), HasSubstr("'heatmaps'"), HasSubstr("sum"), HasSubstr("mean")));
}

TEST_P(NetworkConformance, RefusesAnInputThatDoesNotExist) {
  ModelSpec spec = tiny_model(1);
  spec.input.name = "picture";
  const Error error = refusal(spec, tiny_weights());
  EXPECT_EQ(error.code, Errc::kModel);
  EXPECT_THAT(error.message, AllOf(HasSubstr("tiny"), HasSubstr("input 'picture'"), Not(HasSubstr("\n"))));
}

TEST_P(NetworkConformance, RefusesALayoutThatDoesNotFitTheNetwork) {
  ModelSpec spec = tiny_model(1);
  spec.input.layout = Layout::kNhwc;
  const Error error = refusal(spec, tiny_weights());
  EXPECT_EQ(error.code, Errc::kModel);
  EXPECT_THAT(error.message, Not(HasSubstr("\n")));
}

/// Who reads row by row would read behind the end.
TEST_P(NetworkConformance, RefusesANetworkWhoseOutputHasFewerRowsThanTheBatch) {
  OnnxWriter network;
  const std::string input[] = {"image"};
  const OnnxWriter::Attribute order[] = {{"perm", std::vector<std::int64_t>{1, 0, 2, 3}}};
  network.node("Transpose", "mean", input, order);
  const std::int64_t shape[] = {3, 16, 24};
  test::TempDir folder;
  test::write_file(folder.path() / "turned.onnx", network.finish("turned", "image", shape, "mean", shape));
  ModelSpec spec = tiny_model(4);
  spec.outputs = {"mean"};
  const Error error = refusal(spec, folder.path() / "turned.onnx");
  EXPECT_EQ(error.code, Errc::kModel);
  EXPECT_THAT(error.message, AllOf(HasSubstr("output 'mean' has shape"), HasSubstr("batch 4 first")));
  if (GetParam().name == "opencv") {
    EXPECT_THAT(error.message, HasSubstr("use a batch of 1"));
  }
}

TEST_P(NetworkConformance, RefusesFilesThatAreNoNetwork) {
  const test::TempDir dir;
  const std::filesystem::path& folder = dir.path();
  std::ifstream in(tiny_weights(), std::ios::binary);
  const std::string good((std::istreambuf_iterator<char>(in)), {});
  ASSERT_FALSE(good.empty());
  const std::pair<const char*, std::string> files[] = {{"empty.onnx", ""},
                                                       {"garbage.onnx", std::string(4000, 'x')},
                                                       {"truncated.onnx", good.substr(0, good.size() / 2)}};
  for (const auto& [name, content] : files) {
    std::ofstream(folder / name, std::ios::binary) << content;
    const Error error = refusal(tiny_model(1), folder / name);
    EXPECT_EQ(error.code, Errc::kModel) << name;
    EXPECT_THAT(error.message, AllOf(HasSubstr(name), Not(HasSubstr("\n")))) << name;
  }
  const Error missing = refusal(tiny_model(1), folder / "missing.onnx");
  EXPECT_EQ(missing.code, Errc::kModel);
  EXPECT_THAT(missing.message, HasSubstr("missing.onnx"));
}

TEST_P(NetworkConformance, RefusesTensorsInFilesThatNoDescriptorLists) {
  const test::TempDir dir;
  test::write_file(dir.path() / "apart.onnx", test::onnx_with_data_in("w.bin"));
  test::write_file(dir.path() / "w.bin", std::string(4, '\0'));
  ModelSpec spec = tiny_model(1);
  spec.outputs = {"mean"};
  const Error error = refusal(spec, dir.path() / "apart.onnx");
  EXPECT_EQ(error.code, Errc::kModel);
  EXPECT_THAT(error.message, AllOf(HasSubstr("apart.onnx: "), HasSubstr("w.bin")));
}

std::vector<Candidate> network_readers() {
  return {{"opencv", make_opencv_backend},
#ifdef POSECAM_HAVE_OPENVINO
          {"openvino", make_openvino_backend}
#endif
  };
}

std::vector<Candidate> candidates() {
  auto all = network_readers();
  all.push_back({"fake", make_fake_backend});
  for (const char* runtime : {"2.22", "2.29", "2.30", "2.34"}) {
    std::string suffix = runtime;
    suffix.erase(1, 1);
    const char* const instance = suffix == "222" ? "inf1.xlarge" : "inf2.xlarge";
    all.push_back({"neuron-sim", make_neuron_sim,
                   fmt::format(R"({{"instance": "{}", "runtime": "{}"}})", instance, runtime), suffix});
  }
  return all;
}

std::string test_name(const Candidate& candidate) {
  std::string name = candidate.name + candidate.suffix;
  std::erase(name, '-');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Backends, BackendConformance, ::testing::ValuesIn(candidates()),
                         [](const auto& candidate) { return test_name(candidate.param); });
INSTANTIATE_TEST_SUITE_P(Backends, NetworkConformance, ::testing::ValuesIn(network_readers()),
                         [](const auto& candidate) { return test_name(candidate.param); });

}  // namespace
}  // namespace posecam
