#include "pipeline/neuron/nrt/nrt_library.h"

#include <dlfcn.h>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace posecam {
namespace {

/// The file that was loaded, without links; `asked` if the loader does not say.
std::filesystem::path path_of(void* library, const std::filesystem::path& asked) {
  Dl_info info{};
  void* const symbol = ::dlsym(library, "nrt_init");
  if (!symbol || ::dladdr(symbol, &info) == 0 || !info.dli_fname) return asked;
  std::error_code error;
  auto path = std::filesystem::canonical(info.dli_fname, error);
  return error ? asked : path;
}

}  // namespace

Result<std::shared_ptr<const NrtLibrary>> NrtLibrary::load(const std::vector<std::filesystem::path>& candidates) {
  std::vector<std::string> problems;
  for (const auto& path : candidates) {
    // RTLD_LOCAL: a simulator and a real library in one process do not mix their symbols.
    void* const library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
      problems.emplace_back(::dlerror());
      continue;
    }
    const std::shared_ptr<NrtLibrary> loaded(new NrtLibrary);
    loaded->path_ = path_of(library, path);
    if (!path.has_parent_path() && loaded->path_.parent_path().filename() == kSimulatorFolder) {
      // A bare name is that of the simulator, too, once this process has loaded it.
      problems.emplace_back(fmt::format("{}: only the simulator is here", path.string()));
      continue;
    }
    if (auto all = loaded->resolve(library); !all) return all.error();
    loaded->ask_version();
    return std::shared_ptr<const NrtLibrary>(loaded);
  }
  return Error{Errc::kDevice, fmt::format("the Neuron runtime cannot be loaded ({}): install aws-neuronx-runtime-lib, "
                                          "or use device neuron-sim or openvino",
                                          fmt::join(problems, "; "))};
}

Result<void> NrtLibrary::resolve(void* library) {
  std::vector<std::string_view> missing;
  // What dlsym returns is a function, whatever C++ thinks of the conversion.
#define POSECAM_NRT_FIND(name) functions_.name = reinterpret_cast<decltype(functions_.name)>(::dlsym(library, #name));
#define POSECAM_NRT_NEED(name) \
  POSECAM_NRT_FIND(name)       \
  if (!functions_.name) missing.emplace_back(#name);
  POSECAM_NRT_REQUIRED(POSECAM_NRT_NEED)
  POSECAM_NRT_OPTIONAL(POSECAM_NRT_FIND)
#undef POSECAM_NRT_NEED
#undef POSECAM_NRT_FIND
  if (missing.empty()) return {};
  return Error{Errc::kDevice, fmt::format("{} lacks {}: is it the Neuron runtime (aws-neuronx-runtime-lib)?",
                                          path_.string(), fmt::join(missing, ", "))};
}

void NrtLibrary::ask_version() {
  nrt_version_t version{};
  if (!functions_.nrt_get_version || functions_.nrt_get_version(&version, sizeof version) != NRT_SUCCESS) return;
  version_ = fmt::format("{}.{}.{}.{}", version.rt_major, version.rt_minor, version.rt_patch, version.rt_maintenance);
  minor_ = version.rt_minor;
}

}  // namespace posecam
