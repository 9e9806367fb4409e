#pragma once

#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_NEURON_JSON (gst_neuron_json_get_type())
G_DECLARE_FINAL_TYPE(GstNeuronJson, gst_neuron_json, GST, NEURON_JSON, GstBaseTransform)
GST_ELEMENT_REGISTER_DECLARE(neuronjson);

G_END_DECLS
