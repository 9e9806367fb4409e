#pragma once
// Where analysed frames end: in a video, on the screen, or nowhere.

#include <gst/gst.h>

#include "app/session/graph/builder.h"
#include "app/session/output_set.h"
#include "app/session/spec.h"

namespace posecam {

/// The end of a pipeline, behind `build.last`. Returns the sink of the annotated video's file, nullptr without one. No
/// sink waits for the clock or for a first frame: what ends before one has come ends, too.
GstElement* add_outlet(Builder& build, const AnnotatedVideo& video, const OutputSet& outputs);

}  // namespace posecam
