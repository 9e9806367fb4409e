#include "pipeline/devices/devices.h"

#include <algorithm>
#include <array>
#include <mutex>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pipeline/cpu/cpu_device.h"
#include "pipeline/cpu/opencv_backend.h"
#include "pipeline/neuron/runtime/neuron_device.h"
#ifdef POSECAM_HAVE_OPENVINO
#include "pipeline/cpu/openvino_backend.h"
#endif

namespace posecam {
namespace {

using DevicePtr = std::shared_ptr<const Device>;

CpuLibrary openvino() {
#ifdef POSECAM_HAVE_OPENVINO
  return {.name = "openvino", .describe = describe_openvino, .load = make_openvino_backend};
#else
  return {.name = "openvino",
          .built_in = false,
          .describe =
              [](CoreId) {
                return DeviceInfo{"openvino", "not built in", false, 0};
              },
          .load = [](const ModelSpec&, const std::filesystem::path&,
                     const BackendOptions&) -> Result<std::unique_ptr<InferenceBackend> > {
            return Error{Errc::kDevice, "device openvino is not built in: build with OpenVINO, or use device opencv"};
          }};
#endif
}

/// In the order of preference.
const std::array<DevicePtr, 4>& built_in() {
  static const std::array<DevicePtr, 4> list{
      make_neuron_device(), make_neuron_simulator(), make_cpu_device(openvino()),
      make_cpu_device({.name = "opencv", .describe = describe_opencv, .load = make_opencv_backend})};
  return list;
}

struct AddedDevices {
  std::mutex mutex;
  std::vector<DevicePtr> list;
};
AddedDevices& added() {
  static AddedDevices devices;
  return devices;
}

}  // namespace

std::vector<DevicePtr> devices() {
  std::vector<DevicePtr> all(built_in().begin(), built_in().end());
  std::lock_guard lock(added().mutex);
  all.insert(all.end(), added().list.begin(), added().list.end());
  return all;
}

std::string device_choices() {
  std::string text(kAutoDevice);
  const auto all = devices();
  for (const DevicePtr& device : all) {
    text += (device == all.back() ? " or " : ", ") + device->name();
  }
  return text;
}

Result<DevicePtr> find_device(std::string_view name) {
  for (const DevicePtr& device : devices()) {
    if (device->name() == name) return device;
  }
  return Error{Errc::kUsage, fmt::format("device={}: must be {}", name, device_choices())};
}

DeviceTraits device_traits(std::string_view name) {
  const auto device = find_device(name);
  return device ? (*device)->traits() : DeviceTraits{};
}

DevicePtr best_device(const ModelSpec& original) {
  for (const DevicePtr& device : built_in()) {
    if (device->is_automatic() && device->can(original)) return device;
  }
  return nullptr;
}

Result<DevicePtr> choose_device(std::string_view wish, const ModelSpec& original) {
  if (wish != kAutoDevice) return find_device(wish);
  if (auto best = best_device(original)) return best;
  std::vector<std::string_view> names;
  for (const DevicePtr& device : built_in()) {
    if (!device->is_automatic()) continue;
    if (original.weights_for(device->name())) return device;
    names.emplace_back(device->name());
  }
  return Error{Errc::kModel, fmt::format("model '{}': its descriptor has no weights for a device that is built in: {}",
                                         original.name, fmt::join(names, ", "))};
}

std::string passed_over(const Device& chosen, const ModelSpec& original) {
  for (const DevicePtr& device : built_in()) {
    if (device->name() == chosen.name()) break;
    if (const std::string why = device->why_idle(original); !why.empty()) return device->name() + ": " + why;
  }
  return {};
}

void add_device(DevicePtr device) {
  AddedDevices& devices = added();
  std::lock_guard lock(devices.mutex);
  std::erase_if(devices.list, [&](const DevicePtr& known) { return known->name() == device->name(); });
  devices.list.push_back(std::move(device));
}

}  // namespace posecam
