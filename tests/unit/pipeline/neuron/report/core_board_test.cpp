#include "pipeline/neuron/report/core_board.h"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>

#include "pipeline/neuron/report/core_groups.h"
#include "tests/support/temp_dir.h"

namespace posecam {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(CoreGroups, ReadsTheLegacyVariable) {
  const auto groups = [](const char* text) { return *parse_core_groups(text); };
  EXPECT_THAT(groups("4x1"), ElementsAre(CoreGroup{4, 1}));
  EXPECT_THAT(groups("[2x1, 1x2]"), ElementsAre(CoreGroup{2, 1}, CoreGroup{1, 2}));
  EXPECT_THAT(groups("3,4,1"), ElementsAre(CoreGroup{1, 3}, CoreGroup{1, 4}, CoreGroup{1, 1}));
}

TEST(CoreGroups, RefusesOtherTexts) {
  for (const char* text :
       {"", "x", "4x", "x1", "0", "1,", ",1", "2x-1", "one", "4x1x1", "1025", "1024,1", "99999999999"}) {
    const auto groups = parse_core_groups(text);
    ASSERT_FALSE(groups) << text;
    EXPECT_EQ(groups.error().code, Errc::kUsage);
    EXPECT_THAT(groups.error().message, HasSubstr("NEURONCORE_GROUP_SIZES"));
  }
}

TEST(CoreGroups, FindsNeighbours) {
  using Runs = std::vector<std::vector<CoreId>>;
  EXPECT_EQ(neighbours({0, 1, 2, 3, 4}, 2), (Runs{{0, 1}, {2, 3}}));
  EXPECT_EQ(neighbours({0, 2, 3, 5, 6, 7}, 2), (Runs{{2, 3}, {5, 6}}));
  EXPECT_EQ(neighbours({4, 7}, 1), (Runs{{4}, {7}}));
  EXPECT_THAT(neighbours({0, 2}, 2), IsEmpty());
}

TEST(CoreBoard, ShowsWhatThisProcessDoesAndForgetsWhatIsOver) {
  const test::TempDir dir;
  ::setenv("XDG_RUNTIME_DIR", dir.path().c_str(), 1);
  const auto folder = CoreBoard::folder();
  {
    const auto one = CoreBoard::take("neuron-sim", "openpose", 3);
    const auto two = CoreBoard::take("neuron-sim", "openpose", 1);
    one.executed(4, std::chrono::milliseconds(5));
    one.executed(1, std::chrono::milliseconds(2));
    one.failed();
    const auto all = CoreBoard::read(folder);
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].core, 1U);
    EXPECT_EQ(all[1].core, 3U);
    EXPECT_EQ(all[1].pid, ::getpid());
    EXPECT_EQ(all[1].model, "openpose");
    EXPECT_EQ(all[1].executions, 2U);
    EXPECT_EQ(all[1].rows, 5U);
    EXPECT_EQ(all[1].busy_ns, 7'000'000U);
    EXPECT_EQ(all[1].failures, 1U);
  }
  EXPECT_THAT(CoreBoard::read(folder), IsEmpty());
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST(CoreBoard, IgnoresProcessesThatAreGone) {
  const test::TempDir dir;
  ::setenv("XDG_RUNTIME_DIR", dir.path().c_str(), 1);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto entry = CoreBoard::take("neuron", "openpose", 0);
    ::_exit(0);  // as after kill -9: the file stays
  }
  ::waitpid(child, nullptr, 0);
  ASSERT_FALSE(std::filesystem::is_empty(CoreBoard::folder()));
  EXPECT_THAT(CoreBoard::read(CoreBoard::folder()), IsEmpty());
  EXPECT_TRUE(std::filesystem::is_empty(CoreBoard::folder()));
}

TEST(CoreBoard, LeavesTheNextBoardOfItsNameAlone) {
  const test::TempDir dir;
  ::setenv("XDG_RUNTIME_DIR", dir.path().c_str(), 1);
  const auto path = CoreBoard::folder() / (std::to_string(::getpid()) + ".cores");
  {
    const auto last = CoreBoard::take("neuron", "openpose", 0);
    ASSERT_TRUE(std::filesystem::remove(path));
    test::write_file(path, "made while the last place on this one was given up");
  }
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(CoreBoard, IsThereWhileAPlaceIsTakenWhoeverLeavesOrLooks) {
  const test::TempDir dir;
  ::setenv("XDG_RUNTIME_DIR", dir.path().c_str(), 1);
  const auto folder = CoreBoard::folder();
  const std::jthread observer([&folder](const std::stop_token& stop) {
    while (!stop.stop_requested()) CoreBoard::read(folder);
  });
  std::vector<std::jthread> owners;
  for (CoreId core = 0; core < 2; ++core) {
    owners.emplace_back([&folder, core] {
      for (int n = 0; n < 500; ++n) {
        const auto entry = CoreBoard::take("neuron", "openpose", core);
        const auto all = CoreBoard::read(folder);
        ASSERT_TRUE(std::ranges::any_of(all, [&](const CoreActivity& a) { return a.core == core; })) << n;
      }
    });
  }
  owners.clear();
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST(CoreBoard, CountsNowhereWhereNoFileCanBeMade) {
  ::setenv("XDG_RUNTIME_DIR", "/proc/nowhere", 1);
  const auto entry = CoreBoard::take("neuron", "openpose", 0);
  entry.executed(1, std::chrono::milliseconds(1));
  EXPECT_THAT(CoreBoard::read(CoreBoard::folder()), IsEmpty());
}

TEST(CoreBoard, ReadsNoFileOfAnotherKind) {
  const test::TempDir dir;
  test::write_file(dir.path() / "1.cores", "short");
  test::write_file(dir.path() / "2.cores", std::string(1 << 20, 'x'));
  EXPECT_THAT(CoreBoard::read(dir.path()), IsEmpty());
  EXPECT_THAT(CoreBoard::read(dir.path() / "missing"), IsEmpty());
}

}  // namespace
}  // namespace posecam
