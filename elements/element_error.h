#pragma once
// Failures of the C++ side as GStreamer errors on the bus, and the last line of defence against exceptions.

#include <exception>
#include <source_location>

#include <gst/gst.h>

#include "models/result.h"

namespace posecam::gst {

/// Posts the error; its details carry "posecam-code" (int, the Errc) for applications that want an exit code.
/// `where` is the debug text of the message.
void post_error(GstElement* element, const Error& error, std::source_location where = std::source_location::current());

/// Runs the body of a GObject function; an exception of a library becomes an error on the bus and `failed`.
template <class Body, class Value>
Value guard(GstElement* element, Value failed, Body&& body,
            std::source_location where = std::source_location::current()) {
  try {
    return static_cast<Value>(body());
  } catch (const std::exception& e) {
    post_error(element, {Errc::kDevice, e.what()}, where);
    return failed;
  }
}

}  // namespace posecam::gst
