#include "pipeline/output/result_writer.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "pipeline/output/result_file.h"
#include "postprocess/documents/json_writer.h"
#include "postprocess/documents/motion_document.h"

namespace posecam {
namespace {

class NdjsonWriter final : public ResultWriter {
 public:
  explicit NdjsonWriter(ResultFile file) : file_(std::move(file)) {}

  Result<void> write(const FrameInfo& info, const FrameResult& result) override {
    line_.clear();
    append_ndjson_line(info, result, line_);
    return file_.write(line_);
  }
  Result<void> close() override { return file_.commit(); }

 private:
  ResultFile file_;
  std::string line_;
};

class CocoWriter final : public ResultWriter {
 public:
  explicit CocoWriter(ResultFile file) : file_(std::move(file)) {}

  Result<void> write(const FrameInfo& info, const FrameResult& result) override {
    text_.clear();
    if (std::exchange(opened_, true) == false) text_ += '[';
    append_coco_results(info, result, first_, text_);
    return file_.write(text_);
  }
  Result<void> close() override {
    if (std::exchange(closed_, true)) return file_.commit();
    auto written = file_.write(opened_ ? "]\n" : "[]\n");
    return written ? file_.commit() : written;
  }

 private:
  ResultFile file_;
  std::string text_;
  bool opened_ = false;
  bool first_ = true;
  bool closed_ = false;
};

class MotionWriter final : public ResultWriter {
 public:
  explicit MotionWriter(ResultFile file) : file_(std::move(file)) {}

  Result<void> write(const FrameInfo& info, const FrameResult& result) override {
    document_.add(info.size, result);
    return {};
  }
  Result<void> close() override {
    if (std::exchange(closed_, true)) return file_.commit();
    std::string text;
    document_.append_to(text);
    auto written = file_.write(text);
    return written ? file_.commit() : written;
  }

 private:
  ResultFile file_;
  MotionDocument document_;
  bool closed_ = false;
};

class OpenposeWriter final : public ResultWriter {
 public:
  explicit OpenposeWriter(std::filesystem::path folder) : folder_(std::move(folder)) {}

  Result<void> write(const FrameInfo& info, const FrameResult& result) override {
    if (!state_) return state_;
    text_.clear();
    append_openpose_document(info, result, text_);
    state_ = write_document((folder_ / openpose_file_name(info)).string(), text_);
    return state_;
  }
  Result<void> close() override { return state_; }

 private:
  std::filesystem::path folder_;
  std::string text_;
  Result<void> state_;
};

Result<std::unique_ptr<ResultWriter>> make_openpose_writer(const std::string& location) {
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
  return std::unique_ptr<ResultWriter>(std::make_unique<OpenposeWriter>(location));
}

template <class Writer>
Result<std::unique_ptr<ResultWriter>> make_file_writer(std::string location, std::stop_token stop) {
  auto file = ResultFile::create(std::move(location), std::move(stop));
  if (!file) return std::move(file).error();
  return std::unique_ptr<ResultWriter>(std::make_unique<Writer>(*std::move(file)));
}

}  // namespace

Result<std::unique_ptr<ResultWriter>> make_result_writer(ResultFormat format, std::string location,
                                                         std::stop_token stop) {
  if (location.empty()) return Error{Errc::kUsage, "the results need a place: name a file, or - for standard output"};
  switch (format) {
    case ResultFormat::kNdjson: return make_file_writer<NdjsonWriter>(std::move(location), std::move(stop));
    case ResultFormat::kOpenpose: return make_openpose_writer(location);
    case ResultFormat::kCoco: return make_file_writer<CocoWriter>(std::move(location), std::move(stop));
    case ResultFormat::kMotion: return make_file_writer<MotionWriter>(std::move(location), std::move(stop));
  }
  return Error{Errc::kUsage, "unknown result format"};
}

}  // namespace posecam
