// Sessions in which something hangs.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gst/base/gstpushsrc.h>
#include <gtest/gtest.h>

#include "pipeline/backend/errand.h"
#include "tests/unit/app/session/session_fixture.h"

namespace posecam::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// spin://: a library that hangs. Sends three frames, then spins until the test lets it go, whatever it is told.
/// spin://start does so before the first.
struct Spinner {
  GstPushSrc parent;
  int sent;
  bool at_start;
};
struct SpinnerClass {
  GstPushSrcClass parent;
};
std::atomic<bool> let_spinner_go = false;
std::atomic<bool> spinner_gone = false;

void spin_until_let_go() {
  while (!let_spinner_go) std::this_thread::yield();
  spinner_gone = true;
}

GstFlowReturn spin(GstPushSrc* source, GstBuffer** buffer) {
  auto* self = reinterpret_cast<Spinner*>(source);
  if (self->sent < 3) {
    *buffer = gst_buffer_new_allocate(nullptr, 16 * 16, nullptr);
    GST_BUFFER_PTS(*buffer) = static_cast<GstClockTime>(self->sent++) * 40 * GST_MSECOND;
    return GST_FLOW_OK;
  }
  spin_until_let_go();
  return GST_FLOW_EOS;
}

gboolean start_to_spin(GstBaseSrc* source) {
  if (reinterpret_cast<Spinner*>(source)->at_start) spin_until_let_go();
  return TRUE;
}

void be_reachable(gpointer iface, gpointer) {
  auto* handler = static_cast<GstURIHandlerInterface*>(iface);
  handler->get_type = [](GType) { return GST_URI_SRC; };
  handler->get_protocols = [](GType) -> const gchar* const* {
    static const gchar* const protocols[] = {"spin", nullptr};
    return protocols;
  };
  handler->get_uri = [](GstURIHandler*) { return g_strdup("spin://x"); };
  handler->set_uri = [](GstURIHandler* self, const gchar* uri, GError**) -> gboolean {
    reinterpret_cast<Spinner*>(self)->at_start = std::string(uri) == "spin://start";
    return TRUE;
  };
}

G_DEFINE_TYPE_WITH_CODE(Spinner, spinner, GST_TYPE_PUSH_SRC, G_IMPLEMENT_INTERFACE(GST_TYPE_URI_HANDLER, be_reachable))

void spinner_class_init(SpinnerClass* self) {
  static GstStaticPadTemplate frames =
      GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                              GST_STATIC_CAPS("video/x-raw,format=GRAY8,width=16,height=16,framerate=25/1"));
  gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(self), &frames);
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(self), "Spinner", "Source", "Hangs", "posecam");
  self->parent.create = spin;
  self->parent.parent_class.start = start_to_spin;
}

void spinner_init(Spinner* self) { gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME); }

class SessionWithAHangingSource : public SessionTest {
 protected:
  static void SetUpTestSuite() {
    SessionTest::SetUpTestSuite();
    gst_element_register(nullptr, "spinner", GST_RANK_PRIMARY, spinner_get_type());
  }
  void SetUp() override { let_spinner_go = spinner_gone = false; }
  SessionSpec spinning(const std::string& uri) const {
    SessionSpec asked = spec(0, {{ResultFormat::kNdjson, at("a.ndjson"), ""}});
    asked.input = {.kind = InputKind::kAddress, .given = uri, .name = "x", .uri = uri};
    asked.stall_limit = std::chrono::milliseconds(300);
    return asked;
  }
  /// It finds all that it sees still there.
  static void let_go() {
    let_spinner_go = true;
    while (!spinner_gone) std::this_thread::yield();
  }
};

TEST_F(SessionWithAHangingSource, LeavesALibraryBehindThatHangs) {
  {
    const auto session = must_open(spinning("spin://x"));
    session->play();
    session->wait();
    EXPECT_FALSE(spinner_gone);
    ASSERT_TRUE(session->failure());
    EXPECT_EQ(session->failure()->code, Errc::kMedia);
    EXPECT_THAT(session->failure()->message, HasSubstr("spin://x: no frame for 0.3 s"));
    EXPECT_TRUE(session->complete());
    EXPECT_EQ(std::ranges::count(read_file(at("a.ndjson")), '\n'), 3);
    EXPECT_TRUE(Errand::any_left_behind());
  }
  let_go();
}

TEST_F(SessionWithAHangingSource, GivesUpOneThatHangsBeforeItsFirstFrame) {
  {
    const auto session = must_open(spinning("spin://start"));
    session->play();
    session->wait();
    EXPECT_FALSE(spinner_gone);
    ASSERT_TRUE(session->failure());
    EXPECT_THAT(session->failure()->message, HasSubstr("spin://start: no frame for 0.3 s"));
    EXPECT_THAT(names(), ElementsAre());
  }
  let_go();
}

TEST_F(SessionTest, GivesUpAnEndThatAnOutputHoldsUp) {
  const Pipe pipe(4096);  // has room for one line
  SessionSpec stuck = spec(0, {});
  stuck.sinks.push_back({ResultFormat::kNdjson, pipe.name(), ""});
  stuck.end_limit = std::chrono::milliseconds(300);
  const auto session = must_open(std::move(stuck));
  std::atomic<int> frames = 0;
  const PadPtr in(gst_element_get_static_pad(session->network(), "sink"));
  const auto count = [](GstPad*, GstPadProbeInfo*, gpointer counted) {
    ++*static_cast<std::atomic<int>*>(counted);
    return GST_PAD_PROBE_OK;
  };
  gst_pad_add_probe(in.get(), GST_PAD_PROBE_TYPE_BUFFER, count, &frames, nullptr);
  session->play();
  while (frames < 3) std::this_thread::yield();
  session->stop();
  session->wait();
  ASSERT_TRUE(session->failure());
  EXPECT_THAT(session->failure()->message, HasSubstr("synthetic: does not end: nothing has moved for 0.3 s"));
}

}  // namespace
}  // namespace posecam::test
