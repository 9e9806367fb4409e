// Whoever is told something by an element may ask it something back, within that call: applications do so in bus sync
// handlers, pad probes and notifications.

#include <atomic>
#include <string>

#include <gmock/gmock.h>

#include "tests/element/call_outs.h"
#include "tests/element/result_buffers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/watchdog.h"

namespace posecam::test {
namespace {

const GstVideoInfo kVideo = video_info(GST_VIDEO_FORMAT_BGR, 16, 16);

/// Reads and writes properties of the three elements whenever anything is told.
class Meddler {
 public:
  explicit Meddler(GstElement* bin) : bin_(bin), bus_(gst_bus_new()) {
    gst_element_set_bus(bin, bus_);
    gst_bus_set_sync_handler(
        bus_,
        [](GstBus*, GstMessage* message, gpointer self) {
          static_cast<Meddler*>(self)->told_[GST_MESSAGE_TYPE(message) == GST_MESSAGE_STREAM_STATUS ? 0 : 1]++;
          static_cast<Meddler*>(self)->meddle();
          gst_message_unref(message);
          return GST_BUS_DROP;
        },
        this, nullptr);
    for (const char* name : {"infer", "overlay", "json"}) {
      elements_.emplace_back(gst_bin_get_by_name(GST_BIN(bin), name));
      g_signal_connect(elements_.back().get(), "notify", G_CALLBACK(notified), this);
      for (const char* pad : {"sink", "src"}) watch(elements_.back().get(), pad);
    }
  }
  Meddler(const Meddler&) = delete;
  Meddler& operator=(const Meddler&) = delete;
  ~Meddler() {
    gst_bus_set_sync_handler(bus_, nullptr, nullptr, nullptr);
    for (const auto& element : elements_) g_signal_handlers_disconnect_by_data(element.get(), this);
    gst_element_set_bus(bin_, nullptr);
    gst_object_unref(bus_);
  }

  int stream_statuses() const { return told_[0]; }
  int other_messages() const { return told_[1]; }

 private:
  void watch(GstElement* element, const char* name) {
    GstPad* pad = gst_element_get_static_pad(element, name);
    const auto all = static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_DATA_BOTH | GST_PAD_PROBE_TYPE_EVENT_FLUSH |
                                                  GST_PAD_PROBE_TYPE_QUERY_BOTH);
    const auto see = [](GstPad*, GstPadProbeInfo*, gpointer self) {
      static_cast<Meddler*>(self)->meddle();
      return GST_PAD_PROBE_OK;
    };
    gst_pad_add_probe(pad, all, see, this, nullptr);
    gst_object_unref(pad);
  }
  static void notified(GObject*, GParamSpec*, gpointer self) { static_cast<Meddler*>(self)->meddle(); }

  void meddle() {
    thread_local bool within = false;  // it is told of its own doing
    if (within) return;
    within = true;
    guint64 latency = 0;
    g_object_get(elements_[0].get(), "latency", &latency, nullptr);
    stat(elements_[0].get(), "frames");
    g_object_set(elements_[0].get(), "qos", FALSE, "inference-interval", 1U, nullptr);
    g_object_set(elements_[1].get(), "draw-labels", FALSE, nullptr);
    GstStructure* health = nullptr;
    gchar* location = nullptr;
    g_object_get(elements_[2].get(), "health", &health, "location", &location, nullptr);
    g_clear_pointer(&health, gst_structure_free);
    g_free(location);
    within = false;
  }

