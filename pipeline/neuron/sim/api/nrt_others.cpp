// The C interface: what AWS's public headers declare besides, so that clients which link with it do. None of it is
// simulated: each says so in the log and returns NRT_FAILURE, as AWS's own mock of the library does; those that return
// no status do nothing, or give null. What only AWS's collectives library calls (nec.h, ndl.h, nds) is not here.
//
// They are defined without parameters. Whoever calls them passes some: in the calling conventions of the platforms that
// Neuron runs on (x86-64, aarch64) it is the caller who puts arguments away, and a callee that reads none ignores them.

#include <exception>

#include "pipeline/neuron/nrt/nrt_abi.h"
#include "pipeline/neuron/sim/log.h"

namespace {

NRT_STATUS not_simulated(const char* call) noexcept {
  try {
    posecam::sim::log(posecam::sim::Level::kError, call, "is not simulated");
  } catch (const std::exception&) {
    return NRT_FAILURE;  // as without the line
  }
  return NRT_FAILURE;
}

}  // namespace

// Declared first, for -Wmissing-declarations. NOLINTBEGIN(cppcoreguidelines-macro-usage)
#define POSECAM_SIM_STATUS(name) \
  NRT_STATUS name();             \
  NRT_STATUS name() { return not_simulated(#name); }
#define POSECAM_SIM_NOTHING(name) \
  void name();                    \
  void name() { not_simulated(#name); }
// NOLINTEND(cppcoreguidelines-macro-usage)

extern "C" {

// nrt.h
POSECAM_SIM_STATUS(nrt_load_collectives)
POSECAM_SIM_STATUS(nrt_tensor_read_batch)
POSECAM_SIM_STATUS(nrt_tensor_write_batch)
POSECAM_SIM_STATUS(nrt_tensor_get_device_allocation_info)
POSECAM_SIM_STATUS(nrt_tensor_check_output_completion)
POSECAM_SIM_STATUS(nrt_tensor_reset_output_completion)
POSECAM_SIM_STATUS(nrt_get_dmabuf_fd)
POSECAM_SIM_STATUS(nrt_get_hbm_mmap_va)
POSECAM_SIM_STATUS(nrt_get_attached_efa_bdf)
POSECAM_SIM_STATUS(nrt_host_device_id_get)
POSECAM_SIM_STATUS(nrt_host_device_id_rid_map_get)
POSECAM_SIM_STATUS(nrt_build_global_comm)
POSECAM_SIM_STATUS(nrt_cc_global_comm_init)

// nrt_experimental.h
POSECAM_SIM_STATUS(nrt_trace_start)
POSECAM_SIM_STATUS(nrt_trace_stop)
POSECAM_SIM_STATUS(nrt_set_pool_eng_ucode)
POSECAM_SIM_STATUS(nrt_memcpy_to_device)
POSECAM_SIM_STATUS(nrt_barrier)
POSECAM_SIM_STATUS(nrt_all_gather)
void* nrt_get_libnccl_net();
void* nrt_get_libnccl_net() {
  not_simulated("nrt_get_libnccl_net");
  return nullptr;
}

// nrt_profile.h
POSECAM_SIM_STATUS(nrt_profile_continuous_options_allocate)
POSECAM_SIM_STATUS(nrt_profile_continuous_options_free)
POSECAM_SIM_STATUS(nrt_profile_continuous_options_set_output_dir)
POSECAM_SIM_STATUS(nrt_profile_continuous_start)
POSECAM_SIM_STATUS(nrt_profile_continuous_save)
POSECAM_SIM_STATUS(nrt_profile_continuous_stop)
POSECAM_SIM_STATUS(nrt_inspect_begin)
POSECAM_SIM_STATUS(nrt_inspect_begin_with_options)
POSECAM_SIM_STATUS(nrt_inspect_stop)
POSECAM_SIM_STATUS(nrt_inspect_export)
POSECAM_SIM_STATUS(nrt_inspect_config_allocate)
POSECAM_SIM_STATUS(nrt_inspect_config_free)
POSECAM_SIM_STATUS(nrt_inspect_config_set_defaults)
POSECAM_SIM_STATUS(nrt_inspect_config_set_session_id)
POSECAM_SIM_STATUS(nrt_inspect_config_set_output_dir)
POSECAM_SIM_STATUS(nrt_inspect_config_set_sys_trace_max_events_per_nc)
POSECAM_SIM_STATUS(nrt_inspect_config_set_capture_enabled_for_nc)
POSECAM_SIM_STATUS(nrt_inspect_config_set_capture_enabled_for_event_type_string)
POSECAM_SIM_STATUS(nrt_inspect_config_set_enable_inspect)
POSECAM_SIM_STATUS(nrt_inspect_config_set_enable_inspect_on_fail)
POSECAM_SIM_STATUS(nrt_inspect_config_set_activity)
POSECAM_SIM_STATUS(nrt_inspect_config_get_all_activity_types)
POSECAM_SIM_STATUS(nrt_inspect_config_get_enabled_activity_types)
POSECAM_SIM_NOTHING(nrt_inspect_config_free_activity_types)

// nrt_sys_trace.h
POSECAM_SIM_STATUS(nrt_sys_trace_config_allocate)
POSECAM_SIM_NOTHING(nrt_sys_trace_config_free)
POSECAM_SIM_NOTHING(nrt_sys_trace_config_set_defaults)
POSECAM_SIM_NOTHING(nrt_sys_trace_config_set_max_events_per_nc)
POSECAM_SIM_NOTHING(nrt_sys_trace_config_set_capture_enabled_for_nc)
POSECAM_SIM_STATUS(nrt_sys_trace_config_set_capture_enabled_for_event_type)
POSECAM_SIM_STATUS(nrt_sys_trace_config_get_enabled_event_types)
POSECAM_SIM_STATUS(nrt_sys_trace_get_event_types)
POSECAM_SIM_NOTHING(nrt_sys_trace_free_event_types)
POSECAM_SIM_STATUS(nrt_sys_trace_start)
POSECAM_SIM_STATUS(nrt_sys_trace_stop)
POSECAM_SIM_STATUS(nrt_sys_trace_fetch_options_allocate)
POSECAM_SIM_NOTHING(nrt_sys_trace_fetch_options_free)
POSECAM_SIM_NOTHING(nrt_sys_trace_fetch_options_set_defaults)
POSECAM_SIM_NOTHING(nrt_sys_trace_fetch_options_set_max_events_per_nc)
POSECAM_SIM_NOTHING(nrt_sys_trace_fetch_options_set_nc_idx)
POSECAM_SIM_STATUS(nrt_sys_trace_fetch_events)
POSECAM_SIM_NOTHING(nrt_sys_trace_buffer_free)

// ndebug_stream.h, nrt_async_sendrecv.h
POSECAM_SIM_STATUS(nrt_debug_client_connect)
POSECAM_SIM_NOTHING(nrt_debug_client_connect_close)
POSECAM_SIM_STATUS(nrt_debug_client_read_one_event)
POSECAM_SIM_STATUS(nrt_async_sendrecv_get_max_num_communicators_per_lnc)
POSECAM_SIM_STATUS(nrt_async_sendrecv_get_max_num_pending_request)
POSECAM_SIM_STATUS(nrt_async_sendrecv_init)
POSECAM_SIM_STATUS(nrt_async_sendrecv_close)
POSECAM_SIM_STATUS(nrt_async_sendrecv_connect)
POSECAM_SIM_STATUS(nrt_async_sendrecv_accept)
POSECAM_SIM_STATUS(nrt_async_sendrecv_test_comm)
POSECAM_SIM_STATUS(nrt_async_sendrecv_send_tensor)
POSECAM_SIM_STATUS(nrt_async_sendrecv_recv_tensor)
POSECAM_SIM_STATUS(nrt_async_sendrecv_test_request)
POSECAM_SIM_STATUS(nrt_async_sendrecv_flush)

// nrt_async.h: of the first cut and of the present one
POSECAM_SIM_STATUS(nrta_tensor_write)
POSECAM_SIM_STATUS(nrta_tensor_read)
POSECAM_SIM_STATUS(nrta_tensor_copy)
POSECAM_SIM_STATUS(nrta_execute_schedule)
POSECAM_SIM_STATUS(nrta_cc_prepare)
POSECAM_SIM_STATUS(nrta_cc_schedule)
POSECAM_SIM_STATUS(nrta_is_completed)
POSECAM_SIM_STATUS(nrta_get_sequence)
POSECAM_SIM_STATUS(nrta_get_completion_handle)
POSECAM_SIM_STATUS(nrta_error_tracker_create)
POSECAM_SIM_NOTHING(nrta_error_tracker_destroy)
POSECAM_SIM_STATUS(nrta_error_tracker_get_list)
POSECAM_SIM_STATUS(nrta_event_register_seq_id_completion)
POSECAM_SIM_STATUS(nrta_event_register_xu_completion)

}  // extern "C"
