#include "elements/infer/infer_stats.h"

#include <string>

namespace posecam::gst {
namespace {

void add_stage(GstStructure* s, const char* stage, const Histogram& times) {
  gst_structure_set(s, (std::string(stage) + "-median-ms").c_str(), G_TYPE_DOUBLE, times.quantile(0.5),
                    (std::string(stage) + "-p90-ms").c_str(), G_TYPE_DOUBLE, times.quantile(0.9),
                    (std::string(stage) + "-p99-ms").c_str(), G_TYPE_DOUBLE, times.quantile(0.99), nullptr);
}

/// "notes": what happened to the cores, a text each.
void add_notes(GstStructure* s, const EngineNotes& notes) {
  GValue list = G_VALUE_INIT;
  gst_value_array_init(&list, 0);
  for (const EngineNote& note : notes.from(0)) {
    GValue text = G_VALUE_INIT;
    g_value_init(&text, G_TYPE_STRING);
    g_value_set_string(&text, note.text.c_str());
    gst_value_array_append_and_take_value(&list, &text);
  }
  gst_structure_take_value(s, "notes", &list);
}

}  // namespace

void InferStats::reset() {
  std::lock_guard lock(mutex_);
  counts_ = {};
}

void InferStats::count(const FrameResult& result, float latency_ms) {
  std::lock_guard lock(mutex_);
  Counts& c = counts_;
  ++c.frames;
  switch (result.status) {
    case FrameStatus::kAnalysed: ++c.analysed; break;
    case FrameStatus::kSkipped: ++c.skipped; return;
    case FrameStatus::kUnanalysed: ++c.unanalysed; return;
  }
  c.people = result.poses.size();
  c.left_out += result.left_out;
  for (const Detection& d : result.detections) {
    if (result.label_of(d) == "person") ++c.people;
  }
  c.people_total += c.people;
  if (!(result.times.infer > 0)) return;  // nobody to look at: no network ran
  c.preprocess.add(result.times.preprocess);
  c.queue.add(result.times.queue);
  c.infer.add(result.times.infer);
  c.post.add(result.times.post);
  c.latency.add(latency_ms);
}

void InferStats::count_late() {
  std::lock_guard lock(mutex_);
  ++counts_.late;
}

GstClockTime InferStats::latency() const {
  constexpr double kGuessMs = 50;
  std::lock_guard lock(mutex_);
  const double ms = counts_.latency.count() > 0 ? counts_.latency.quantile(0.99) : kGuessMs;
  return static_cast<GstClockTime>(ms * static_cast<double>(GST_MSECOND));
}

InferStats::Counts InferStats::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

GstStructure* InferStats::to_structure(const Engine* engine) const {
  const Counts c = counts();
  GstStructure* s =
      gst_structure_new("neuron-stats", "frames", G_TYPE_UINT64, c.frames, "analysed", G_TYPE_UINT64, c.analysed,
                        "skipped", G_TYPE_UINT64, c.skipped, "unanalysed", G_TYPE_UINT64, c.unanalysed, "late",
                        G_TYPE_UINT64, c.late, "people", G_TYPE_INT, static_cast<int>(c.people), "people-total",
                        G_TYPE_UINT64, c.people_total, "people-left-out", G_TYPE_UINT64, c.left_out, nullptr);
  add_stage(s, "preprocess", c.preprocess);
  add_stage(s, "queue", c.queue);
  add_stage(s, "infer", c.infer);
  add_stage(s, "post", c.post);
  add_stage(s, "latency", c.latency);
  if (engine) {
    const EngineStats e = engine->stats();
    const double fill = e.batches > 0 ? static_cast<double>(e.rows) / static_cast<double>(e.batches) : 0;
    gst_structure_set(s, "device", G_TYPE_STRING, std::string(engine->backend_name()).c_str(), "cores", G_TYPE_UINT,
                      e.cores, "cores-lost", G_TYPE_UINT64, e.losses, "batches", G_TYPE_UINT64, e.batches, "batch-fill",
                      G_TYPE_DOUBLE, fill, nullptr);
    add_notes(s, engine->notes());
  }
  return s;
}

}  // namespace posecam::gst
