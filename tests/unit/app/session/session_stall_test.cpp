// A session whose source hangs in a library.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gst/base/gstpushsrc.h>
#include <gtest/gtest.h>

#include "app/session/session.h"
#include "tests/support/own_plugin.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"

namespace posecam::test {
namespace {

using ::testing::HasSubstr;

/// spin://: a library that hangs. Sends three frames, then spins until the test lets it go, whatever it is told.
struct Spinner {
  GstPushSrc parent;
  int sent;
};
struct SpinnerClass {
  GstPushSrcClass parent;
};
std::atomic<bool> let_spinner_go = false;
std::atomic<bool> spinner_gone = false;

GstFlowReturn spin(GstPushSrc* source, GstBuffer** buffer) {
  auto* self = reinterpret_cast<Spinner*>(source);
  if (self->sent < 3) {
    *buffer = gst_buffer_new_allocate(nullptr, 16 * 16, nullptr);
    GST_BUFFER_PTS(*buffer) = static_cast<GstClockTime>(self->sent++) * 40 * GST_MSECOND;
    return GST_FLOW_OK;
  }
  while (!let_spinner_go) std::this_thread::yield();
  spinner_gone = true;
  return GST_FLOW_EOS;
}

void be_reachable(gpointer iface, gpointer) {
  auto* handler = static_cast<GstURIHandlerInterface*>(iface);
  handler->get_type = [](GType) { return GST_URI_SRC; };
  handler->get_protocols = [](GType) -> const gchar* const* {
    static const gchar* const protocols[] = {"spin", nullptr};
    return protocols;
  };
  handler->get_uri = [](GstURIHandler*) { return g_strdup("spin://x"); };
  handler->set_uri = [](GstURIHandler*, const gchar*, GError**) -> gboolean { return TRUE; };
}

G_DEFINE_TYPE_WITH_CODE(Spinner, spinner, GST_TYPE_PUSH_SRC, G_IMPLEMENT_INTERFACE(GST_TYPE_URI_HANDLER, be_reachable))

void spinner_class_init(SpinnerClass* self) {
  static GstStaticPadTemplate frames =
      GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                              GST_STATIC_CAPS("video/x-raw,format=GRAY8,width=16,height=16,framerate=25/1"));
  gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(self), &frames);
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(self), "Spinner", "Source", "Hangs", "posecam");
  self->parent.create = spin;
}

void spinner_init(Spinner* self) { gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME); }

TEST(SessionWithAHangingSource, LeavesALibraryBehindThatHangs) {
  test::start_gstreamer_with_our_plugin();
  gst_element_register(nullptr, "spinner", GST_RANK_PRIMARY, spinner_get_type());
  const TempDir folder;
  const std::string lines = folder.path() / "a.ndjson";
  const SessionSpec asked{.engine = {.model = source_dir() / "tests/data/tiny_pose.json", .device = "opencv"},
                          .input = {.kind = InputKind::kAddress, .given = "spin://x", .name = "x", .uri = "spin://x"},
                          .sinks = {{ResultFormat::kNdjson, lines, ""}},
                          .stall_limit = std::chrono::milliseconds(300)};
  {
    const auto created = Session::create(asked);
    ASSERT_TRUE(created) << created.error().message;
    const auto& session = *created;
    ASSERT_TRUE(session->open());
    session->play();
    session->wait();
    EXPECT_FALSE(spinner_gone);
    ASSERT_TRUE(session->failure());
    EXPECT_EQ(session->failure()->code, Errc::kMedia);
    EXPECT_THAT(session->failure()->message, HasSubstr("spin://x: no frame for 0.3 s"));
    EXPECT_TRUE(session->complete());
    EXPECT_EQ(std::ranges::count(read_file(lines), '\n'), 3);
  }
  let_spinner_go = true;  // finds all that it sees still there
  while (!spinner_gone) std::this_thread::yield();
}

}  // namespace
}  // namespace posecam::test
