// What another user laid where ours are to be. The tests that need another user skip where root does not run them.

#include "pipeline/neuron/machine/own_folder.h"

#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>

#include "pipeline/neuron/machine/core_file.h"
#include "pipeline/neuron/report/core_board.h"
#include "tests/support/other_user.h"
#include "tests/support/temp_dir.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kNeedsRoot = "only root can be another user as well";

class OwnFolderTest : public testing::Test {
 protected:
  void SetUp() override { ::chmod(dir_.path().c_str(), 01777); }  // as /tmp is
  fs::path folder() const { return dir_.path() / "posecam-0"; }

  test::TempDir dir_;
};

TEST_F(OwnFolderTest, IsMadeForItsUserAlone) {
  const auto made = OwnFolder::make(folder());
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(fs::status(folder()).permissions(), fs::perms::owner_all);
  const int fd = made->open_file("file", O_RDWR | O_CREAT);
  ASSERT_GE(fd, 0);
  EXPECT_TRUE(made->leads_to("file", fd));
  EXPECT_EQ(fs::status(folder() / "file").permissions(), fs::perms::owner_read | fs::perms::owner_write);
  made->remove("file");
  EXPECT_FALSE(made->leads_to("file", fd));
  ::close(fd);
}

TEST_F(OwnFolderTest, IsNoneThatOthersMayWriteTo) {
  fs::create_directory(folder());
  fs::permissions(folder(), fs::perms::all);
  const auto opened = OwnFolder::make(folder());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::kDevice);
  EXPECT_THAT(opened.error().message, HasSubstr("other users may write to it"));
}

TEST_F(OwnFolderTest, IsTakenFromTheGroupThatMayWriteToIt) {
  fs::create_directory(folder());
  fs::permissions(folder(), fs::perms::owner_all | fs::perms::group_all);
  EXPECT_FALSE(OwnFolder::open(folder()));
  EXPECT_TRUE(OwnFolder::make(folder()));
  EXPECT_EQ(fs::status(folder()).permissions() & fs::perms::group_write, fs::perms::none);
}

TEST_F(OwnFolderTest, IsNoLinkToAnotherFolderOfItsUser) {
  fs::create_directory(dir_.path() / "private");
  fs::create_directory_symlink(dir_.path() / "private", folder());
  for (const std::string end : {"", "/"}) {
    const auto opened = OwnFolder::make(folder().string() + end);
    ASSERT_FALSE(opened) << end;
    EXPECT_THAT(opened.error().message, HasSubstr("it is no folder"));
  }
  EXPECT_TRUE(fs::is_empty(dir_.path() / "private"));
}

TEST_F(OwnFolderTest, IsNoneThatAnotherUserMade) {
  const fs::path place = folder();
  if (!test::as_other_user([&] { ::mkdir(place.c_str(), 0700); })) GTEST_SKIP() << kNeedsRoot;
  const auto opened = OwnFolder::make(place);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("belongs to another user"));
  const auto core = sim::CoreFile::take(place, 0, 1000);
  ASSERT_FALSE(core);
  EXPECT_EQ(core.error().code, Errc::kDevice);
}

TEST_F(OwnFolderTest, OpensNoPipesLinksAndFilesOfOthers) {
  const auto own = OwnFolder::make(folder());
  ASSERT_TRUE(own) << own.error().message;
  test::write_file(folder() / "target", "x");
  fs::create_symlink("target", folder() / "link");
  ASSERT_EQ(::mkfifo((folder() / "pipe").c_str(), 0600), 0);
  test::write_file(folder() / "shared", "x");
  fs::permissions(folder() / "shared", fs::perms::others_write, fs::perm_options::add);
  for (const char* name : {"link", "pipe", "shared", "."}) {
    for (const int flags : {O_RDONLY, O_RDWR | O_CREAT}) EXPECT_EQ(own->open_file(name, flags), -1) << name;
  }
}

/// Both kinds of files that `posecam devices` reads, as pipes: whoever opens them to read waits for a writer.
TEST_F(OwnFolderTest, ObserversWaitForNoPipeOfAnotherUser) {
  const fs::path place = folder();
  const auto lay = [&] {
    ::mkdir(place.c_str(), 0755);
    ::mkfifo((place / "1.cores").c_str(), 0666);
    ::mkfifo((place / "core-0").c_str(), 0666);
  };
  if (!test::as_other_user(lay)) GTEST_SKIP() << kNeedsRoot;
  EXPECT_THAT(CoreBoard::read(place), IsEmpty());
  EXPECT_THAT(sim::read_core_pool(place), IsEmpty());
}

TEST_F(OwnFolderTest, ObserversWaitForNoPipeOfTheirOwn) {
  fs::create_directory(folder());
  ASSERT_EQ(::mkfifo((folder() / "1.cores").c_str(), 0600), 0);
  ASSERT_EQ(::mkfifo((folder() / "core-0").c_str(), 0600), 0);
  EXPECT_THAT(CoreBoard::read(folder()), IsEmpty());
  EXPECT_THAT(sim::read_core_pool(folder()), IsEmpty());
}

/// Cuts a file and makes it whole again, over and over. It stays locked, as by a process that lives.
class Cutter {
 public:
  explicit Cutter(const fs::path& path) : fd_(::open(path.c_str(), O_RDWR | O_CLOEXEC)), whole_(fs::file_size(path)) {
    ::flock(fd_, LOCK_EX | LOCK_NB);
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        if (::ftruncate(fd_, 0) != 0 || ::ftruncate(fd_, whole_) != 0) return;
      }
    });
  }
  Cutter(const Cutter&) = delete;
  Cutter& operator=(const Cutter&) = delete;
  ~Cutter() {
    thread_ = {};
    ::close(fd_);
  }

 private:
  int fd_;
  off_t whole_;
  std::jthread thread_;
};

TEST_F(OwnFolderTest, ObserversOutliveFilesThatAreCutWhileTheyRead) {
  constexpr int kLooks = 5000;
  ::setenv("XDG_RUNTIME_DIR", dir_.path().c_str(), 1);
  const auto place = CoreBoard::take("neuron", "openpose", 0);
  const auto board = CoreBoard::folder() / (std::to_string(::getpid()) + ".cores");
  const fs::path copies = folder();
  fs::create_directory(copies);
  fs::copy_file(board, copies / "1.cores");
  { const auto core = sim::CoreFile::take(copies, 0, 1000); }
  const Cutter cuts_board(copies / "1.cores");
  const Cutter cuts_core(copies / "core-0");
  for (int i = 0; i < kLooks; ++i) {
    for (const CoreActivity& a : CoreBoard::read(copies)) EXPECT_EQ(a.model, "openpose");
    for (const sim::CoreUse& use : sim::read_core_pool(copies)) EXPECT_EQ(use.core, 0U);
  }
}

TEST_F(OwnFolderTest, WhatFilesSayReachesNoTerminalAsACommand) {
  ::setenv("XDG_RUNTIME_DIR", dir_.path().c_str(), 1);
  const auto place = CoreBoard::take("neuron", "a\x1b[2Jb\xC2\x9B\xE2\x80\xAE", 0);
  const auto all = CoreBoard::read(CoreBoard::folder());
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].model, "a?[2Jb??");
}

}  // namespace
}  // namespace posecam
