#pragma once

#include <gst/gst.h>

namespace posecam::gst {

/// Registers neuroninfer, neuronoverlay and neuronjson with `plugin`; a GstPluginInitFunc.
gboolean register_elements(GstPlugin* plugin);

}  // namespace posecam::gst
