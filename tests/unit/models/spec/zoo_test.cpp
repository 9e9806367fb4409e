#include "models/spec/zoo.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/core/paths.h"
#include "models/core/sha256.h"
#include "models/make/made.h"
#include "models/store/store.h"
#include "postprocess/decode/decoders.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/models/spec/spec_document.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Zoo, HoldsItsModels) {
  const auto names = zoo_names();
  ASSERT_TRUE(names) << names.error().message;
  EXPECT_THAT(*names, ElementsAre("blazepose-lite", "cpm-192", "fastestdet", "fitness-coords", "mobilenet-v1-025",
                                  "mobilenet-v2-quant", "movenet-lightning", "movenet-multipose", "movenet-thunder",
                                  "openpose", "openpose-lite", "person-detection-0013", "resnet50", "squeezenet",
                                  "ssd-mobilenet-v1-coco", "tfpose-v2-small", "yolox-nano"));
}

TEST(Zoo, EveryDescriptorIsGoodAndNamedAsItsFile) {
  const auto names = zoo_names();
  ASSERT_TRUE(names) << names.error().message;
  for (const std::string& name : *names) {
    const auto spec = find_model(name);
    ASSERT_TRUE(spec) << spec.error().message;
    EXPECT_EQ(spec->name, name);
    EXPECT_EQ(spec->license, name == "squeezenet"   ? "BSD-2-Clause"
                             : name == "fastestdet" ? "BSD-3-Clause"
                                                    : "Apache-2.0");
  }
}

TEST(Zoo, DescribesTheFilesOfTheMirror) {
  POSECAM_NEEDS_SHARED("models/README.md");
  const auto names = zoo_names();
  ASSERT_TRUE(names) << names.error().message;
  for (const std::string& name : *names) {
    const auto spec = find_model(name);
    ASSERT_TRUE(spec) << spec.error().message;
    if (name == "openpose-lite" || find_maker(*spec)) continue;  // their weights are ours
    for (const BackendWeights& weights : spec->weights) {
      for (const WeightFile& file : weights.files) {
        const fs::path path = test::shared_dir() / "models" / file.mirror_path;
        if (weights.backend == kCompileWeights && !fs::exists(path)) continue;  // published, but not copied there
        ASSERT_TRUE(fs::exists(path)) << path;
        EXPECT_EQ(fs::file_size(path), file.bytes) << path;
        const auto sha256 = sha256_of(path);
        ASSERT_TRUE(sha256) << sha256.error().message;
        EXPECT_EQ(*sha256, file.sha256) << path;
      }
    }
  }
}

TEST(Zoo, ComesWithTheWeightsOfOpenposeLite) {
  const test::TempDir nothing_pulled;
  const ModelStore store(nothing_pulled.path());
  const auto spec = find_model("openpose-lite");
  ASSERT_TRUE(spec) << spec.error().message;
  std::uintmax_t bytes = 0;
  for (const BackendWeights& backend : spec->weights) {
    const auto weights = store.weights(*spec, backend.backend);
    ASSERT_TRUE(weights) << weights.error().message;
    bytes += fs::file_size(*weights);
  }
  EXPECT_LE(bytes, 20'000'000U);
  const auto pulled = store.pull(*spec, {});
  ASSERT_TRUE(pulled) << pulled.error().message;
  EXPECT_FALSE(pulled->front().pulled);
  EXPECT_TRUE(fs::is_empty(nothing_pulled.path()));
}

TEST(Zoo, SuggestsTheNearestName) {
  const auto typo = find_descriptor("opnpose");
  ASSERT_FALSE(typo);
  EXPECT_EQ(typo.error().code, Errc::kModel);
  EXPECT_THAT(typo.error().message, HasSubstr("no model 'opnpose' in the zoo; did you mean 'openpose'?"));
  EXPECT_THAT(typo.error().message, HasSubstr("openpose, openpose-lite, person-detection-0013, resnet50, squeezenet, "
                                              "ssd-mobilenet-v1-coco, tfpose-v2-small"));
  const auto start = find_descriptor("yolo");
  ASSERT_FALSE(start);
  EXPECT_THAT(start.error().message, HasSubstr("did you mean 'yolox-nano'?"));
  const auto far = find_descriptor("efficientdet");
  ASSERT_FALSE(far);
  EXPECT_THAT(far.error().message, Not(HasSubstr("did you mean")));
}

TEST(Zoo, LeavesPathsAsTheyAre) {
  for (const char* path : {"own.json", "some/where", "/nonexistent/m.json"}) {
    const auto found = find_descriptor(path);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(*found, path);
  }
}

TEST(Paths, FindTheShareFolderAboveAModule) {
  const test::TempDir dir;
  fs::create_directories(dir.path() / "usr/share/posecam/models");
  fs::create_directories(dir.path() / "usr/lib/x86_64-linux-gnu/gstreamer-1.0");
  const auto share = find_share_dir(dir.path() / "usr/lib/x86_64-linux-gnu/gstreamer-1.0");
  ASSERT_TRUE(share) << share.error().message;
  EXPECT_EQ(*share, dir.path() / "usr/share/posecam");
  const auto none = find_share_dir(dir.path());
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("the installation is incomplete"));
}

TEST(Paths, FindTheBuildTreeOfThisTest) {
  const auto share = share_dir();
  ASSERT_TRUE(share) << share.error().message;
  EXPECT_TRUE(fs::equivalent(*share, fs::path(POSECAM_BUILD_DIR) / "share/posecam"));
}

/// Sets an environment variable for one scope. Each test is a process of its own under ctest.
class ScopedEnv {
 public:
  ScopedEnv(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    ::setenv(name, value, 1);
  }
  ScopedEnv(const ScopedEnv&) = delete;
  ScopedEnv& operator=(const ScopedEnv&) = delete;
  ~ScopedEnv() { old_.empty() ? ::unsetenv(name_) : ::setenv(name_, old_.c_str(), 1); }

 private:
  const char* name_;
  std::string old_;
};

TEST(Paths, StoreFollowsXdgDataHomeUnlessItIsRelative) {
  const ScopedEnv home("HOME", "/home/somebody");
  {
    const ScopedEnv data("XDG_DATA_HOME", "/data");
    const auto store = default_store_dir();
    ASSERT_TRUE(store);
    EXPECT_EQ(*store, "/data/posecam/models");
  }
  const ScopedEnv data("XDG_DATA_HOME", "relative");
  const auto store = default_store_dir();
  ASSERT_TRUE(store);
  EXPECT_EQ(*store, "/home/somebody/.local/share/posecam/models");
}

}  // namespace
}  // namespace posecam
