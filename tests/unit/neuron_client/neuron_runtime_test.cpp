// What the Neuron client makes of the runtime's settings and answers.

#include "pipeline/neuron/neuron_runtime.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "pipeline/neuron/neuron_library.h"
#include "tests/unit/neuron/process.h"
#include "tests/unit/neuron_client/tiny.h"

namespace posecam {
namespace {

using test::compile_tiny;
using test::SimDevice;
using test::Variable;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// --- tensors ------------------------------------------------------------------------------------------------------

TEST(NeuronTensors, ThatNobodyReadsMayBeOfAnyKind) {
  const SimDevice device;
  const Variable library("POSECAM_NRT_LIBRARY", POSECAM_ODD_RUNTIME);
  ModelSpec spec = compile_tiny(device, 2);
  const auto slot = [&]() -> Result<std::unique_ptr<Slot>> {
    const auto backend = make_neuron_backend(kNeuron, spec, device.folder(), {});
    if (!backend) return backend.error();
    return (*backend)->make_slot(spec, 0);
  };
  const Variable odd("POSECAM_TEST_ODD_TENSOR", "mean");
  const auto refused = slot();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("'mean' has no shape"));
  spec.outputs = {"sum"};
  const auto taken = slot();
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_TRUE((*taken)->run(2));
}

}  // namespace
}  // namespace posecam
