// The C interface: what goes with executions that are only queued.

#include "pipeline/neuron/sim/api/call.h"

using posecam::sim::in_session;
using posecam::sim::Session;

extern "C" {

NRT_STATUS nrt_register_async_exec_callback(NRT_ASYNC_EXEC_STATUS_CALLBACK callback, void* params) {
  return in_session("nrt_register_async_exec_callback", [&](Session& session) -> NRT_STATUS {
    session.deferred.tell(callback, params);
    return NRT_SUCCESS;
  });
}

NRT_STATUS nrt_async_drain_queued_execs(int32_t vnc) {
  return in_session("nrt_async_drain_queued_execs", [&](Session& session) -> NRT_STATUS {
    session.deferred.drain(vnc);
    return NRT_SUCCESS;
  });
}

}  // extern "C"
