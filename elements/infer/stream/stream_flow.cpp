#include "elements/infer/stream/stream_flow.h"

namespace posecam::gst {
namespace {

bool is_failure(GstFlowReturn flow) { return flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS; }

}  // namespace

StreamFlow::StreamFlow(GstElement* self, GstPad* src, GstTaskFunction loop, gpointer user)
    : self_(self), src_(src), loop_(loop), user_(user) {
  stop_.request_stop();
}

std::stop_token StreamFlow::token() const {
  std::lock_guard lock(mutex_);
  return stop_.get_token();
}

void StreamFlow::activate() {
  ended_ = false;
  told_ = false;
  gst_pad_start_task(src_, loop_, user_, nullptr);  // tells the bus: without the lock. It rests for now
  std::lock_guard lock(mutex_);
  active_ = true;
  begin();
}

bool StreamFlow::deactivate() {
  {
    std::lock_guard lock(mutex_);
    active_ = false;
    stop(GST_FLOW_FLUSHING);
  }
  return gst_pad_stop_task(src_) != 0;
}

void StreamFlow::start_flushing() {
  {
    std::lock_guard lock(mutex_);
    stop(GST_FLOW_FLUSHING);
  }
  gst_pad_pause_task(src_);
}

void StreamFlow::stop_flushing() {
  ended_ = false;
  told_ = false;
  resume({});
}

void StreamFlow::relinked() { resume(GST_FLOW_NOT_LINKED); }

/// Only if the stream stands because of `after`; none: in any case. Never on a pad that was deactivated, since nobody
/// would stop the task then.
void StreamFlow::resume(std::optional<GstFlowReturn> after) {
  std::lock_guard lock(mutex_);
  if (active_ && (!after || flow_ == *after)) begin();
}

void StreamFlow::begin() {
  stop_ = {};
  flow_ = GST_FLOW_OK;
  gst_pad_start_task(src_, loop_, user_, nullptr);
}

void StreamFlow::stop(GstFlowReturn flow) {
  flow_ = flow;
  stop_.request_stop();
}

void StreamFlow::rest() {
  std::lock_guard lock(mutex_);
  if (stop_.stop_requested()) gst_pad_pause_task(src_);
}

void StreamFlow::stop_after(GstFlowReturn flow) {
  {
    std::lock_guard lock(mutex_);  // one step, or a resume() in between would be undone
    stop(flow);
    gst_pad_pause_task(src_);
  }
  if (ended_ && is_failure(flow)) fail_downstream(flow);
}

void StreamFlow::stop_after_error() {
  told_ = true;
  stop_after(GST_FLOW_ERROR);
}

void StreamFlow::end_stream() {
  ended_ = true;
  if (const GstFlowReturn flow = flow_; is_failure(flow)) fail_downstream(flow);  // no frame will carry it upstream
}

void StreamFlow::fail_downstream(GstFlowReturn flow) {
  if (told_.exchange(true)) return;
  GST_ELEMENT_FLOW_ERROR(self_, flow);
  gst_pad_push_event(src_, gst_event_new_eos());
}

}  // namespace posecam::gst
