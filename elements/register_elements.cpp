#include "elements/register_elements.h"

#include "elements/gstneuroninfer.h"
#include "elements/gstneuronjson.h"
#include "elements/gstneuronoverlay.h"

namespace posecam::gst {

gboolean register_elements(GstPlugin* plugin) {
  return GST_ELEMENT_REGISTER(neuroninfer, plugin) && GST_ELEMENT_REGISTER(neuronoverlay, plugin) &&
         GST_ELEMENT_REGISTER(neuronjson, plugin);
}

}  // namespace posecam::gst
