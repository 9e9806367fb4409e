#pragma once
// tests/data/tiny.onnx compiled for the simulator, and what it must say.

#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "pipeline/neuron/runtime/neuron_backend.h"
#include "tests/support/neuron_sim.h"
#include "tests/support/shared.h"

namespace posecam::test {

inline ModelSpec tiny_model(int batch) {
  ModelSpec spec;
  spec.name = "tiny";
  spec.input.name = "image";
  spec.input.size = {24, 16};
  spec.input.batch = batch;
  spec.outputs = {"mean", "sum"};
  return spec;
}

inline ModelSpec compile_tiny(const SimDevice& device, int batch, SimCompile how = {}) {
  ModelSpec spec = tiny_model(batch);
  compile_for_sim(spec, source_dir() / "tests/data/tiny.onnx", {{1, 2, 2, 3}, {1, 1, 16, 24}}, device.folder(),
                  std::move(how));
  return spec;
}

inline Result<std::unique_ptr<InferenceBackend>> make_tiny(const SimDevice& device, const ModelSpec& spec,
                                                           const BackendOptions& options = {}) {
  return make_neuron_backend("neuron-sim", spec, device.folder(), options);
}

/// A slot on the first core.
inline Result<std::unique_ptr<Slot>> tiny_slot(const SimDevice& device, const ModelSpec& spec,
                                               const BackendOptions& options = {}) {
  const auto backend = make_tiny(device, spec, options);
  if (!backend) return backend.error();
  return (*backend)->make_slot(spec, (*backend)->cores().front());
}

/// Writes rows that differ, runs them, and compares: whole numbers up to 255 survive bf16, their sums do not.
inline void run_tiny(Slot& slot, std::uint32_t frames, int seed, float tolerance = 0.01F) {
  for (std::uint32_t r = 0; r < frames; ++r) {
    auto values = slot.input().row(r).as<float>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<float>((i * 37 + (static_cast<std::size_t>(seed) + r) * 101 + i * i % 17) % 256);
    }
  }
  const auto ran = slot.run(frames);
  ASSERT_TRUE(ran) << ran.error().message;
  constexpr std::size_t kPixels = 24 * 16;
  for (std::uint32_t r = 0; r < frames; ++r) {
    const auto in = TensorView(slot.input()).row(r).as<float>();
    const auto sum = slot.output(1).row(r).as<float>();
    for (std::size_t i = 0; i < kPixels; ++i) {
      const float truth = in[i] + 2 * in[kPixels + i] + 3 * in[2 * kPixels + i];
      ASSERT_NEAR(sum[i], truth, std::max(tolerance, tolerance * truth)) << "row " << r << " of " << frames;
    }
  }
}

}  // namespace posecam::test
