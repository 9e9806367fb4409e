#include "pipeline/output/file_sink.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "pipeline/output/result_file.h"
#include "postprocess/documents/json_writer.h"
#include "postprocess/documents/motion_document.h"

namespace posecam {
namespace {

/// Keeps the book for those who write.
class FileSink : public ResultSink {
 public:
  Result<void> write(const FrameInfo& info, std::shared_ptr<const FrameResult> result) final {
    if (!takes(*result)) return {};
    return book_.wrote(put(info, *result));
  }
  Result<void> close() final { return book_.closed(finish()); }
  SinkHealth health() const final { return book_.health(); }

 private:
  /// Whether the document has a place for this result.
  virtual bool takes(const FrameResult&) const { return true; }
  virtual Result<void> put(const FrameInfo& info, const FrameResult& result) = 0;
  virtual Result<void> finish() = 0;
  SinkBook book_;
};

class NdjsonSink final : public FileSink {
 public:
  explicit NdjsonSink(ResultFile file) : file_(std::move(file)) {}

 private:
  Result<void> put(const FrameInfo& info, const FrameResult& result) override {
    line_.clear();
    append_ndjson_line(info, result, line_);
    return file_.write(line_);
  }
  Result<void> finish() override { return file_.commit(); }

  ResultFile file_;
  std::string line_;
};

class CocoSink final : public FileSink {
 public:
  explicit CocoSink(ResultFile file) : file_(std::move(file)) {}

 private:
  Result<void> put(const FrameInfo& info, const FrameResult& result) override {
    text_.clear();
    if (std::exchange(opened_, true) == false) text_ += '[';
    append_coco_results(info, result, first_, text_);
    return file_.write(text_);
  }
  Result<void> finish() override {
    if (std::exchange(closed_, true)) return file_.commit();
    auto written = file_.write(opened_ ? "]\n" : "[]\n");
    return written ? file_.commit() : written;
  }

  ResultFile file_;
  std::string text_;
  bool opened_ = false;
  bool first_ = true;
  bool closed_ = false;
};

class MotionSink final : public FileSink {
 public:
  explicit MotionSink(ResultFile file) : file_(std::move(file)) {}

 private:
  Result<void> put(const FrameInfo& info, const FrameResult& result) override {
    document_.add(info.size, result);
    return {};
  }
  Result<void> finish() override {
    if (std::exchange(closed_, true)) return file_.commit();
    std::string text;
    document_.append_to(text);
    auto written = file_.write(text);
    return written ? file_.commit() : written;
  }

  ResultFile file_;
  MotionDocument document_;
  bool closed_ = false;
};

class OpenposeSink final : public FileSink {
 public:
  explicit OpenposeSink(std::filesystem::path folder) : folder_(std::move(folder)) {}

 private:
  /// "people": [] would say that nobody is there.
  bool takes(const FrameResult& result) const override { return result.status == FrameStatus::kAnalysed || !state_; }
  Result<void> put(const FrameInfo& info, const FrameResult& result) override {
    if (!state_) return state_;
    text_.clear();
    append_openpose_document(info, result, text_);
    state_ = write_document((folder_ / openpose_file_name(info)).string(), text_, Keep::kLater);
    return state_;
  }
  Result<void> finish() override { return state_ ? keep_all(folder_.string()) : state_; }

  std::filesystem::path folder_;
  std::string text_;
  Result<void> state_;
};

Result<std::unique_ptr<ResultSink>> make_openpose_sink(const std::string& location) {
  if (location == "-") {
    return Error{Errc::kUsage, "-: OpenPose documents are one file a frame; name a folder for them"};
  }
  std::error_code error;
  std::filesystem::create_directories(location, error);
  if (!error && !std::filesystem::is_directory(location, error))
    error = std::make_error_code(std::errc::not_a_directory);
  if (error) {
    return Error{Errc::kOutput,
                 fmt::format("{}: cannot be the folder of OpenPose documents: {}; choose a place that you "
                             "may write to",
                             location, error.message())};
  }
  return std::unique_ptr<ResultSink>(std::make_unique<OpenposeSink>(location));
}

Result<std::unique_ptr<ResultSink>> make_sink_on(ResultFormat format, Result<ResultFile> file) {
  if (!file) return std::move(file).error();
  switch (format) {
    case ResultFormat::kNdjson: return std::unique_ptr<ResultSink>(std::make_unique<NdjsonSink>(*std::move(file)));
    case ResultFormat::kCoco: return std::unique_ptr<ResultSink>(std::make_unique<CocoSink>(*std::move(file)));
    case ResultFormat::kMotion: return std::unique_ptr<ResultSink>(std::make_unique<MotionSink>(*std::move(file)));
    case ResultFormat::kOpenpose: break;
  }
  return Error{Errc::kUsage, "this result format is not of one file"};
}

}  // namespace

Result<std::unique_ptr<ResultSink>> make_file_sink(ResultFormat format, std::string location, std::stop_token stop) {
  if (location.empty()) return Error{Errc::kUsage, "the results need a place: name a file, or - for standard output"};
  if (format == ResultFormat::kOpenpose) return make_openpose_sink(location);
  return make_sink_on(format, ResultFile::create(std::move(location), std::move(stop)));
}

Result<std::unique_ptr<ResultSink>> make_file_sink(ResultFormat format, int fd, std::string name) {
  return make_sink_on(format, ResultFile::on(fd, std::move(name)));
}

}  // namespace posecam
