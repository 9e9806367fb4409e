#include "elements/base/element_error.h"

#include <string>

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
    case Errc::kOutput: return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE};
    case Errc::kNoSpace: return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT};
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

void post_note(GstElement* element, std::string_view device, const EngineNote& note) {
  GST_ELEMENT_WARNING(element, RESOURCE, FAILED, ("%s", note.text.c_str()), (nullptr));
  if (note.kind == EngineNote::Kind::kRemark) return;
  const char* const name = note.kind == EngineNote::Kind::kCoreLost ? "core-failed" : "core-back";
  gst_element_post_message(
      element,
      gst_message_new_element(GST_OBJECT(element),
                              gst_structure_new(name, "device", G_TYPE_STRING, std::string(device).c_str(), "core",
                                                G_TYPE_UINT, note.core, "cores-left", G_TYPE_UINT, note.cores_left,
                                                "text", G_TYPE_STRING, note.text.c_str(), nullptr)));
}

}  // namespace posecam::gst
