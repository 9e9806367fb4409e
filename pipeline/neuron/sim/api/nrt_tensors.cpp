// The C interface: tensors and sets of them.

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "pipeline/neuron/nrt/nrt_abi.h"
#include "pipeline/neuron/sim/api/call.h"
#include "pipeline/neuron/sim/execution.h"

namespace {

using namespace posecam::sim;  // NOLINT(google-build-using-namespace): the other side of these functions

constexpr std::size_t kHostLimit = std::size_t{4} << 20;  // of placement HOST
constexpr std::size_t kLargest = std::size_t{64} << 30;

bool inside(std::size_t offset, std::size_t size, std::size_t whole) {
  return offset <= whole && size <= whole - offset;
}

std::string text_of(const char* name) { return name ? name : ""; }

/// Runs `body(Session&, Tensor&)` with a living tensor that has memory, and that no fault was ordered for.
template <class Body>
NRT_STATUS with_tensor(const char* call, const nrt_tensor_t* handle, Body&& body) {
  return in_session(call, [&](Session& session) -> NRT_STATUS {
    const auto tensor = session.tensors.find(handle);
    if (!tensor) return bad_handle(call);
    if (const auto injected = session.injected(call, *tensor)) return injected;
    if (!tensor->storage) return bad_argument(call, "the tensor is empty: attach a buffer first");
    return body(session, *tensor);
  });
}

/// Which placements exist depends on generation and version. NRT_SUCCESS if this one does.
NRT_STATUS check_placement(const Session& session, nrt_tensor_placement_t placement, int vnc, std::size_t size) {
  constexpr const char* kCall = "nrt_tensor_allocate";
  const bool inf1 = session.config.instance.is_inf1();
  switch (placement) {
    case NRT_TENSOR_PLACEMENT_DEVICE:
      if (inf1) return bad_argument(kCall, "placement DEVICE is not for Inf1: use VIRTUAL");
      if (vnc < 0) return bad_argument(kCall, "placement DEVICE needs a core");
      break;
    case NRT_TENSOR_PLACEMENT_HOST:
      if (size >= kHostLimit) return bad_argument(kCall, "placement HOST is for less than 4 MB");
      break;
    case NRT_TENSOR_PLACEMENT_VIRTUAL:
      if (!session.config.runtime.has_virtual_tensors()) {
        return bad_argument(kCall, "this runtime has no placement VIRTUAL: use DEVICE");
      }
      break;
    default: return bad_argument(kCall, "no such placement");
  }
  if (vnc < -1 || vnc >= static_cast<int>(session.cores.size())) return bad_argument(kCall, "no such core");
  if (size == 0 || size > kLargest) return bad_argument(kCall, "no such size");
  return NRT_SUCCESS;
}

/// Reading or writing costs the time of a transfer where the tensor lies on a device.
void transfer(const Session& session, const Tensor& tensor, std::size_t bytes, bool in) {
  if (!tensor.core) return;
  auto& record = tensor.core->record();
  (in ? record.bytes_in : record.bytes_out) += bytes;
  if (const Nanos time = transfer_time(session, bytes)) sleep_until(tensor.core->book_transfer(monotonic_now(), time));
}

nrt_tensor_t* as_handle(void* handle) { return static_cast<nrt_tensor_t*>(handle); }

}  // namespace

