#include "elements/element_error.h"

namespace posecam::gst {
namespace {

struct GstCode {
  GQuark domain;
  gint code;
};

GstCode to_gst(Errc code) {
  switch (code) {
    case Errc::kUsage: return {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS};
    case Errc::kModel: return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND};
    case Errc::kDevice:
    case Errc::kCoreLost: return {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT};
    case Errc::kBusy: return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY};
    case Errc::kMedia: return {GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT};
    case Errc::kBadInput:
    case Errc::kCancelled: break;
  }
  return {GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED};
}

}  // namespace

void post_error(GstElement* element, const Error& error, const char* file, int line) {
  const GstCode code = to_gst(error.code);
  GstStructure* details =
      gst_structure_new("details", "posecam-code", G_TYPE_INT, static_cast<int>(error.code), nullptr);
  gst_element_message_full_with_details(element, GST_MESSAGE_ERROR, code.domain, code.code,
                                        g_strdup(error.message.c_str()), nullptr, file, "", line, details);
}

}  // namespace posecam::gst
