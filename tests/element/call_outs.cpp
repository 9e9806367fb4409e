#include "tests/element/call_outs.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>

#include <gst/gst.h>

#include "models/core/own_mutex.h"

namespace posecam::test {
namespace {

std::atomic<std::uint64_t> g_calls = 0;

template <class Function>
Function* checked(const char* name) {
  if (OwnMutex::held() != 0) {
    std::fprintf(stderr, "%s is called with a lock of ours held\n", name);
    std::abort();
  }
  ++g_calls;
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

std::uint64_t call_outs() { return g_calls; }

}  // namespace posecam::test

// The program's own functions come before those of libgstreamer.
// NOLINTBEGIN(cppcoreguidelines-macro-usage, bugprone-macro-parentheses): it makes functions of given names.
#define POSECAM_STANDS_IN(name, result, parameters, arguments) \
  result name parameters { return posecam::test::checked<decltype(name)>(#name) arguments; }
// NOLINTEND(cppcoreguidelines-macro-usage, bugprone-macro-parentheses)

POSECAM_STANDS_IN(gst_pad_push, GstFlowReturn, (GstPad * pad, GstBuffer* buffer), (pad, buffer))
POSECAM_STANDS_IN(gst_pad_push_event, gboolean, (GstPad * pad, GstEvent* event), (pad, event))
POSECAM_STANDS_IN(gst_pad_store_sticky_event, GstFlowReturn, (GstPad * pad, GstEvent* event), (pad, event))
POSECAM_STANDS_IN(gst_pad_peer_query, gboolean, (GstPad * pad, GstQuery* query), (pad, query))
POSECAM_STANDS_IN(gst_pad_query_default, gboolean, (GstPad * pad, GstObject* parent, GstQuery* query),
                  (pad, parent, query))
POSECAM_STANDS_IN(gst_pad_event_default, gboolean, (GstPad * pad, GstObject* parent, GstEvent* event),
                  (pad, parent, event))
POSECAM_STANDS_IN(gst_pad_start_task, gboolean,
                  (GstPad * pad, GstTaskFunction function, gpointer user, GDestroyNotify notify),
                  (pad, function, user, notify))
POSECAM_STANDS_IN(gst_pad_pause_task, gboolean, (GstPad * pad), (pad))
POSECAM_STANDS_IN(gst_pad_stop_task, gboolean, (GstPad * pad), (pad))
POSECAM_STANDS_IN(gst_element_post_message, gboolean, (GstElement * element, GstMessage* message), (element, message))
POSECAM_STANDS_IN(gst_element_message_full, void,
                  (GstElement * element, GstMessageType type, GQuark domain, gint code, gchar* text, gchar* debug,
                   const gchar* file, const gchar* function, gint line),
                  (element, type, domain, code, text, debug, file, function, line))
POSECAM_STANDS_IN(gst_element_message_full_with_details, void,
                  (GstElement * element, GstMessageType type, GQuark domain, gint code, gchar* text, gchar* debug,
                   const gchar* file, const gchar* function, gint line, GstStructure* details),
                  (element, type, domain, code, text, debug, file, function, line, details))
