#include "elements/register_elements.h"

#include <string>

#include "elements/infer/gstneuroninfer.h"
#include "elements/json/gstneuronjson.h"
#include "elements/overlay/gstneuronoverlay.h"
#include "models/core/log.h"

GST_DEBUG_CATEGORY_STATIC(neuron_debug);
#define GST_CAT_DEFAULT neuron_debug

namespace posecam::gst {
namespace {

/// Lines of the libraries below appear where those of every element do. What users must know is on the bus.
void log_to_gstreamer(spdlog::level::level_enum level, std::string_view line) {
  const std::string text(line);
  const GstDebugLevel gst_level = level >= spdlog::level::err    ? GST_LEVEL_ERROR
                                  : level == spdlog::level::warn ? GST_LEVEL_WARNING
                                                                 : GST_LEVEL_INFO;
  GST_CAT_LEVEL_LOG(GST_CAT_DEFAULT, gst_level, nullptr, "%s", text.c_str());
}

}  // namespace

gboolean register_elements(GstPlugin* plugin) {
  GST_DEBUG_CATEGORY_INIT(neuron_debug, "neuron", 0, "networks and devices behind the neuron elements");
  log_to(log_to_gstreamer);
  return GST_ELEMENT_REGISTER(neuroninfer, plugin) && GST_ELEMENT_REGISTER(neuronoverlay, plugin) &&
         GST_ELEMENT_REGISTER(neuronjson, plugin);
}

}  // namespace posecam::gst
