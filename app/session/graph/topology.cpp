#include "app/session/graph/topology.h"

#include <algorithm>
#include <string>

#include "app/session/graph/infer_properties.h"
#include "app/session/graph/outlet.h"
#include "app/session/graph/source.h"

namespace posecam {
namespace {

void add_infer(Builder& build, const SessionSpec& spec, Topology& topology) {
  GstElement* infer = build.append("neuroninfer");
  topology.infer = infer;
  if (infer == nullptr) return;
  set_engine_properties(infer, spec.engine);
  set(infer, "model-instance-id", spec.shared_model.c_str(), "inference-interval", spec.inference_interval);
  // Every frame of a recording is analysed, however slow a window is.
  set(infer, "qos", FALSE);
}

const char* word_of(ResultFormat format) {
  switch (format) {
    case ResultFormat::kNdjson: return "ndjson";
    case ResultFormat::kOpenpose: return "openpose";
    case ResultFormat::kCoco: return "coco";
    case ResultFormat::kMotion: return "motion";
  }
  return "";
}

/// A name is a line of its own, whatever is in it.
std::string one_line(std::string name) {
  std::ranges::replace(name, '\n', '?');
  return name;
}

void add_writers(Builder& build, const SessionSpec& spec, const OutputSet& outputs) {
  const Input& input = spec.input;
  std::string names;
  for (const std::string& name : input.image_names) names += name + "\n";
  std::string files;
  for (const auto& image : input.images) files += one_line(image.filename().string()) + "\n";
  for (const Sink& sink : spec.sinks) {
    GstElement* json = build.append("neuronjson");
    set_word(json, "format", word_of(sink.format));
    set(json, "location", sink.location.c_str(), "fd", outputs.descriptor(sink.location), "stream-id",
        input.name.c_str(), "names", names.c_str(), "files", files.c_str(), "clip-name", input.name.c_str());
  }
}

}  // namespace

Result<Topology> build_topology(const SessionSpec& spec, const OutputSet& outputs) {
  Topology topology;
  topology.pipeline.reset(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(spec.input.name.c_str()))));
  topology.gate = std::make_unique<Gate>();
  topology.gate->limit = spec.max_frames;
  Builder build(topology.pipeline.get());
  topology.source = add_source(build, spec.input);
  topology.inlet = add_inlet(build, is_decoded(spec.input.kind), *topology.gate);
  add_infer(build, spec, topology);
  add_writers(build, spec, outputs);
  topology.video_sink = add_outlet(build, spec.video, outputs);
  if (auto built = build.state(); !built) return built.error();
  if (is_decoded(spec.input.kind)) connect_source(topology.source, topology.inlet);
  return topology;
}

void follow_pace_of_source(Topology& topology) {
  make_live(topology.inlet, *topology.gate);
  g_object_set(topology.infer, "qos", TRUE, nullptr);
}

}  // namespace posecam
