#include "models/core/log.h"

#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include "models/core/text.h"

namespace posecam {
namespace {

/// Names of files stand in lines, and standard error may be a terminal.
class PrintableSink final : public spdlog::sinks::stderr_color_sink_mt {
 public:
  void log(const spdlog::details::log_msg& line) override {
    const std::string text = printable({line.payload.data(), line.payload.size()});
    spdlog::details::log_msg clean = line;
    clean.payload = text;
    spdlog::sinks::stderr_color_sink_mt::log(clean);
  }
};

class HostSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit HostSink(std::function<void(spdlog::level::level_enum, std::string_view)> host) : host_(std::move(host)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& line) override {
    host_(line.level, {line.payload.data(), line.payload.size()});
  }
  void flush_() override {}

  const std::function<void(spdlog::level::level_enum, std::string_view)> host_;
};

}  // namespace

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = std::make_unique<spdlog::logger>("posecam", std::make_shared<PrintableSink>());
    made->set_pattern("posecam: %^%l%$: %v");
    return made;
  }();
  return *instance;
}

void log_to(std::function<void(spdlog::level::level_enum level, std::string_view line)> host) {
  logger().sinks() = {std::make_shared<HostSink>(std::move(host))};
}

}  // namespace posecam
