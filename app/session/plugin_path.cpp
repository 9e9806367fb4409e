#include "app/session/plugin_path.h"

#include <array>

#include <fmt/format.h>
#include <gst/gst.h>

namespace posecam {

namespace fs = std::filesystem;

fs::path find_plugin(const fs::path& executable) {
  const fs::path prefix = executable.parent_path().parent_path();
  for (const char* libdir : {"lib", POSECAM_LIBDIR, "lib64"}) {
    fs::path plugin = prefix / libdir / "gstreamer-1.0" / "libgstneuron.so";
    std::error_code ec;
    if (fs::exists(plugin, ec)) return plugin;
  }
  return {};
}

Result<void> load_plugin() {
  std::error_code ec;
  const fs::path executable = fs::read_symlink("/proc/self/exe", ec);
  const fs::path plugin = find_plugin(executable);
  if (!plugin.empty()) {
    GError* error = nullptr;
    GstPlugin* loaded = gst_plugin_load_file(plugin.c_str(), &error);
    if (loaded == nullptr) {
      Error failure{Errc::kDevice, fmt::format("{}: {}", plugin.string(), error->message)};
      g_error_free(error);
      return failure;
    }
    gst_object_unref(loaded);
    return {};
  }
  GstElementFactory* factory = gst_element_factory_find("neuroninfer");
  if (factory == nullptr) {
    return Error{Errc::kUsage, fmt::format("libgstneuron.so not found from {}; install posecam as a whole, or set "
                                           "GST_PLUGIN_PATH to the plugin's folder",
                                           executable.string())};
  }
  gst_object_unref(factory);
  return {};
}

}  // namespace posecam