  GstElement* bin_;
  GstBus* bus_;
  std::vector<ElementRef> elements_;
  std::atomic<int> told_[2] = {0, 0};
};

TEST(CallsOut, WhoeverIsToldMayAskBackDuringStartFlushRelinkErrorAndEnd) {
  Watchdog watchdog(30);
  use_fake_device({.cores = 2});
  const std::uint64_t before = call_outs();
  auto h = harness(fake_line("max-batch-delay=0") +
                   " ! neuronoverlay name=overlay ! neuronjson name=json location=/dev/null");
  gst_element_set_state(h->element, GST_STATE_NULL);
  Meddler meddler(h->element);
  watchdog.step("start");
  gst_harness_play(h.get());
  EXPECT_GE(meddler.stream_statuses(), 1) << "the element's own task, told within the call that starts it";
  set_caps(h.get(), kVideo);
  push_frames(h.get(), kVideo, 4);
  expect_in_order(h.get(), 4);
  watchdog.step("flush");
  gst_harness_push_event(h.get(), gst_event_new_flush_start());
  gst_harness_push_event(h.get(), gst_event_new_flush_stop(TRUE));
  set_caps(h.get(), kVideo);
  push_frames(h.get(), kVideo, 2);
  expect_in_order(h.get(), 2);
  watchdog.step("relink");
  const ElementRef infer = find_infer(h.get());
  GstPad* src = gst_element_get_static_pad(infer.get(), "src");
  GstPad* peer = gst_pad_get_peer(src);
  gst_pad_unlink(src, peer);
  for (GstFlowReturn flow = GST_FLOW_OK; flow == GST_FLOW_OK;)
    flow = gst_harness_push(h.get(), frame_of(kVideo, 9, 1).release());
  ASSERT_EQ(gst_pad_link(src, peer), GST_PAD_LINK_OK);
  push_frames(h.get(), kVideo, 1, 10);
  for (GstClockTime time = 0; time != 10 * GST_MSECOND;) {  // behind those that were taken before it was refused
    const gst::BufferPtr out(gst_harness_pull(h.get()));
    ASSERT_TRUE(out);
    time = GST_BUFFER_PTS(out.get());
  }
  watchdog.step("error and end");
  gst::BufferPtr broken = frame_of(kVideo, 11, 1);
  gst_buffer_resize(broken.get(), 0, 5);
  EXPECT_EQ(gst_harness_push(h.get(), broken.release()), GST_FLOW_ERROR);
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_eos()));
  while (GstEvent* event = gst_harness_pull_event(h.get())) {
    const bool last = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
    gst_event_unref(event);
    if (last) break;
  }
  EXPECT_GE(meddler.other_messages(), 2) << "the error, and the statistics at the end";
  watchdog.step("stop");
  gst_element_set_state(h->element, GST_STATE_NULL);
  gst_object_unref(peer);
  gst_object_unref(src);
  EXPECT_GT(call_outs(), before + 20) << "nothing stands in for GStreamer's functions";
}

/// A seek that starts where a frame arrives flushes the task that pushes that frame.
TEST(CallsOut, AFlushMayComeFromTheTaskItself) {
  const Watchdog watchdog(30);
  use_fake_device({.cores = 1});
  auto h = harness(fake_line("max-batch-delay=0"));
  set_caps(h.get(), kVideo);
  const ElementRef infer = find_infer(h.get());
  GstPad* src = gst_element_get_static_pad(infer.get(), "src");
  std::atomic<bool> flushed = false;
  struct Flush {
    GstPad* sink;
    std::atomic<bool>* done;
  } flush{gst_element_get_static_pad(infer.get(), "sink"), &flushed};
  gst_pad_add_probe(
      src, GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad*, GstPadProbeInfo* info, gpointer data) {
        const auto& f = *static_cast<Flush*>(data);
        if (f.done->exchange(true)) return GST_PAD_PROBE_OK;
        gst_pad_send_event(f.sink, gst_event_new_flush_start());
        gst_pad_send_event(f.sink, gst_event_new_flush_stop(TRUE));
        gst_buffer_unref(GST_PAD_PROBE_INFO_BUFFER(info));  // it is of before the flush
        GST_PAD_PROBE_INFO_FLOW_RETURN(info) = GST_FLOW_FLUSHING;
        return GST_PAD_PROBE_HANDLED;
      },
      &flush, nullptr);
  push_frames(h.get(), kVideo, 1);
  while (!flushed) std::this_thread::yield();
  set_caps(h.get(), kVideo);
  push_frames(h.get(), kVideo, 1);
  const gst::BufferPtr behind(gst_harness_pull(h.get()));
  EXPECT_TRUE(behind) << "what the push of before the flush was answered stops nothing";
  gst_object_unref(flush.sink);
  gst_object_unref(src);
}

}  // namespace
}  // namespace posecam::test
