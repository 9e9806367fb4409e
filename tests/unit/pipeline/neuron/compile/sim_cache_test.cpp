// What the simulator compiles by itself: once, for everybody, and never by halves.

#include "pipeline/neuron/compile/sim_cache.h"

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "pipeline/neuron/runtime/compiled_models.h"
#include "pipeline/settings/engine_plan.h"
#include "postprocess/decode/decoders.h"
#include "tests/support/neuron_sim.h"
#include "tests/support/shared.h"

namespace posecam {
namespace {

using test::Variable;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// The files below the cache, with their times.
std::map<std::filesystem::path, std::filesystem::file_time_type> files_of(const std::filesystem::path& cache) {
  std::map<std::filesystem::path, std::filesystem::file_time_type> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(cache)) {
    if (entry.is_regular_file()) files[entry.path()] = entry.last_write_time();
  }
  return files;
}

/// A user with neither store nor cache.
class SimCache : public ::testing::Test {
 protected:
  static EngineSettings settings(std::uint32_t batch) {
    EngineSettings s;
    s.model = "openpose-lite";
    s.device = "neuron-sim";
    s.net_resolution = "128x64";
    s.batch_size = batch;
    return s;
  }
  static Result<std::shared_ptr<Engine>> started(const EngineSettings& settings) {
    auto plan = plan_engine(settings, kUnknownVideo);
    if (!plan) return plan.error();
    return make_engine(std::move(*plan));
  }
  std::filesystem::path folder() const { return device_.folder() / "cache/posecam/neuron-sim"; }

  test::SimDevice device_;
  Variable store_{"XDG_DATA_HOME", (device_.folder() / "data").string()};
  Variable cache_{"XDG_CACHE_HOME", (device_.folder() / "cache").string()};
};

TEST_F(SimCache, HasWhatTheSimulatorCompiledByItself) {
  EngineSettings s = settings(2);
  const auto cache = folder();
  const auto first = started(s);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ((*first)->backend_name(), "neuron-sim");
  EXPECT_EQ((*first)->model().input.batch, 2);
  EXPECT_EQ((*first)->model().input.size, (Size{128, 64}));
  EXPECT_THAT((*first)->take_note(), HasSubstr("compiling it at 128x64 for batch 2 into " + cache.string()));
  const auto made = files_of(cache);
  EXPECT_EQ(made.size(), 2U) << "a NEFF and its descriptor";
  EXPECT_TRUE(compiled_targets("openpose-lite", "neuron-sim").empty()) << "the store is the user's";
  const auto second = started(s);
  ASSERT_TRUE(second);
  EXPECT_EQ((*second)->take_note(), "");
  EXPECT_EQ(files_of(cache), made) << "compiled again";
  s.batch_size = 1;
  ASSERT_TRUE(started(s));
  EXPECT_EQ(files_of(cache).size(), 4U);
}

TEST_F(SimCache, IsMadeAnewWhereItIsDamaged) {
  const EngineSettings s = settings(1);
  const auto cache = folder();
  ASSERT_TRUE(started(s));
  const auto made = files_of(cache);
  for (const auto& [file, time] : made) {
    test::write_file(file, "short");
    const auto engine = started(s);
    ASSERT_TRUE(engine) << file << ": " << engine.error().message;
    EXPECT_EQ(files_of(cache).size(), made.size()) << "something was left behind";
    EXPECT_GT(std::filesystem::file_size(file), 100U);
  }
}

TEST_F(SimCache, IsFilledByManyProcessesAtOnce) {
  const auto original = find_model("openpose-lite");
  ASSERT_TRUE(original);
  const auto small = original->at_resolution({128, 64});
  ASSERT_TRUE(small);
  const auto cache = folder();
  std::vector<pid_t> processes;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    std::string note;
    if (child == 0) ::_exit(compiled_in_cache(*small, cache, note) ? 0 : 1);
    processes.push_back(child);
  }
  for (const pid_t child : processes) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(files_of(cache).size(), 2U);
}

TEST_F(SimCache, ThatHasNoPlaceIsMissingWithTheRemedy) {
  const Variable cache("XDG_CACHE_HOME", std::nullopt);
  const Variable home("HOME", std::nullopt);
  const auto engine = started(settings(1));
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code, Errc::kModel);
  EXPECT_THAT(engine.error().message,
              AllOf(HasSubstr("XDG_CACHE_HOME"), HasSubstr("posecam compile openpose-lite --target sim")));
}

}  // namespace
}  // namespace posecam
