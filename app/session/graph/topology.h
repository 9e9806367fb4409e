#pragma once
// A session as a GStreamer pipeline: source ! queue ! neuroninfer... ! neuronjson... ! overlay, encoder, file or
// nothing.

#include <memory>

#include <gst/gst.h>

#include "app/session/graph/inlet.h"
#include "app/session/handles.h"
#include "app/session/output_set.h"
#include "app/session/spec.h"
#include "models/core/result.h"

namespace posecam {

/// The pipeline and the parts of it that its owner talks to; those live as long as the pipeline.
struct Topology {
  std::unique_ptr<Gate> gate;    ///< outlives the pipeline, whose probes write to it
  ElementPtr pipeline;           ///< in state NULL when built
  GstElement* source = nullptr;  ///< everything up to the decoded frame
  GstElement* inlet = nullptr;   ///< first element behind the source; an EOS into its sink pad ends the stream orderly
  GstElement* infer = nullptr;   ///< what analyses: `people`, or a bin of `detector` and `people`
  GstElement* people = nullptr;  ///< the neuroninfer of the session's model
  GstElement* detector = nullptr;    ///< the one before it, if there is one
  GstElement* video_sink = nullptr;  ///< of the annotated video's file, if there is one
};

/// Elements by factory names only. `outputs`: the locked ones of this spec; must outlive the pipeline. kMedia if an
/// element is not installed, with the package that has it; kUsage for a property value that an element refuses.
Result<Topology> build_topology(const SessionSpec& spec, const OutputSet& outputs);

}  // namespace posecam
