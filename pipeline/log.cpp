#include "pipeline/log.h"

#include <memory>

#include <spdlog/sinks/stdout_color_sinks.h>

namespace posecam {

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = std::make_unique<spdlog::logger>("posecam", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_pattern("posecam: %^%l%$: %v");
    return made;
  }();
  return *instance;
}

}  // namespace posecam
