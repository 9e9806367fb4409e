#include "tests/element/infer/seek_checks.h"

#include <chrono>
#include <cmath>

#include <fmt/format.h>

#include "elements/meta/result_meta.h"

namespace posecam::test {
namespace {

constexpr std::size_t kMostFaults = 20;
/// In widths of the image. The figures move by more from frame to frame than a batch's rounding moves a keypoint.
constexpr float kSamePlace = 2e-3F;

double ms(GstClockTime time) { return static_cast<double>(time) / GST_MSECOND; }

bool same_pose(const Pose& a, const Pose& b) {
  for (std::size_t i = 0; i < a.keypoints.size(); ++i) {
    const auto& p = a.keypoints[i];
    const auto& q = b.keypoints[i];
    if (p && q && (std::abs(p->x - q->x) > kSamePlace || std::abs(p->y - q->y) > kSamePlace)) return false;
  }
  return true;
}

bool same_result(const FrameResult& a, const FrameResult& b) {
  if (a.poses.size() != b.poses.size()) return false;
  for (std::size_t i = 0; i < a.poses.size(); ++i) {
    if (!same_pose(a.poses[i], b.poses[i])) return false;
  }
  return true;
}

}  // namespace

std::string Seek::describe() const {
  return fmt::format("{}{} seek to {:.1f} ms, rate {}", (flags & GST_SEEK_FLAG_FLUSH) != 0 ? "flushing " : "",
                     accurate() ? "accurate" : "key unit", ms(rate > 0 ? start : stop), rate);
}

SeekChecks::SeekChecks(GstPad* pad, GstClockTime frame_duration, Results expected)
    : pad_(pad), frame_duration_(frame_duration), expected_(std::move(expected)) {
  // Not among the initializers: it may be called at once, with everything else in place.
  probe_ =  // NOLINT(cppcoreguidelines-prefer-member-initializer)
      gst_pad_add_probe(pad_,
                        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
                                                     GST_PAD_PROBE_TYPE_EVENT_FLUSH),
                        probe, this, nullptr);
}

SeekChecks::~SeekChecks() {
  gst_pad_remove_probe(pad_, probe_);
  gst_object_unref(pad_);
}

void SeekChecks::expect(std::uint32_t seqnum, const Seek& seek) {
  std::lock_guard lock(mutex_);
  seeks_[seqnum] = seek;
}

bool SeekChecks::wait(std::uint32_t seqnum, int frames) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(30),
                           [&] { return flushed_by_ == seqnum && (since_flush_ >= frames || eos_); });
}

std::uint64_t SeekChecks::frames() const {
  std::lock_guard lock(mutex_);
  return frames_;
}

std::vector<std::string> SeekChecks::faults() const {
  std::lock_guard lock(mutex_);
  return faults_;
}

GstPadProbeReturn SeekChecks::probe(GstPad*, GstPadProbeInfo* info, gpointer self) {
  auto& checks = *static_cast<SeekChecks*>(self);
  {
    std::lock_guard lock(checks.mutex_);
    if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
      checks.see_buffer(GST_PAD_PROBE_INFO_BUFFER(info));
    } else {
      checks.see_event(GST_PAD_PROBE_INFO_EVENT(info));
    }
  }
  checks.changed_.notify_all();
  return GST_PAD_PROBE_OK;
}

void SeekChecks::see_event(GstEvent* event) {
  const std::uint32_t seqnum = gst_event_get_seqnum(event);
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_FLUSH_STOP:
      flushed_by_ = seqnum;
      has_segment_ = false;
      since_flush_ = 0;
      eos_ = false;
      break;
    case GST_EVENT_SEGMENT:
      gst_event_copy_segment(event, &segment_);
      if (flushed_by_ != 0 && !has_segment_ && seqnum != flushed_by_) fault("a segment of before the flush follows it");
      has_segment_ = true;
      since_segment_ = 0;
      last_ = GST_CLOCK_TIME_NONE;
      break;
    case GST_EVENT_EOS: eos_ = true; break;
    default: break;
  }
}

void SeekChecks::see_buffer(GstBuffer* buffer) {
  const GstClockTime pts = GST_BUFFER_PTS(buffer);
  const GstClockTime end = pts + frame_duration_;
  ++frames_;
  ++since_flush_;
  if (eos_) fault(fmt::format("a frame of {:.1f} ms after the end", ms(pts)));
  if (!has_segment_) return fault(fmt::format("a frame of {:.1f} ms without a segment", ms(pts)));
  if (gst_segment_clip(&segment_, GST_FORMAT_TIME, pts, end, nullptr, nullptr) == 0) {
    fault(fmt::format("a frame of {:.1f} ms outside the segment of {:.1f} to {:.1f} ms", ms(pts), ms(segment_.start),
                      ms(segment_.stop)));
  }
  const GstClockTime time = gst_segment_to_stream_time(&segment_, GST_FORMAT_TIME, pts);
  if (since_segment_++ == 0) check_first(time);
  if (last_ != GST_CLOCK_TIME_NONE && (segment_.rate > 0 ? pts <= last_ : pts >= last_)) {
    fault(fmt::format("a frame of {:.1f} ms after one of {:.1f} ms", ms(pts), ms(last_)));
  }
  last_ = pts;

  const auto result = gst::get_result(buffer);
  if (!result || result->status != FrameStatus::kAnalysed) return;
  if (expected_.empty()) {
    results_[time] = result;
  } else {
    check_result(time, *result);
  }
}

/// Where a segment begins: an accurate seek at its target, a key unit seek at the key frame that its segment names.
void SeekChecks::check_first(GstClockTime time) {
  const auto seek = seeks_.find(flushed_by_);
  if (seek == seeks_.end()) return;
  const Seek& s = seek->second;
  GstClockTime target = s.rate > 0 ? s.start : s.stop;
  if (!s.accurate()) {
    target = gst_segment_to_stream_time(&segment_, GST_FORMAT_TIME, s.rate > 0 ? segment_.start : segment_.stop);
  }
  // One frame of tolerance: a target at the border of two frames belongs to either.
  if (time > target + frame_duration_ || time + 2 * frame_duration_ < target) {
    fault(fmt::format("the first frame is of {:.1f} ms, not {:.1f} ms", ms(time), ms(target)));
  }
}

/// A decoder cuts the first frame of an accurate seek off at the target: its time lies within the frame's.
void SeekChecks::check_result(GstClockTime time, const FrameResult& result) {
  const auto after = expected_.upper_bound(time);
  if (after == expected_.begin() || time >= std::prev(after)->first + frame_duration_) {
    fault(fmt::format("a frame of {:.3f} ms, which the clip does not have", ms(time)));
  } else if (!same_result(*std::prev(after)->second, result)) {
    fault(fmt::format("the frame of {:.1f} ms carries the result of another one", ms(time)));
  }
}

void SeekChecks::fault(const std::string& what) {
  if (faults_.size() >= kMostFaults) return;
  const auto seek = seeks_.find(flushed_by_);
  faults_.push_back((seek == seeks_.end() ? "before any seek" : seek->second.describe()) + ": " + what);
}

}  // namespace posecam::test
