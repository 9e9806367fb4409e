#pragma once
// A session as a GStreamer pipeline: source ! queue ! neuroninfer ! neuronjson... ! overlay, encoder, file or nothing.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include <gst/gst.h>

#include "app/session/handles.h"
#include "app/session/output_set.h"
#include "app/session/spec.h"
#include "models/core/result.h"

namespace posecam {

/// What passes between source and network. Written by the streaming thread, read by any.
struct Gate {
  std::uint64_t limit = 0;                       ///< frames to let through; 0: all
  std::atomic<std::uint64_t> frames = 0;         ///< let through so far
  std::atomic<std::int64_t> first_frame_us = 0;  ///< monotonic time, 0 before
  std::atomic<double> fps = 0;                   ///< of the clip, 0 if unknown
  std::optional<GstClockTime> last_time;         ///< of the last frame; streaming thread only
};

/// The pipeline and the parts of it that its owner talks to; those live as long as the pipeline.
struct Topology {
  std::unique_ptr<Gate> gate;    ///< outlives the pipeline, whose probes write to it
  ElementPtr pipeline;           ///< in state NULL when built
  GstElement* source = nullptr;  ///< everything up to the decoded frame
  GstElement* inlet = nullptr;   ///< first element behind the source; an EOS into its sink pad ends the stream orderly
  GstElement* infer = nullptr;   ///< the neuroninfer
  GstElement* video_sink = nullptr;  ///< of the annotated video's file, if there is one
};

/// Elements by factory names only. `outputs`: the locked ones of this spec; must outlive the pipeline. kMedia if an
/// element is not installed, with the package that has it; kUsage for a property value that an element refuses.
Result<Topology> build_topology(const SessionSpec& spec, const OutputSet& outputs);

}  // namespace posecam
