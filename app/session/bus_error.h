#pragma once
// What an error on a pipeline's bus means to people, and of which kind it is.

#include <gst/gst.h>

#include "app/session/spec.h"
#include "app/session/topology.h"
#include "models/core/result.h"

namespace posecam {

/// True for the bin and for what is in it, however deep.
bool is_within(GstObject* object, GstElement* bin);

/// An error message of the pipeline of that session: our own elements say what it is; of others, where they stand in
/// the pipeline and what is known of the input does.
Error to_error(GstMessage* message, const SessionSpec& spec, const Topology& topology);

}  // namespace posecam
