#include "elements/json/json_element.h"

#include <utility>

#include <fmt/format.h>

#include "elements/base/handles.h"
#include "elements/meta/result_meta.h"
#include "pipeline/output/file_sink.h"
#include "postprocess/documents/image_ids.h"

namespace posecam::gst {
namespace {

Result<ResultFormat> parse_format(const std::string& text) {
  if (text == "ndjson") return ResultFormat::kNdjson;
  if (text == "openpose") return ResultFormat::kOpenpose;
  if (text == "coco") return ResultFormat::kCoco;
  if (text == "motion") return ResultFormat::kMotion;
  return Error{Errc::kUsage, fmt::format("format={}: must be ndjson, openpose, coco or motion", text)};
}

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t to = std::min(text.find('\n', from), text.size());
    lines.push_back(text.substr(from, to - from));
    from = to + 1;
  }
  return lines;
}

}  // namespace

Result<void> JsonElement::start(const JsonSettings& settings) {
  const auto format = parse_format(settings.format);
  if (!format) return format.error();
  names_ = split_lines(settings.names);
  files_ = split_lines(settings.files);
  image_ids_.clear();
  if (*format == ResultFormat::kCoco) {
    auto ids = image_ids_of(names_);
    if (!ids) return ids.error();
    image_ids_ = *std::move(ids);
  }
  stop_ = {};
  auto sink = settings.fd < 0 ? make_file_sink(*format, settings.location, stop_.get_token())
                              : make_file_sink(*format, settings.fd, settings.location);
  if (!sink) return sink.error();
  use(std::move(*sink));
  settings_ = settings;
  source_dropped_ = 0;
  told_dropped_ = 0;
  frame_id_ = 0;
  start_ns_.reset();
  failed_ = false;
  finished_ = false;
  return {};
}

void JsonElement::use(std::shared_ptr<ResultSink> sink) {
  const SinkHealth last = health();
  std::lock_guard lock(mutex_);
  last_ = last;
  sink_.swap(sink);  // the old one goes without the lock
}

void JsonElement::stop() { use(nullptr); }

SinkHealth JsonElement::health() const {
  std::unique_lock lock(mutex_);
  const auto sink = sink_;
  if (!sink) return last_;
  lock.unlock();
  return sink->health();
}

Result<void> JsonElement::once(Result<void> done) {
  if (!done) failed_ = true;
  return done;
}

Result<void> JsonElement::write(GstBuffer* buffer, const GstSegment& segment) {
  if (failed_) return Error{Errc::kCancelled, "the output has failed"};
  if (finished_) return {};
  return once(write_frame(buffer, segment));
}

Result<void> JsonElement::write_frame(GstBuffer* buffer, const GstSegment& segment) {
  const auto result = get_result(buffer);
  if (!result) {
    return Error{Errc::kUsage,
                 "no result on a frame: put neuroninfer before neuronjson, and nothing between them that "
                 "drops metadata (videocrop, videoflip, compositor)"};
  }
  FrameInfo info;
  info.stream_id = settings_.stream_id;
  info.name = settings_.clip_name;
  info.frame_id = frame_id_++;
  info.size = size_;
  info.wallclock = std::chrono::system_clock::now();
  info.pts_ns = stream_time_ns(segment, buffer);
  if (!start_ns_) start_ns_ = info.pts_ns;
  info.start_ns = start_ns_.value_or(0);
  const std::uint64_t dropped = source_dropped_;
  info.dropped = dropped - std::exchange(told_dropped_, dropped);
  if (!names_.empty()) identify_still(*buffer, info);
  return sink_->write(info, result);
}

/// A picture says itself which one it is, so that those behind one that was lost on the way keep their names.
void JsonElement::identify_still(const GstBuffer& buffer, FrameInfo& info) const {
  if (buffer.offset < names_.size()) info.frame_id = buffer.offset;
  if (info.frame_id >= names_.size()) return;
  info.name = names_[info.frame_id];
  info.still = true;
  info.pts_ns.reset();
  if (info.frame_id < files_.size()) info.file = files_[info.frame_id];
  if (!image_ids_.empty()) info.image_id = image_ids_[info.frame_id];
}

void JsonElement::note_dropped(std::uint64_t frames) { source_dropped_ += frames; }

Result<void> JsonElement::finish() {
  if (failed_) return Error{Errc::kCancelled, "the output has failed"};
  finished_ = true;
  return sink_ ? once(sink_->close()) : Result<void>{};
}

}  // namespace posecam::gst
