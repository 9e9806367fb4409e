#pragma once
// Names of files are bytes; what GStreamer carries in messages and what XML takes is UTF-8.

#include <memory>
#include <string>

#include <glib.h>

namespace posecam {

/// Bytes that are no UTF-8, as a path may have, become U+FFFD.
inline std::string valid_utf8(const std::string& text) {
  const std::unique_ptr<char, void (*)(void*)> valid(g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())),
                                                     g_free);
  return valid.get();
}

}  // namespace posecam
