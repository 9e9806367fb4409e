// The C interface: life of the runtime, counts, versions, names of codes.

#include <algorithm>
#include <cstring>
#include <utility>

#include "pipeline/neuron/nrt/nrt_abi.h"
#include "pipeline/neuron/sim/api/call.h"

namespace {

using posecam::sim::bad_argument;
using posecam::sim::Config;
using posecam::sim::in_session;
using posecam::sim::Level;
using posecam::sim::log;
using posecam::sim::Runtime;
using posecam::sim::Session;

/// Counts may be asked for at any time; faults strike only between init and close.
template <class Body>
NRT_STATUS any_time(const char* call, Body&& body) noexcept {
  try {
    NRT_STATUS status = NRT_SUCCESS;
    if (const auto session = Runtime::instance().session(status)) {
      if (const NRT_STATUS injected = session->injected(call)) return injected;
    }
    const auto config = Runtime::instance().config();
    if (!config) return bad_argument(call, config.error().message);
    return body(*config);
  } catch (const std::exception&) {
    return NRT_FAILURE;
  }
}

NRT_STATUS total(const char* call, std::uint32_t* count) {
  if (!count) return bad_argument(call, "null for the count");
  return any_time(call, [&](const Config& config) {
    *count = config.total.value_or(config.instance.cores);
    return NRT_SUCCESS;
  });
}

NRT_STATUS visible(const char* call, std::uint32_t* count) {
  if (!count) return bad_argument(call, "null for the count");
  return any_time(call, [&](const Config& config) {
    NRT_STATUS status = NRT_SUCCESS;
    if (const auto session = Runtime::instance().session(status)) {
      *count = static_cast<std::uint32_t>(session->cores.size());
    } else if (config.visible) {
      *count = config.visible->count;
    } else {
      *count = config.wanted != 0 ? config.wanted : config.instance.cores;
    }
    return NRT_SUCCESS;
  });
}

template <std::size_t N>
void copy_text(char (&to)[N], std::string_view text) {
  std::memset(to, 0, N);
  std::memcpy(to, text.data(), std::min(text.size(), N - 1));
}

constexpr std::pair<NRT_STATUS, const char*> kNames[] = {
    {NRT_SUCCESS, "NRT_SUCCESS"},
    {NRT_FAILURE, "NRT_FAILURE"},
    {NRT_INVALID, "NRT_INVALID"},
    {NRT_INVALID_HANDLE, "NRT_INVALID_HANDLE"},
    {NRT_RESOURCE, "NRT_RESOURCE"},
    {NRT_TIMEOUT, "NRT_TIMEOUT"},
    {NRT_HW_ERROR, "NRT_HW_ERROR"},
    {NRT_QUEUE_FULL, "NRT_QUEUE_FULL"},
    {NRT_LOAD_NOT_ENOUGH_NC, "NRT_LOAD_NOT_ENOUGH_NC"},
    {NRT_UNSUPPORTED_NEFF_VERSION, "NRT_UNSUPPORTED_NEFF_VERSION"},
    {NRT_FAIL_HOST_MEM_ALLOC, "NRT_FAIL_HOST_MEM_ALLOC"},
    {NRT_UNINITIALIZED, "NRT_UNINITIALIZED"},
    {NRT_CLOSED, "NRT_CLOSED"},
    {NRT_QUEUE_EMPTY, "NRT_QUEUE_EMPTY"},
    {NRT_EXEC_UNIT_UNRECOVERABLE, "NRT_EXEC_UNIT_UNRECOVERABLE"},
    {NRT_EXEC_BAD_INPUT, "NRT_EXEC_BAD_INPUT"},
    {NRT_EXEC_COMPLETED_WITH_NUM_ERR, "NRT_EXEC_COMPLETED_WITH_NUM_ERR"},
    {NRT_EXEC_COMPLETED_WITH_ERR, "NRT_EXEC_COMPLETED_WITH_ERR"},
    {NRT_EXEC_NC_BUSY, "NRT_EXEC_NC_BUSY"},
    {NRT_EXEC_OOB, "NRT_EXEC_OOB"},
    {NRT_COLL_PENDING, "NRT_COLL_PENDING"},
    {NRT_EXEC_HW_ERR_COLLECTIVES, "NRT_EXEC_HW_ERR_COLLECTIVES"},
    {NRT_EXEC_HW_ERR_HBM_UE, "NRT_EXEC_HW_ERR_HBM_UE"},
    {NRT_EXEC_HW_ERR_NC_UE, "NRT_EXEC_HW_ERR_NC_UE"},
    {NRT_EXEC_HW_ERR_DMA_ABORT, "NRT_EXEC_HW_ERR_DMA_ABORT"},
    {NRT_EXEC_SW_NQ_OVERFLOW, "NRT_EXEC_SW_NQ_OVERFLOW"},
    {NRT_EXEC_HW_ERR_REPAIRABLE_HBM_UE, "NRT_EXEC_HW_ERR_REPAIRABLE_HBM_UE"},
    {NRT_NETWORK_PROXY_FAILURE, "NRT_NETWORK_PROXY_FAILURE"},
};

}  // namespace

