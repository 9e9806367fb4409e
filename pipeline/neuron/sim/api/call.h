#pragma once
// What every function of the C interface does first and last: nothing but a status leaves it.

#include <memory>
#include <new>

#include "pipeline/neuron/sim/log.h"
#include "pipeline/neuron/sim/session.h"

namespace posecam::sim {

/// Runs `body(Session&)` between init and close, else returns 13 or 14.
template <class Body>
NRT_STATUS in_session(const char* call, Body&& body) noexcept {
  try {
    NRT_STATUS status = NRT_SUCCESS;
    const std::shared_ptr<Session> session = Runtime::instance().session(status);
    if (!session) {
      log(Level::kError, call, "Unexpected runtime state: NRT_STATE_{}", status == NRT_CLOSED ? "CLOSED" : "START");
      return status;
    }
    return body(*session);
  } catch (const std::bad_alloc&) {
    return NRT_RESOURCE;
  } catch (const std::exception& e) {
    write_line(Level::kError, call, e.what());
    return NRT_FAILURE;
  }
}

/// For handles that are not alive.
inline NRT_STATUS bad_handle(const char* call) {
  log(Level::kError, call, "the handle is not, or no longer, one of this runtime");
  return NRT_INVALID_HANDLE;
}

/// Success, or what bad_handle() says.
inline NRT_STATUS if_alive(bool alive, const char* call) {
  if (alive) return NRT_SUCCESS;
  return bad_handle(call);
}

/// For arguments that cannot be; says why.
inline NRT_STATUS bad_argument(const char* call, std::string_view what) {
  log(Level::kError, call, "{}", what);
  return NRT_INVALID;
}

}  // namespace posecam::sim
