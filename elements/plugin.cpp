// The GStreamer plugin and its identity.

#include "elements/register_elements.h"

#define PACKAGE "posecam"

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, neuron, "Pose estimation and detection on every core",
                  posecam::gst::register_elements, POSECAM_VERSION, "Apache 2.0", "posecam", "posecam")
