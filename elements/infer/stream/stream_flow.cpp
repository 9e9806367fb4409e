#include "elements/infer/stream/stream_flow.h"

#include <mutex>

namespace posecam::gst {
namespace {

bool is_failure(GstFlowReturn flow) { return flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS; }

}  // namespace

StreamFlow::StreamFlow(GstElement* self, GstPad* src, GstTaskFunction loop, gpointer user)
    : self_(self), src_(src), loop_(loop), user_(user) {
  stop_.request_stop();
}

GstFlowReturn StreamFlow::now() const {
  std::lock_guard lock(mutex_);
  return flow_ == GST_FLOW_OK && refused_ == begun_ ? GST_FLOW_EOS : flow_;
}

std::stop_token StreamFlow::token() const {
  std::lock_guard lock(mutex_);
  return stop_.get_token();
}

void StreamFlow::activate() {
  {
    std::lock_guard lock(mutex_);
    active_ = true;
  }
  stop_flushing();
  gst_pad_start_task(src_, loop_, user_, nullptr);
}

bool StreamFlow::deactivate() {
  {
    std::lock_guard lock(mutex_);
    active_ = false;
  }
  stop(GST_FLOW_FLUSHING);
  return gst_pad_stop_task(src_) != 0;
}

void StreamFlow::start_flushing() {
  stop(GST_FLOW_FLUSHING);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return turn_ == std::thread::id() || turn_ == std::this_thread::get_id(); });
}

void StreamFlow::stop_flushing() {
  ended_ = false;
  told_ = false;
  begin({});
}

void StreamFlow::relinked() { begin(GST_FLOW_NOT_LINKED); }

/// Only if the stream stands because of `after`; none: in any case, and nothing of before counts. Never on a pad that
/// was deactivated.
void StreamFlow::begin(std::optional<GstFlowReturn> after) {
  {
    std::lock_guard lock(mutex_);
    if (!active_ || (after && flow_ != *after)) return;
    if (stop_.stop_requested()) stop_ = {};
    flow_ = GST_FLOW_OK;
    if (!after) {
      begun_ = passed_ = 0;
      refused_.reset();
    }
  }
  changed_.notify_all();
}

/// One step, or a begin() in between would be undone; a stop wakes waits of ours and calls nobody else.
void StreamFlow::stop(GstFlowReturn flow) {
  std::lock_guard lock(mutex_);
  stop_locked(flow);
}

void StreamFlow::stop_locked(GstFlowReturn flow) {
  flow_ = flow;
  stop_.request_stop();
  changed_.notify_all();
}

std::optional<std::stop_token> StreamFlow::begin_turn() {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return flow_ == GST_FLOW_OK || !active_; });
    if (active_) {
      turn_ = std::this_thread::get_id();
      return stop_.get_token();
    }
  }
  gst_pad_pause_task(src_);  // until it is joined; nobody starts it any more
  return {};
}

/// Whoever waits for the end of a turn has stopped the flow.
void StreamFlow::end_turn() {
  {
    std::lock_guard lock(mutex_);
    turn_ = {};
    if (flow_ == GST_FLOW_OK) return;
  }
  changed_.notify_all();
}

void StreamFlow::stop_after(GstFlowReturn flow, const std::stop_token& turn) {
  {
    std::lock_guard lock(mutex_);
    if (turn.stop_requested()) return;  // what flows now has begun since
    if (flow == GST_FLOW_EOS) {
      refused_ = passed_;
      return;
    }
    stop_locked(flow);
  }
  if (ended_ && is_failure(flow)) fail_downstream(flow);
}

void StreamFlow::stop_after_error(const std::stop_token& turn) {
  told_ = true;
  stop_after(GST_FLOW_ERROR, turn);
}

bool StreamFlow::refused() const {
  std::lock_guard lock(mutex_);
  return refused_ == passed_;
}

void StreamFlow::passed_beginning() {
  std::lock_guard lock(mutex_);
  ++passed_;
}

void StreamFlow::begin_frames() {
  std::lock_guard lock(mutex_);
  ++begun_;
}

void StreamFlow::end_stream() {
  ended_ = true;
  if (const GstFlowReturn flow = now(); is_failure(flow)) fail_downstream(flow);  // no frame will carry it upstream
}

void StreamFlow::fail_downstream(GstFlowReturn flow) {
  if (told_.exchange(true)) return;
  GST_ELEMENT_FLOW_ERROR(self_, flow);
  gst_pad_push_event(src_, gst_event_new_eos());
}

}  // namespace posecam::gst
