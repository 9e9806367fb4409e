#pragma once
// What some options of an engine may be.

#include <array>
#include <string>

#include "models/core/result.h"
#include "pipeline/backend/net_resolution.h"
#include "pipeline/settings/option.h"

namespace posecam {

/// What the options precision, scheduling-policy and decode may be.
inline constexpr std::array kPrecisionWords{OptionWord{"auto", "bf16 where the CPU calculates with it, else f32"},
                                            OptionWord{"f32", "32 bit floating point"}, OptionWord{"bf16", "bfloat16"}};
inline constexpr std::array kSchedulingWords{
    OptionWord{"throughput", "Most frames a second: every core works on its own batch"},
    OptionWord{"latency", "Shortest way of a frame: all cores work on one batch"}};
inline constexpr std::array kDecodeWords{
    OptionWord{"fast", "Peaks near the heatmaps' own resolution, refined"},
    OptionWord{"reference", "tf-pose's own steps, many times slower, to compare with"}};

/// What a net resolution may be: kUsage.
inline Result<void> check_net_resolution(const std::string& text) {
  if (text.empty()) return {};
  const auto parsed = parse_net_resolution(text);
  return parsed ? Result<void>{} : Result<void>{parsed.error()};
}

}  // namespace posecam
