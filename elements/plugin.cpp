// The GStreamer plugin: its elements and its identity.

#include <gst/gst.h>

#include "elements/gstneuroninfer.h"
#include "elements/gstneuronjson.h"
#include "elements/gstneuronoverlay.h"

#define PACKAGE "posecam"

static gboolean plugin_init(GstPlugin* plugin) {
  return GST_ELEMENT_REGISTER(neuroninfer, plugin) && GST_ELEMENT_REGISTER(neuronoverlay, plugin) &&
         GST_ELEMENT_REGISTER(neuronjson, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, neuron, "Pose estimation and detection on every core",
                  plugin_init, POSECAM_VERSION, "Apache 2.0", "posecam", "posecam")
