#include "pipeline/neuron/nrt/neuron_library.h"

#include <cstdlib>
#include <system_error>

#include <fmt/format.h>

#include "models/core/paths.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;
constexpr const char* kFile = "libnrt.so.1";

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
  return fs::exists("/dev/neuron0", error);
}

}  // namespace posecam
