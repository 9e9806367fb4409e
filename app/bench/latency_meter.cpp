#include "app/bench/latency_meter.h"

namespace posecam {

void LatencyMeter::watch(GstElement* element) {
  const auto watch_pad = [&](const char* name, GstPadProbeCallback seen) {
    GstPad* pad = gst_element_get_static_pad(element, name);
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, seen, this, nullptr);
    gst_object_unref(pad);
  };
  watch_pad("sink", [](GstPad*, GstPadProbeInfo*, gpointer self) {
    static_cast<LatencyMeter*>(self)->arrived(Clock::now());
    return GST_PAD_PROBE_OK;
  });
  watch_pad("src", [](GstPad*, GstPadProbeInfo*, gpointer self) {
    static_cast<LatencyMeter*>(self)->left(Clock::now());
    return GST_PAD_PROBE_OK;
  });
}

void LatencyMeter::arrived(Clock::time_point when) {
  std::lock_guard lock(mutex_);
  inside_.push_back(when);
}

void LatencyMeter::left(Clock::time_point when) {
  std::lock_guard lock(mutex_);
  if (inside_.empty()) return;
  latencies_.add(std::chrono::duration<float, std::milli>(when - inside_.front()).count());
  inside_.pop_front();
}

void LatencyMeter::restart() {
  std::lock_guard lock(mutex_);
  latencies_ = {};
}

Histogram LatencyMeter::latencies() const {
  std::lock_guard lock(mutex_);
  return latencies_;
}

std::uint64_t LatencyMeter::frames() const {
  std::lock_guard lock(mutex_);
  return latencies_.count();
}

}  // namespace posecam
