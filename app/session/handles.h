#pragma once
// One owner for each kind of GLib's and GStreamer's handles.

#include <memory>

#include <gst/gst.h>

namespace posecam {

/// Gives back one reference.
struct ObjectUnref {
  void operator()(gpointer object) const noexcept { gst_object_unref(object); }
};
using ElementPtr = std::unique_ptr<GstElement, ObjectUnref>;  ///< one reference on each of these
using PadPtr = std::unique_ptr<GstPad, ObjectUnref>;
using BusPtr = std::unique_ptr<GstBus, ObjectUnref>;

/// Gives back one reference.
struct CapsUnref {
  void operator()(GstCaps* caps) const noexcept { gst_caps_unref(caps); }
};
using CapsPtr = std::unique_ptr<GstCaps, CapsUnref>;  ///< one reference

/// Gives back one reference.
struct ContextUnref {
  void operator()(GMainContext* context) const noexcept { g_main_context_unref(context); }
};
using ContextPtr = std::unique_ptr<GMainContext, ContextUnref>;  ///< one reference

}  // namespace posecam
