#include "pipeline/neuron/nrt/neuron_library.h"

#include <cstdlib>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "models/core/paths.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;
constexpr const char* kFile = "libnrt.so.1";
constexpr std::string_view kDevicePrefix = "neuron";

}  // namespace

std::vector<fs::path> neuron_library_candidates(std::string_view device) {
  if (device == kNeuronSim) {
    const auto share = share_dir();
    if (!share) return {};
    return {share->parent_path().parent_path() / POSECAM_LIBDIR / "posecam" / kSimulatorFolder / kFile};
  }
  if (const char* const option = std::getenv("POSECAM_NRT_LIBRARY"); option && *option) return {option};
  return {fs::path("/opt/aws/neuron/lib") / kFile, kFile};
}

Result<std::shared_ptr<const NrtLibrary>> load_neuron_library(std::string_view device) {
  std::lock_guard lock(environment_mutex());
  return NrtLibrary::load(neuron_library_candidates(device));
}

std::mutex& environment_mutex() {
  static auto& mutex = *new std::mutex;  // never destroyed: engines may outlive main()
  return mutex;
}

bool has_neuron_device() {
  std::error_code error;
  for (fs::directory_iterator at("/dev", error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with(kDevicePrefix) || name.size() == kDevicePrefix.size()) continue;
    if (name.find_first_not_of("0123456789", kDevicePrefix.size()) == std::string::npos) return true;
  }
  return false;
}

}  // namespace posecam
