#include "pipeline/engine/let_go.h"

#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "pipeline/backend/errand.h"

namespace posecam {

Result<void> let_go(std::shared_ptr<Engine> engine, std::chrono::milliseconds limit) {
  if (!engine) return {};
  const std::string device(engine->backend_name());
  try {
    Errand end([engine = std::move(engine)]() mutable { engine.reset(); });
    if (end.wait_for(limit)) return {};
  } catch (const std::system_error&) {  // no thread for it: it has gone here
    return {};
  }
  return Error{Errc::kDevice,
               fmt::format("device {}: does not let go of its cores within {:g} s; left as it is (teardown-limit)",
                           device, std::chrono::duration<double>(limit).count())};
}

}  // namespace posecam
