#pragma once
// Elements of a pipeline, made by their factory names and linked in a row.

#include <string>

#include <gst/gst.h>

#include "models/core/result.h"

namespace posecam {

/// Puts elements into one pipeline and links them; remembers the first thing that failed.
class Builder {
 public:
  /// `pipeline` outlives it.
  explicit Builder(GstElement* pipeline) : pipeline_(GST_BIN(pipeline)) {}

  /// A new element in the pipeline; nullptr if it is not installed, with the package that has it in state().
  GstElement* make(const char* factory) { return adopt(gst_element_factory_make(factory, nullptr), factory); }
  /// The pipeline takes `element`; nullptr is what make() makes of a factory that is not there.
  GstElement* adopt(GstElement* element, const char* factory);

  /// Makes the element and links it behind `last`, which it becomes.
  GstElement* append(const char* factory) { return append(gst_element_factory_make(factory, nullptr), factory); }
  GstElement* append(GstElement* made, const char* factory);

  /// The first failure counts.
  void fail(Error error);
  Result<void> state() const { return error_.message.empty() ? Result<void>{} : Result<void>{error_}; }

  GstElement* last = nullptr;  ///< what append() links to

 private:
  GstBin* pipeline_;
  Error error_;
};

/// Properties of an element, or nothing of an element that could not be made.
template <class... Args>
void set(GstElement* element, Args... args) {
  if (element != nullptr) g_object_set(element, args..., nullptr);
}

/// A property that is one of a few words.
inline void set_word(GstElement* element, const char* property, const std::string& word) {
  if (element != nullptr) gst_util_set_object_arg(G_OBJECT(element), property, word.c_str());
}

/// The element closes the descriptor when it goes.
void keep_descriptor(GstElement* element, int descriptor);

/// A probe on the pad of that name for as long as the element lives.
void probe(GstElement* element, const char* pad, GstPadProbeType what, GstPadProbeCallback callback, gpointer data);

}  // namespace posecam
