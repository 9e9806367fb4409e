#pragma once
// One input as a GStreamer pipeline: source ! queue ! neuroninfer ! neuronjson... ! overlay, encoder, file or nothing.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <gst/gst.h>

#include "app/commands/run_options.h"
#include "app/session/inputs.h"
#include "app/session/outputs.h"
#include "models/core/result.h"

namespace posecam {

struct ObjectUnref {
  void operator()(gpointer object) const noexcept { gst_object_unref(object); }
};
using PipelinePtr = std::unique_ptr<GstElement, ObjectUnref>;

/// What passes between source and network. Written by the streaming thread, read by any.
struct Gate {
  std::uint64_t limit = 0;  ///< frames to let through; 0: all
  std::atomic<std::uint64_t> frames = 0;
  std::atomic<std::int64_t> first_frame_us = 0;  ///< monotonic time, 0 before
  std::atomic<double> fps = 0;                   ///< of the clip, 0 if unknown
  std::optional<GstClockTime> last_time;         ///< of the last frame; streaming thread only
};

/// The pipeline and the parts of it that its owner talks to; those live as long as the pipeline.
struct Topology {
  PipelinePtr pipeline;
  std::unique_ptr<Gate> gate;
  GstElement* source = nullptr;  ///< everything up to the decoded frame
  GstElement* inlet = nullptr;   ///< first element behind the source; an EOS into its sink pad ends the stream orderly
  GstElement* infer = nullptr;
};

/// Elements by factory names only. kMedia if an element is not installed, with the package that has it; kUsage for a
/// property value that an element refuses. `instance` is the model-instance-id, empty for a model of its own.
Result<Topology> build_topology(const RunOptions& options, const Input& input, const Outputs& outputs,
                                const std::string& instance);

/// Factory name of the muxer for a video file's extension, or nullptr.
const char* muxer_for(const std::string& file);

}  // namespace posecam
