#pragma once
// What inference costs: prices of instances and what they achieve, brought together. Pure calculation.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/bench/measurements.h"
#include "app/cost/prices.h"
#include "models/core/result.h"

namespace posecam {

/// Frames a second of a stream where the user says nothing: what cameras usually give.
inline constexpr double kUsualStreamFps = 30;

/// What a user typed of one instance; one of the two at least.
struct TypedFigures {
  std::string instance;                ///< a type that has a price
  std::optional<double> throughput{};  ///< frames a second, 1e-9 to 1e9
  std::optional<double> latency_s{};   ///< seconds of one inference; without a throughput, one is made after the other
};

/// What the user wants to know.
struct CostQuestion {
  std::string model;                     ///< of the measurements; empty: each
  std::vector<std::string> instances{};  ///< of the measured ones only these; empty: all
  std::vector<TypedFigures> typed{};     ///< in place of measurements for these instances

  std::optional<double> target_fps{};       ///< frames a second in all, above 0
  std::optional<double> max_latency_s{};    ///< the p99 of a request, or the latency typed, may be this
  std::optional<std::uint32_t> streams{};   ///< at least 1; a stream stays on one instance
  double fps_per_stream = kUsualStreamFps;  ///< above 0

  /// Something must be achieved, not only priced.
  bool planned() const { return target_fps || max_latency_s || streams; }
};

/// One type of instance at one workload.
struct CostRow {
  InstancePrice price;                ///< of one instance
  double throughput = 0;              ///< frames a second of one instance
  std::optional<double> latency_s{};  ///< p99 in seconds, or what was typed
  std::string from;                   ///< "4 cores, batch 4, neuron-sim", "1 core x 4, batch 1, neuron", "typed"
  std::string cpu{};                  ///< measured on this one, which is hardly the instance's; empty: on no CPU
  bool typed = false;                 ///< not measured
  bool simulated = false;             ///< measured on simulated NeuronCores
  bool scaled = false;                ///< measured on another number of cores, and multiplied

  double usd_per_1000_images = 0;  ///< by the instance's price and throughput, as the next two
  double usd_per_100000_inferences = 0;
  double usd_per_stream_hour = 0;  ///< the part of an instance that a stream takes, for an hour

  std::uint64_t count = 0;  ///< instances that do what was asked; 1 where only prices were; 0: no number of them does
  double usd_per_hour = 0;  ///< of them all
  std::string why_not{};    ///< count is 0: "latency of 0.08 s is above 0.07 s"
};

/// The instances that can do one workload: those that do what was asked first, cheapest first (by the whole plan's
/// price, or by the image where no number of frames or streams was asked for).
struct CostTable {
  Workload workload;          ///< empty texts: typed figures alone
  std::vector<CostRow> rows;  ///< one for each instance

  /// Null where no instance does what was asked.
  const CostRow* cheapest() const;
};

/// A table for each workload that was measured, in the order of the measurements; typed figures join it, or have a
/// table of their own.
///
/// Measurements on NeuronCores, real or simulated, are for instances with NeuronCores; of several for an instance, real
/// ones go before simulated ones, those on as many cores as it has, or nearest to that, before others, their throughput
/// being multiplied (the latency stays), and of those left the fastest that keeps the latency. Measurements on a CPU
/// are for instances without accelerator that have as many vCPUs as the machine, and say on which CPU it was. GPUs have
/// typed figures only.
///
/// A model, an instance or a combination that does not exist, or nothing to put a price on: kUsage.
Result<std::vector<CostTable>> cost_tables(const std::vector<InstancePrice>& prices, const Measurements* measurements,
                                           const CostQuestion& question);

}  // namespace posecam
