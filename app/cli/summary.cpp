#include "app/cli/summary.h"

#include <fmt/format.h>

namespace posecam {

std::string format_summary(const std::string& input, const StreamStats& stats,
                           const std::vector<std::string>& written) {
  const auto frames = static_cast<double>(stats.frames);
  const double fps = stats.seconds > 0 ? frames / stats.seconds : 0;
  const double each =
      stats.analysed > 0 ? static_cast<double>(stats.people_total) / static_cast<double>(stats.analysed) : 0;
  std::string text = fmt::format("{}: {} frames in {:.2f} s, {:.1f} FPS; {} people, {:.1f} a frame", input,
                                 stats.frames, stats.seconds, fps, stats.people_total, each);
  if (!stats.device.empty()) {
    text += fmt::format("\n  on {}, {} {}, {:.1f} frames a batch", stats.device, stats.cores,
                        stats.cores == 1 ? "core" : "cores", stats.batch_fill);
  }
  text += fmt::format("\n  {:<12}{:>12}{:>12}", "stage", "median ms", "p99 ms");
  for (const StageTimes& stage : stats.stages) {
    text += fmt::format("\n  {:<12}{:>12.2f}{:>12.2f}", stage.stage, stage.median_ms, stage.p99_ms);
  }
  text += fmt::format("\n  {} unanalysed", stats.unanalysed);
  if (stats.skipped > 0) text += fmt::format(", {} skipped", stats.skipped);
  if (stats.dropped > 0) text += fmt::format(", {} dropped", stats.dropped);
  for (const std::string& file : written) text += "\n  wrote " + file;
  return text;
}

}  // namespace posecam
