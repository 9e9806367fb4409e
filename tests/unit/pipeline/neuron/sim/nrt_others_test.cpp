// AWS's public headers have more functions than are simulated: a program that links with all of them must start.

#include <cstddef>
#include <dlfcn.h>
#include <string_view>

#include <gtest/gtest.h>

#include "pipeline/neuron/nrt/nrt_abi.h"
#include "tests/support/neuron_sim.h"

namespace posecam {
namespace {

constexpr const char* kStatus[] = {"nrt_load_collectives",
                                   "nrt_tensor_read_batch",
                                   "nrt_tensor_write_batch",
                                   "nrt_tensor_get_device_allocation_info",
                                   "nrt_tensor_check_output_completion",
                                   "nrt_tensor_reset_output_completion",
                                   "nrt_get_dmabuf_fd",
                                   "nrt_get_hbm_mmap_va",
                                   "nrt_get_attached_efa_bdf",
                                   "nrt_host_device_id_get",
                                   "nrt_host_device_id_rid_map_get",
                                   "nrt_build_global_comm",
                                   "nrt_cc_global_comm_init",
                                   "nrt_trace_start",
                                   "nrt_trace_stop",
                                   "nrt_set_pool_eng_ucode",
                                   "nrt_memcpy_to_device",
                                   "nrt_barrier",
                                   "nrt_all_gather",
                                   "nrt_profile_continuous_options_allocate",
                                   "nrt_profile_continuous_options_free",
                                   "nrt_profile_continuous_options_set_output_dir",
                                   "nrt_profile_continuous_start",
                                   "nrt_profile_continuous_save",
                                   "nrt_profile_continuous_stop",
                                   "nrt_inspect_begin",
                                   "nrt_inspect_begin_with_options",
                                   "nrt_inspect_stop",
                                   "nrt_inspect_export",
                                   "nrt_inspect_config_allocate",
                                   "nrt_inspect_config_free",
                                   "nrt_inspect_config_set_defaults",
                                   "nrt_inspect_config_set_session_id",
                                   "nrt_inspect_config_set_output_dir",
                                   "nrt_inspect_config_set_sys_trace_max_events_per_nc",
                                   "nrt_inspect_config_set_capture_enabled_for_nc",
                                   "nrt_inspect_config_set_capture_enabled_for_event_type_string",
                                   "nrt_inspect_config_set_enable_inspect",
                                   "nrt_inspect_config_set_enable_inspect_on_fail",
                                   "nrt_inspect_config_set_activity",
                                   "nrt_inspect_config_get_all_activity_types",
                                   "nrt_inspect_config_get_enabled_activity_types",
                                   "nrt_sys_trace_config_allocate",
                                   "nrt_sys_trace_config_set_capture_enabled_for_event_type",
                                   "nrt_sys_trace_config_get_enabled_event_types",
                                   "nrt_sys_trace_get_event_types",
                                   "nrt_sys_trace_start",
                                   "nrt_sys_trace_stop",
                                   "nrt_sys_trace_fetch_options_allocate",
                                   "nrt_sys_trace_fetch_events",
                                   "nrt_debug_client_connect",
                                   "nrt_debug_client_read_one_event",
                                   "nrt_async_sendrecv_get_max_num_communicators_per_lnc",
                                   "nrt_async_sendrecv_get_max_num_pending_request",
                                   "nrt_async_sendrecv_init",
                                   "nrt_async_sendrecv_close",
                                   "nrt_async_sendrecv_connect",
                                   "nrt_async_sendrecv_accept",
                                   "nrt_async_sendrecv_test_comm",
                                   "nrt_async_sendrecv_send_tensor",
                                   "nrt_async_sendrecv_recv_tensor",
                                   "nrt_async_sendrecv_test_request",
                                   "nrt_async_sendrecv_flush"};
constexpr const char* kNothing[] = {"nrt_inspect_config_free_activity_types",
                                    "nrt_sys_trace_config_free",
                                    "nrt_sys_trace_config_set_defaults",
                                    "nrt_sys_trace_config_set_max_events_per_nc",
                                    "nrt_sys_trace_config_set_capture_enabled_for_nc",
                                    "nrt_sys_trace_free_event_types",
                                    "nrt_sys_trace_fetch_options_free",
                                    "nrt_sys_trace_fetch_options_set_defaults",
                                    "nrt_sys_trace_fetch_options_set_max_events_per_nc",
                                    "nrt_sys_trace_fetch_options_set_nc_idx",
                                    "nrt_sys_trace_buffer_free",
                                    "nrt_debug_client_connect_close"};
constexpr const char* kThird[] = {"nrta_tensor_write",
                                  "nrta_tensor_read",
                                  "nrta_tensor_copy",
                                  "nrta_execute_schedule",
                                  "nrta_cc_prepare",
                                  "nrta_cc_schedule",
                                  "nrta_is_completed",
                                  "nrta_get_sequence",
                                  "nrta_get_completion_handle",
                                  "nrta_error_tracker_create",
                                  "nrta_error_tracker_destroy",
                                  "nrta_error_tracker_get_list",
                                  "nrta_event_register_seq_id_completion",
                                  "nrta_event_register_xu_completion"};

TEST(NrtOthers, AreThereAndAnswerThatTheyFail) {
  const test::Variable quiet("NEURON_RT_LOG_LEVEL", "QUIET");
  void* const library = ::dlopen(NRT_SIM_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << ::dlerror();
  for (const char* name : kStatus) {
    const auto call = reinterpret_cast<NRT_STATUS (*)(void*, void*)>(::dlvsym(library, name, "NRT_2.0.0"));
    ASSERT_NE(call, nullptr) << name;
    EXPECT_EQ(call(nullptr, nullptr), NRT_FAILURE) << name;
  }
  for (const char* name : kNothing) {
    const auto call = reinterpret_cast<void (*)(void*)>(::dlvsym(library, name, "NRT_2.0.0"));
    ASSERT_NE(call, nullptr) << name;
    call(nullptr);
  }
  for (const char* name : kThird) {
    const auto call = reinterpret_cast<NRT_STATUS (*)(void*)>(::dlvsym(library, name, "NRT_3.0.0"));
    ASSERT_NE(call, nullptr) << name;
    if (std::string_view(name) == "nrta_error_tracker_destroy") continue;
    EXPECT_EQ(call(nullptr), NRT_FAILURE) << name;
  }
  const auto net = reinterpret_cast<void* (*)(int*, char*, size_t)>(::dlsym(library, "nrt_get_libnccl_net"));
  ASSERT_NE(net, nullptr);
  EXPECT_EQ(net(nullptr, nullptr, 0), nullptr);
}

}  // namespace
}  // namespace posecam
