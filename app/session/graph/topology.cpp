#include "app/session/graph/topology.h"

#include <algorithm>
#include <string>
#include <vector>

#include "app/session/graph/infer_properties.h"
#include "app/session/graph/outlet.h"
#include "app/session/graph/source.h"

namespace posecam {
namespace {

GstElement* add_network(Builder& build, const EngineSettings& engine, const std::string& shared,
                        std::uint32_t interval) {
  GstElement* infer = build.append("neuroninfer");
  if (infer == nullptr) return nullptr;
  set_engine_properties(infer, engine);
  set(infer, "model-instance-id", shared.c_str(), "inference-interval", interval);
  return infer;
}

/// The pad of an element within as one of the bin.
void add_ghost_pad(GstElement* bin, const char* name, GstElement* element) {
  const PadPtr pad(gst_element_get_static_pad(element, name));
  gst_element_add_pad(bin, gst_ghost_pad_new(name, pad.get()));
}

/// Both networks in a bin, so that they are opened and closed as one.
GstElement* two_networks(Builder& outer, const SessionSpec& spec, Topology& topology) {
  GstElement* bin = gst_bin_new("networks");
  Builder build(bin);
  const std::string shared = spec.shared_model.empty() ? "" : spec.shared_model + "-detector";
  topology.detector = add_network(build, spec.detector->engine, shared, spec.detector->inference_interval);
  topology.people = add_network(build, spec.engine, spec.shared_model, spec.inference_interval);
  if (const auto built = build.state(); !built) {
    outer.fail(built.error());
    return bin;
  }
  set(topology.detector, "repeat-objects", TRUE);
  set_word(topology.people, "inference-region", "roi-list");
  set(topology.people, "object-class", kDetectedClass);
  add_ghost_pad(bin, "sink", topology.detector);
  add_ghost_pad(bin, "src", topology.people);
  return bin;
}

void add_infer(Builder& build, const SessionSpec& spec, Topology& topology) {
  if (spec.detector) {
    topology.infer = build.append(two_networks(build, spec, topology), "bin");
  } else {
    topology.infer = topology.people = add_network(build, spec.engine, spec.shared_model, spec.inference_interval);
    if (spec.input.kind == InputKind::kImages) set_word(topology.people, "inference-region", "full-frame");
  }
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
std::string one_a_line(const std::vector<std::string>& names) {
  std::string text;
  for (std::string name : names) {
    std::ranges::replace(name, '\n', '?');
    text += name + "\n";
  }
  return text;
}

void add_writers(Builder& build, const SessionSpec& spec, const OutputSet& outputs) {
  const Input& input = spec.input;
  const std::string names = one_a_line(input.image_names);
  // Of COCO's image ids the file's own name decides, whatever had to be added to make it unlike others.
  const std::string stems = one_a_line(image_stems(input));
  std::vector<std::string> file_names;
  for (const auto& image : input.images) file_names.push_back(image.filename().string());
  const std::string files = one_a_line(file_names);
  for (const Sink& sink : spec.sinks) {
    GstElement* json = build.append("neuronjson");
    set_word(json, "format", word_of(sink.format));
    set(json, "location", sink.location.c_str(), "fd", outputs.descriptor(sink.location), "stream-id",
        input.name.c_str(), "names", (sink.format == ResultFormat::kCoco ? stems : names).c_str(), "files",
        files.c_str(), "clip-name", input.name.c_str());
  }
}

}  // namespace

Result<Topology> build_topology(const SessionSpec& spec, const OutputSet& outputs) {
  Topology topology;
  topology.pipeline.reset(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(spec.input.name.c_str()))));
  topology.gate = std::make_unique<Gate>();
  topology.gate->limit = spec.max_frames;
  Builder build(topology.pipeline.get());
  const bool apart = is_apart(spec);
  topology.source = apart ? add_apart_source(build) : add_source(build, spec.input);
  topology.inlet = add_inlet(build, is_decoded(spec.input.kind), *topology.gate);
  add_infer(build, spec, topology);
  add_writers(build, spec, outputs);
  topology.video_sink = add_outlet(build, spec.video, outputs);
  if (auto built = build.state(); !built) return built.error();
  if (is_decoded(spec.input.kind) && !apart) connect_source(topology.source, topology.inlet);
  return topology;
}

}  // namespace posecam
