#pragma once
// What an error on a pipeline's bus means to people, and of which kind it is.

#include <string>
#include <string_view>

#include <gst/gst.h>

#include "app/session/graph/topology.h"
#include "app/session/spec.h"
#include "models/core/result.h"

namespace posecam {

/// True for the bin and for what is in it, however deep.
bool is_within(GstObject* object, GstElement* bin);

/// Why nothing in an input can be decoded, from the debug text of decodebin's GST_CORE_ERROR_MISSING_PLUGIN ("Missing
/// decoder: NAME (CAPS)" lines).
std::string why_no_video(std::string_view debug);

/// An error message of the pipeline of that session: our own elements say what it is; of others, where they stand in
/// the pipeline and what is known of the input does.
Error to_error(GstMessage* message, const SessionSpec& spec, const Topology& topology);

}  // namespace posecam