extern "C" {

NRT_STATUS nrt_init(nrt_framework_type_t framework, const char*, const char*) {
  try {
    if (framework == NRT_FRAMEWORK_TYPE_INVALID) return bad_argument("nrt_init", "framework type INVALID");
    return Runtime::instance().init();
  } catch (const std::exception& e) {
    log(Level::kError, "nrt_init", "{}", e.what());
    return NRT_FAILURE;
  }
}

void nrt_close(void) {  // NOLINT(modernize-redundant-void-arg)
  try {
    Runtime::instance().close();
  } catch (const std::exception& e) {
    posecam::sim::write_line(Level::kError, "nrt_close", e.what());
  }
}

NRT_STATUS nrt_get_total_nc_count(uint32_t* count) { return total("nrt_get_total_nc_count", count); }
NRT_STATUS nrt_get_total_vnc_count(uint32_t* count) { return total("nrt_get_total_vnc_count", count); }
NRT_STATUS nrt_get_visible_nc_count(uint32_t* count) { return visible("nrt_get_visible_nc_count", count); }
NRT_STATUS nrt_get_visible_vnc_count(uint32_t* count) { return visible("nrt_get_visible_vnc_count", count); }

NRT_STATUS nrt_get_version(nrt_version_t* ver, size_t size) {
  if (!ver || size < sizeof *ver) return bad_argument("nrt_get_version", "too little room for the version");
  return any_time("nrt_get_version", [&](const Config& config) {
    *ver = {};
    ver->rt_major = 2;
    ver->rt_minor = config.runtime.minor;
    ver->rt_patch = config.runtime.patch;
    copy_text(ver->rt_detail, "posecam simulator");
    copy_text(ver->git_hash, "simulator");
    return NRT_SUCCESS;
  });
}

NRT_STATUS nrt_get_instance_info(nrt_instance_info_t* info, size_t length) {
  constexpr std::size_t kShort = offsetof(nrt_instance_info_t, arch_name);
  if (!info || length < kShort) return bad_argument("nrt_get_instance_info", "too little room for the answer");
  return any_time("nrt_get_instance_info", [&](const Config& config) {
    nrt_instance_info_t all{};
    all.family = config.instance.family;
    all.size = config.instance.size;
    copy_text(all.arch_name, config.instance.arch);
    copy_text(all.device_revision, "sim");
    std::memcpy(info, &all, std::min(length, config.runtime.long_instance_info() ? sizeof all : kShort));
    return NRT_SUCCESS;
  });
}

NRT_STATUS nrt_get_vnc_memory_stats(uint32_t vnc, nrt_vnc_memory_stats_t* stats, size_t size_in, size_t* size_out) {
  constexpr const char* kCall = "nrt_get_vnc_memory_stats";
  return in_session(kCall, [&](Session& session) -> NRT_STATUS {
    if (!stats || vnc >= session.cores.size()) return bad_argument(kCall, "no such core, or null for the answer");
    if (const auto injected = session.injected(kCall, {vnc, 1})) return injected;
    auto& record = session.cores[vnc]->record();
    const nrt_vnc_memory_stats_t all{record.memory_used, record.memory_limit};
    std::memcpy(stats, &all, std::min(size_in, sizeof all));
    if (size_out) *size_out = std::min(size_in, sizeof all);
    return NRT_SUCCESS;
  });
}

const char* nrt_get_status_as_str(NRT_STATUS status) {
  const auto* found = std::ranges::find(kNames, status, &std::pair<NRT_STATUS, const char*>::first);
  return found == std::end(kNames) ? "NRT_UNKNOWN_STATUS" : found->second;
}

}  // extern "C"
