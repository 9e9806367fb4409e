#pragma once
// What an engine is asked for, as properties of the element that makes it.

#include <gst/gst.h>

#include "pipeline/settings/engine_settings.h"

namespace posecam {

/// Sets the property of every engine option on a neuroninfer. Its owner's thread, before it is READY.
void set_engine_properties(GstElement* infer, const EngineSettings& settings);

}  // namespace posecam
