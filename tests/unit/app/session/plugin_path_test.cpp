#include "app/session/plugin_path.h"

#include <fstream>
#include <unistd.h>

#include <gtest/gtest.h>

namespace posecam {
namespace {

namespace fs = std::filesystem;

TEST(PluginPath, IsBesideTheProgram) {
  const fs::path prefix = fs::temp_directory_path() / ("posecam-plugin-" + std::to_string(getpid()));
  EXPECT_EQ(find_plugin(prefix / "bin" / "posecam"), fs::path());
  const fs::path plugin = prefix / "lib" / "gstreamer-1.0" / "libgstneuron.so";
  fs::create_directories(plugin.parent_path());
  std::ofstream(plugin) << "";
  EXPECT_EQ(find_plugin(prefix / "bin" / "posecam"), plugin);
  fs::remove_all(prefix);
}

}  // namespace
}  // namespace posecam
