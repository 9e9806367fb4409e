#pragma once

#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_NEURON_OVERLAY (gst_neuron_overlay_get_type())
G_DECLARE_FINAL_TYPE(GstNeuronOverlay, gst_neuron_overlay, GST, NEURON_OVERLAY, GstBaseTransform)
GST_ELEMENT_REGISTER_DECLARE(neuronoverlay);

G_END_DECLS
