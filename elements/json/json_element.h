#pragma once
// neuronjson without GObject: writes the result that rides on each buffer.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include <gst/gst.h>
#include <gst/video/video.h>

#include "models/core/own_mutex.h"
#include "models/core/result.h"
#include "pipeline/output/result_sink.h"

namespace posecam::gst {

/// The properties of neuronjson.
struct JsonSettings {
  std::string format = "ndjson";  ///< or "openpose", "coco", "motion"
  std::string location = "-";     ///< a file; a folder for "openpose"; "-": standard output
  std::int32_t fd = -1;           ///< not -1: written to instead; `location` then names it in messages
  std::string stream_id = "0";    ///< in each line of ndjson
  std::string clip_name;          ///< with it the files of "openpose" begin
  std::string names;              ///< of still images, one a line, by the offset of the buffer, else in their order
  std::string files;              ///< of the same, with their extensions
};

/// Streaming thread, but for start(), stop() and what is for any thread. A failure is told once: after it everything
/// returns kCancelled and does nothing, until the next start().
class JsonElement {
 public:
  /// Opens the output.
  Result<void> start(const JsonSettings& settings);
  /// The size of the frames that follow.
  void set_info(const GstVideoInfo& info) { size_ = {GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info)}; }
  /// Writes the result of the buffer; its time is the stream time: 0 at the start of the clip, whatever the container
  /// adds. kUsage, with the remedy, if nobody analysed it.
  Result<void> write(GstBuffer* buffer, const GstSegment& segment);
  /// Any thread: a live source has lost so many frames before the next one.
  void note_dropped(std::uint64_t frames);
  /// Any thread: how many that were since start().
  std::uint64_t source_dropped() const { return source_dropped_; }
  /// End of stream: the output is complete. Frames that follow, after a seek back, are not written.
  Result<void> finish();
  /// Any thread: ends a wait of the streaming thread for a reader that takes nothing; what it was to read is lost.
  void unlock() { stop_.request_stop(); }
  /// Without a finish() before it the output keeps its temporary name.
  void stop();
  /// Any thread: of the output, or of the last one.
  SinkHealth health() const;

 private:
  void use(std::shared_ptr<ResultSink> sink);
  Result<void> write_frame(GstBuffer* buffer, const GstSegment& segment);
  void identify_still(const GstBuffer& buffer, FrameInfo& info) const;
  Result<void> once(Result<void> done);

  std::stop_source stop_;
  std::shared_ptr<ResultSink> sink_;  ///< changed with the lock held
  JsonSettings settings_;
  std::vector<std::string> names_;       ///< of still images, by place
  std::vector<std::int64_t> image_ids_;  ///< theirs, of "coco"
  std::vector<std::string> files_;       ///< their files, likewise
  std::atomic<std::uint64_t> source_dropped_ = 0;
  std::uint64_t told_dropped_ = 0;  ///< of them, in the lines so far
  Size size_;
  std::uint64_t frame_id_ = 0;
  std::optional<std::int64_t> start_ns_;  ///< stream time of the first frame that has one
  bool failed_ = false;
  bool finished_ = false;

  mutable OwnMutex mutex_;  // never held while writing
  SinkHealth last_;         ///< of an output that is gone
};

}  // namespace posecam::gst
