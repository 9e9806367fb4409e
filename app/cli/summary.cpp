#include "app/cli/summary.h"

#include <fmt/format.h>

#include "models/core/text.h"

namespace posecam {

std::string format_summary(const std::string& input, const StreamStats& stats,
                           const std::vector<std::string>& written) {
  const auto frames = static_cast<double>(stats.frames);
  const double fps = stats.seconds > 0 ? frames / stats.seconds : 0;
  const double each =
      stats.analysed > 0 ? static_cast<double>(stats.people_total) / static_cast<double>(stats.analysed) : 0;
  std::string text = fmt::format("{}: {} in {:.2f} s, {:.1f} FPS; {:.1f} people a frame", printable(input),
                                 counted(stats.frames, "frame", "frames"), stats.seconds, fps, each);
  if (!stats.device.empty()) {
    text += fmt::format("\n  on {}, {}, {:.1f} {} a batch", stats.device, counted(stats.cores, "core", "cores"),
                        stats.batch_fill, stats.detector ? "people" : "frames");
  }
  if (const auto& d = stats.detector) {
    text += fmt::format("\n  detector on {}, {}, {:.1f} frames a batch, {:.2f} ms (p99 {:.2f})", d->device,
                        counted(d->cores, "core", "cores"), d->batch_fill, d->infer.median_ms, d->infer.p99_ms);
  }
  text += fmt::format("\n  {:<12}{:>12}{:>12}", "stage", "median ms", "p99 ms");
  for (const StageTimes& stage : stats.stages) {
    text += fmt::format("\n  {:<12}{:>12.2f}{:>12.2f}", stage.stage, stage.median_ms, stage.p99_ms);
  }
  text += fmt::format("\n  {} unanalysed", stats.unanalysed);
  if (stats.skipped > 0) text += fmt::format(", {} skipped", stats.skipped);
  if (stats.dropped > 0) text += fmt::format(", {} dropped", stats.dropped);
  if (stats.left_out > 0) {
    text += fmt::format("; {} found but not looked at", counted(stats.left_out, "person", "people"));
  }
  for (const std::string& file : written) text += "\n  wrote " + printable(file);
  return text;
}

}  // namespace posecam
