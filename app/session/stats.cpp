#include "app/session/stats.h"

#include <algorithm>

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

std::vector<std::string> get_texts(const GstStructure* stats, const char* name) {
  std::vector<std::string> texts;
  const GValue* list = gst_structure_get_value(stats, name);
  const guint count = list == nullptr ? 0 : gst_value_array_get_size(list);
  for (guint i = 0; i < count; ++i) texts.emplace_back(g_value_get_string(gst_value_array_get_value(list, i)));
  return texts;
}

StageTimes times_of(const GstStructure* stats, const char* name) {
  const std::string stage = name;
  return {name, get_number(stats, stage + "-median-ms"), get_number(stats, stage + "-p99-ms")};
}

StreamStats read_network(GstElement* infer) {
  StreamStats stats;
  GstStructure* read = nullptr;
  g_object_get(infer, "stats", &read, nullptr);
  if (read == nullptr) return stats;
  stats.frames = get_count(read, "frames");
  stats.analysed = get_count(read, "analysed");
  stats.skipped = get_count(read, "skipped");
  stats.unanalysed = get_count(read, "unanalysed");
  stats.people_total = get_count(read, "people-total");
  stats.left_out = get_count(read, "people-left-out");
  gst_structure_get_int(read, "people", &stats.people);
  gst_structure_get_uint(read, "cores", &stats.cores);
  stats.notes = get_texts(read, "notes");
  stats.batch_fill = get_number(read, "batch-fill");
  if (const char* device = gst_structure_get_string(read, "device"); device != nullptr) stats.device = device;
  constexpr std::array kStages{"preprocess", "queue", "infer", "post"};
  std::ranges::transform(kStages, stats.stages.begin(), [read](const char* stage) { return times_of(read, stage); });
  gst_structure_free(read);
  return stats;
}

}  // namespace

StreamStats read_stats(GstElement* infer, GstElement* detector) {
  StreamStats stats = read_network(infer);
  if (detector == nullptr) return stats;
  const StreamStats before = read_network(detector);
  stats.detector = DetectorStats{before.device, before.cores, before.batch_fill, before.stages[2]};
  stats.notes.insert(stats.notes.begin(), before.notes.begin(), before.notes.end());
  return stats;
}

}  // namespace posecam