extern "C" {

NRT_STATUS nrt_tensor_allocate(nrt_tensor_placement_t placement, int vnc, size_t size, const char* name,
                               nrt_tensor_t** tensor) {
  constexpr const char* kCall = "nrt_tensor_allocate";
  return in_session(kCall, [&](Session& session) -> NRT_STATUS {
    if (!tensor) return bad_argument(kCall, "null for the tensor");
    const bool placed = vnc >= 0 && vnc < static_cast<int>(session.cores.size());
    const auto injected =
        placed ? session.injected(kCall, {static_cast<std::uint32_t>(vnc), 1}) : session.injected(kCall);
    if (injected) return injected;
    if (const auto status = check_placement(session, placement, vnc, size)) return status;
    auto made = std::make_shared<Tensor>();
    std::unique_ptr<DeviceMemory> memory;
    if (placement == NRT_TENSOR_PLACEMENT_DEVICE) {
      made->core = session.cores[static_cast<std::size_t>(vnc)];
      memory = DeviceMemory::take(made->core, size);
      if (!memory) {
        log(Level::kError, kCall, "nc{}: device memory is full", made->core->number());
        return NRT_RESOURCE;
      }
    }
    made->name = text_of(name);
    made->placement = placement;
    made->size = size;
    made->storage = std::make_shared<Storage>(size, std::move(memory));
    *tensor = as_handle(session.tensors.add(std::move(made)));
    return NRT_SUCCESS;
  });
}

NRT_STATUS nrt_tensor_allocate_empty(const char* name, nrt_tensor_t** tensor) {
  return in_session("nrt_tensor_allocate_empty", [&](Session& session) -> NRT_STATUS {
    if (!tensor) return bad_argument("nrt_tensor_allocate_empty", "null for the tensor");
    if (const auto injected = session.injected("nrt_tensor_allocate_empty")) return injected;
    auto made = std::make_shared<Tensor>();
    made->name = text_of(name);
    made->placement = NRT_TENSOR_PLACEMENT_VIRTUAL;
    *tensor = as_handle(session.tensors.add(std::move(made)));
    return NRT_SUCCESS;
  });
}

NRT_STATUS nrt_tensor_attach_buffer(nrt_tensor_t* tensor, void* buffer, size_t size) {
  constexpr const char* kCall = "nrt_tensor_attach_buffer";
  return in_session(kCall, [&](Session& session) -> NRT_STATUS {
    const auto old = session.tensors.find(tensor);
    if (!old) return bad_handle(kCall);
    if (const auto injected = session.injected(kCall, *old)) return injected;
    if (!buffer || size == 0) return bad_argument(kCall, "null or empty buffer");
    if (!session.config.runtime.has_virtual_tensors())
      return bad_argument(kCall, "this runtime has no VIRTUAL tensors");
    auto attached = std::make_shared<Tensor>();
    attached->name = old->name;
    attached->placement = NRT_TENSOR_PLACEMENT_VIRTUAL;
    attached->size = size;
    attached->storage = std::make_shared<Storage>(std::span(static_cast<std::byte*>(buffer), size));
    return if_alive(session.tensors.replace(tensor, std::move(attached)), kCall);
  });
}

NRT_STATUS nrt_tensor_allocate_slice(const nrt_tensor_t* source, size_t offset, size_t size, const char* name,
                                     nrt_tensor_t** slice) {
  constexpr const char* kCall = "nrt_tensor_allocate_slice";
  return with_tensor(kCall, source, [&](Session& session, Tensor& whole) -> NRT_STATUS {
    if (!slice || size == 0 || !inside(offset, size, whole.size)) return bad_argument(kCall, "not inside the tensor");
    auto part = std::make_shared<Tensor>(whole);
    part->name = text_of(name);
    part->offset = whole.offset + offset;
    part->size = size;
    *slice = as_handle(session.tensors.add(std::move(part)));
    return NRT_SUCCESS;
  });
}

void nrt_tensor_free(nrt_tensor_t** tensor) {
  if (!tensor) return;
  in_session("nrt_tensor_free", [&](Session& session) -> NRT_STATUS {
    return if_alive(session.tensors.take(*tensor) != nullptr, "nrt_tensor_free");
  });
  *tensor = nullptr;
}

NRT_STATUS nrt_tensor_read(const nrt_tensor_t* tensor, void* buf, size_t offset, size_t size) {
  return with_tensor("nrt_tensor_read", tensor, [&](Session& session, Tensor& t) -> NRT_STATUS {
    if (!buf || !inside(offset, size, t.size)) return bad_argument("nrt_tensor_read", "not inside the tensor");
    t.storage->read(t.offset + offset, {static_cast<std::byte*>(buf), size});
    transfer(session, t, size, false);
    return NRT_SUCCESS;
  });
}

NRT_STATUS nrt_tensor_write(nrt_tensor_t* tensor, const void* buf, size_t offset, size_t size) {
  return with_tensor("nrt_tensor_write", tensor, [&](Session& session, Tensor& t) -> NRT_STATUS {
    if (!buf || !inside(offset, size, t.size)) return bad_argument("nrt_tensor_write", "not inside the tensor");
    t.storage->write(t.offset + offset, {static_cast<const std::byte*>(buf), size});
    transfer(session, t, size, true);
    return NRT_SUCCESS;
  });
}

NRT_STATUS nrt_tensor_copy(const nrt_tensor_t* src, size_t src_offset, nrt_tensor_t* dst, size_t dst_offset,
                           size_t size) {
  constexpr const char* kCall = "nrt_tensor_copy";
  return with_tensor(kCall, src, [&](Session& session, Tensor& from) -> NRT_STATUS {
    const auto to = session.tensors.find(dst);
    if (!to) return bad_handle(kCall);
    if (!to->storage || !inside(src_offset, size, from.size) || !inside(dst_offset, size, to->size)) {
      return bad_argument(kCall, "not inside the tensors");
    }
    if (from.core && to->core && from.core != to->core)
      return bad_argument(kCall, "the tensors lie on different cores");
    std::vector<std::byte> bytes(size);
    from.storage->read(from.offset + src_offset, bytes);
    to->storage->write(to->offset + dst_offset, bytes);
    return NRT_SUCCESS;
  });
}

NRT_STATUS nrt_tensor_memset(nrt_tensor_t* tensor, uint64_t offset, int value, size_t size) {
  return with_tensor("nrt_tensor_memset", tensor, [&](Session&, Tensor& t) -> NRT_STATUS {
    if (!inside(offset, size, t.size)) return bad_argument("nrt_tensor_memset", "not inside the tensor");
    t.storage->fill(t.offset + offset, static_cast<std::byte>(value), size);
    return NRT_SUCCESS;
  });
}

size_t nrt_tensor_get_size(const nrt_tensor_t* tensor) {
  std::size_t size = 0;
  in_session("nrt_tensor_get_size", [&](Session& session) -> NRT_STATUS {
    const auto found = session.tensors.find(tensor);
    if (!found) return bad_handle("nrt_tensor_get_size");
    size = found->size;
    return NRT_SUCCESS;
  });
  return size;
}

void* nrt_tensor_get_va(const nrt_tensor_t* tensor) {
  void* address = nullptr;
  in_session("nrt_tensor_get_va", [&](Session& session) -> NRT_STATUS {
    const auto found = session.tensors.find(tensor);
    if (!found || !found->storage) return bad_handle("nrt_tensor_get_va");
    address = found->storage->address() + found->offset;
    return NRT_SUCCESS;
  });
  return address;
}

NRT_STATUS nrt_allocate_tensor_set(nrt_tensor_set_t** result) {
  return in_session("nrt_allocate_tensor_set", [&](Session& session) -> NRT_STATUS {
    if (!result) return bad_argument("nrt_allocate_tensor_set", "null for the set");
    if (const auto injected = session.injected("nrt_allocate_tensor_set")) return injected;
    *result = session.sets.add(std::make_shared<TensorSet>());
    return NRT_SUCCESS;
  });
}

void nrt_destroy_tensor_set(nrt_tensor_set_t** tensor_set) {
  if (!tensor_set) return;
  in_session("nrt_destroy_tensor_set", [&](Session& session) -> NRT_STATUS {
    return if_alive(session.sets.take(*tensor_set) != nullptr, "nrt_destroy_tensor_set");
  });
  *tensor_set = nullptr;
}

NRT_STATUS nrt_add_tensor_to_tensor_set(nrt_tensor_set_t* tensor_set, const char* tensor_name, nrt_tensor_t* tensor) {
  constexpr const char* kCall = "nrt_add_tensor_to_tensor_set";
  return in_session(kCall, [&](Session& session) -> NRT_STATUS {
    const auto set = session.sets.find(tensor_set);
    const auto member = session.tensors.find(tensor);
    if (!set || !member) return bad_handle(kCall);
    if (const auto injected = session.injected(kCall, *member)) return injected;
    if (!tensor_name) return bad_argument(kCall, "null for the name");
    const std::lock_guard lock(set->mutex);
    set->tensors.insert_or_assign(tensor_name, tensor);
    return NRT_SUCCESS;
  });
}

NRT_STATUS nrt_get_tensor_from_tensor_set(nrt_tensor_set_t* tensor_set, const char* tensor_name,
                                          nrt_tensor_t** tensor) {
  constexpr const char* kCall = "nrt_get_tensor_from_tensor_set";
  return in_session(kCall, [&](Session& session) -> NRT_STATUS {
    const auto set = session.sets.find(tensor_set);
    if (!set) return bad_handle(kCall);
    if (const auto injected = session.injected(kCall)) return injected;
    if (!tensor_name || !tensor) return bad_argument(kCall, "null for the name or the tensor");
    const std::lock_guard lock(set->mutex);
    const auto found = set->tensors.find(tensor_name);
    if (found == set->tensors.end()) return NRT_FAILURE;
    *tensor = static_cast<nrt_tensor_t*>(const_cast<void*>(found->second));
    return NRT_SUCCESS;
  });
}

}  // extern "C"
