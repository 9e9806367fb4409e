#pragma once
// One measurement of `posecam bench`.

#include <cstdint>
#include <stop_token>
#include <string>

#include "app/bench/bench.h"
#include "models/core/result.h"
#include "pipeline/settings/engine_settings.h"

namespace posecam {

/// How long a repetition takes.
struct MeasureTime {
  double warm_up_s = 1;       ///< before it, not measured
  double seconds = 3;         ///< that are measured
  std::uint64_t frames = 0;   ///< not 0: until so many are done, instead of `seconds`
  std::stop_token interrupt;  ///< stop now, with what there is

  bool is_interrupted() const { return interrupt.stop_requested(); }
};

/// The engine of a case: `base`, with what the case says.
EngineSettings settings_of(const BenchCase& what, const EngineSettings& base);

/// The case with what its model says: network, device, batch, request batch, resolution; and with the options of `base`
/// that are not the default ones. Loads no network. kUsage, kModel, kDevice.
Result<BenchCase> resolve_case(BenchCase what, const EngineSettings& base);

/// The network alone: a thread for each slot hands it requests of random frames, one after the other. Throughput is the
/// sum of what the slots did between their first and last request, so that long batches are not cut. kCancelled when
/// interrupted before two requests a slot were done.
Result<BenchRun> measure_net(const BenchCase& what, const EngineSettings& base, const MeasureTime& time);

/// End to end: decode, preprocess, batches, network, decode to people, JSON lines, for `streams` times the input at
/// once. `input`: a clip, which starts again when it ends, or kSynthetic (inputs.h). GStreamer must be initialised and
/// the plugin loaded. kMedia and those of resolve_case().
Result<BenchRun> measure_whole(const BenchCase& what, const EngineSettings& base, const std::string& input,
                               const MeasureTime& time);

}  // namespace posecam
