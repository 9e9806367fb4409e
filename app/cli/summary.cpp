#include "app/cli/summary.h"

#include <algorithm>

#include <fmt/format.h>

namespace posecam {
namespace {

std::uint64_t get_count(const GstStructure* stats, const char* name) {
  guint64 value = 0;
  gst_structure_get_uint64(stats, name, &value);
  return value;
}

double get_number(const GstStructure* stats, const std::string& name) {
  double value = 0;
  gst_structure_get_double(stats, name.c_str(), &value);
  return value;
}

std::string written(const Outputs& outputs) {
  std::string text;
  for (const std::string* file :
       {&outputs.video, &outputs.json_lines, &outputs.json_folder, &outputs.coco, &outputs.motion}) {
    if (!file->empty() && *file != "-") text += "\n  wrote " + *file;
  }
  return text;
}

}  // namespace

StreamStats read_stats(GstElement* infer) {
  StreamStats stats;
  GstStructure* read = nullptr;
  g_object_get(infer, "stats", &read, nullptr);
  if (read == nullptr) return stats;
  stats.frames = get_count(read, "frames");
  stats.analysed = get_count(read, "analysed");
  stats.skipped = get_count(read, "skipped");
  stats.unanalysed = get_count(read, "unanalysed");
  stats.people_total = get_count(read, "people-total");
  gst_structure_get_int(read, "people", &stats.people);
  gst_structure_get_uint(read, "cores", &stats.cores);
  stats.batch_fill = get_number(read, "batch-fill");
  if (const char* device = gst_structure_get_string(read, "device"); device != nullptr) stats.device = device;
  constexpr std::array kStages{"preprocess", "queue", "infer", "post"};
  const auto times_of = [read](const char* name) {
    const std::string stage = name;
    return StageTimes{name, get_number(read, stage + "-median-ms"), get_number(read, stage + "-p99-ms")};
  };
  std::ranges::transform(kStages, stats.stages.begin(), times_of);
  gst_structure_free(read);
  return stats;
}

std::string format_summary(const std::string& input, const StreamStats& stats, const Outputs& outputs) {
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
  return text + written(outputs);
}

}  // namespace posecam
