#pragma once

#include <gst/gst.h>

#include "elements/infer/infer_element.h"

G_BEGIN_DECLS

#define GST_TYPE_NEURON_INFER (gst_neuron_infer_get_type())
G_DECLARE_FINAL_TYPE(GstNeuronInfer, gst_neuron_infer, GST, NEURON_INFER, GstElement)
GST_ELEMENT_REGISTER_DECLARE(neuroninfer);

struct _GstNeuronInfer {
  GstElement parent;
  posecam::gst::InferElement* impl;  ///< owned
};

G_END_DECLS
