#pragma once
// What `posecam bench` measures: combinations of settings, and what each came to.

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "app/cli/text_table.h"
#include "models/core/result.h"

namespace posecam {

/// One combination. Counts of 0: what the model or the device has.
struct BenchCase {
  std::string model;                ///< name, or path of a descriptor
  std::string network;              ///< the name in that descriptor
  std::string device;               ///< as `--device` takes it
  bool whole = false;               ///< end to end (decode to JSON) instead of the network alone
  std::uint32_t batch = 0;          ///< frames
  std::uint32_t cores = 0;          ///< the first so many
  std::uint32_t slots = 2;          ///< batches under way on a core
  std::uint32_t request_batch = 0;  ///< network alone: frames handed to a slot at a time; 0: a batch
  std::uint32_t streams = 1;        ///< end to end: clips at the same time
  std::string net_resolution;       ///< "WxH" in pixels; empty: the model's own
  std::string options;              ///< what else its engine was told: "precision=f32 taps=9"

  friend bool operator==(const BenchCase&, const BenchCase&) = default;
};

/// One repetition of a case, after its warm-up.
struct BenchRun {
  std::uint32_t cores = 0;   ///< that the device had
  std::uint64_t frames = 0;  ///< that were analysed
  double elapsed_s = 0;      ///< without the warm-up
  double throughput = 0;     ///< frames a second
  double p50_ms = 0;         ///< of a request; end to end: of a frame, from decoded to its result
  double p90_ms = 0;
  double p99_ms = 0;
  double core_use = 0;        ///< busy share of the device's cores, 0 to 1
  double cpu_use = 0;         ///< CPUs of this machine that were busy with it
  double rss_mb = 0;          ///< memory of the process, in all
  double mb_to_device_s = 0;  ///< network inputs a second
};

/// A case with all its repetitions.
struct BenchResult {
  BenchCase what;              ///< with the numbers that the model and device had
  bool simulated = false;      ///< the device's time is the simulator's
  std::vector<BenchRun> runs;  ///< one for each repetition
  std::string failure{};       ///< why there are no more of them; empty: all went well

  /// Of all repetitions.
  std::uint64_t frames() const;
  /// Of all repetitions.
  double elapsed_s() const;
  /// The median repetition's.
  double median(double BenchRun::*figure) const;
  /// (Highest - lowest) / median of the throughputs.
  double spread() const;
};

/// All that one `posecam bench` measured, and where.
struct BenchReport {
  std::string version;               ///< of the program
  std::string when;                  ///< UTC, ISO 8601
  std::string cpu;                   ///< model name of this machine's
  std::uint32_t cpus = 0;            ///< how many of them the machine has
  std::vector<BenchResult> results;  ///< in the order in which they were measured
};

/// The document that `posecam bench --json` writes (docs/bench.md).
nlohmann::ordered_json to_json(const BenchReport& report);
/// A report as to_json() made it. `where` names it in messages. kModel.
Result<BenchReport> parse_bench_report(const std::string& text, const std::string& where);

/// "tiny opencv net 64x32 batch 4 cores 2 slots 2 request 4": a case in a line.
std::string describe(const BenchCase& what);
/// "FAILED after 1 round: tiny opencv ...: REASON".
std::string describe_failure(const BenchResult& result);

/// Columns as in AWS's articles, batch_size num_inferences elapsed throughput, and more; those that never vary, or say
/// what the one before them does (requests of a batch), are left out of table and cells, but for these four.
Cells bench_cells(const BenchReport& report);
/// The cells for a terminal of so many columns (0: none), and a line for each case that failed; ends with a newline.
std::string bench_table(const BenchReport& report, int columns = 0);
/// Every column of every case, without units.
std::string bench_csv(const BenchReport& report);

/// A repetition further than this from the others: the machine had other things to do.
inline constexpr double kNoisySpread = 0.1;

}  // namespace posecam
