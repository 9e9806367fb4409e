#pragma once
// Failures of the C++ side as GStreamer errors on the bus, and the last line of defence against exceptions.

#include <exception>
#include <string_view>

#include <gst/gst.h>

#include "models/core/result.h"
#include "pipeline/engine/engine_notes.h"

namespace posecam::gst {

/// Posts the error; its details carry "posecam-code" (int, the Errc) for applications that want an exit code.
/// `file` and `line`, those of the caller, are the debug text. (std::source_location is beyond clang 14, which tidies.)
void post_error(GstElement* element, const Error& error, const char* file = __builtin_FILE(),
                int line = __builtin_LINE());

/// A warning of the note's text. Of a core that was lost, or is back, also the element message "core-failed" or
/// "core-back" (device: string, core: uint, cores-left: uint, text: string).
void post_note(GstElement* element, std::string_view device, const EngineNote& note);

/// Runs the body of a GObject function; an exception of a library becomes an error on the bus and `failed`.
template <class Body, class Value>
Value guard(GstElement* element, Value failed, Body&& body, const char* file = __builtin_FILE(),
            int line = __builtin_LINE()) {
  try {
    return static_cast<Value>(body());
  } catch (const std::exception& e) {
    post_error(element, {Errc::kDevice, e.what()}, file, line);
    return failed;
  }
}

}  // namespace posecam::gst
