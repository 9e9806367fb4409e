#include "app/session/output_set.h"

#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;
using test::read_file;
using test::write_file;
using ::testing::HasSubstr;

class OutputSetTest : public ::testing::Test {
 protected:
  std::string at(const std::string& name) const { return (folder_.path() / name).string(); }

  /// A video, lines and COCO results.
  SessionSpec spec() const {
    return {.sinks = {{ResultFormat::kNdjson, at("a.ndjson"), "--json-lines"}, {ResultFormat::kCoco, at("c.json"), ""}},
            .video = {.file = at("v.mp4"), .name = "--write-video"}};
  }
  static OutputSet must_lock(const SessionSpec& spec) {
    auto set = OutputSet::lock(spec);
    EXPECT_TRUE(set) << set.error().message;
    return *std::move(set);
  }
  static Error refused(const SessionSpec& spec) {
    const auto set = OutputSet::lock(spec);
    EXPECT_FALSE(set);
    return set ? Error{} : set.error();
  }
  /// What an element does.
  static void write(const OutputSet& set, const std::string& location, const std::string& text) {
    ASSERT_EQ(::write(set.descriptor(location), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void write_all(const OutputSet& set) const {
    for (const char* name : {"v.mp4", "a.ndjson", "c.json"}) write(set, at(name), "new");
  }
  /// The names in the folder, in order.
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(folder_.path())) all.push_back(entry.path().filename());
    std::ranges::sort(all);
    return all;
  }

  test::TempDir folder_;
};

TEST_F(OutputSetTest, GivesAllTheirNamesAtOnce) {
  write_file(at("a.ndjson"), "old");
  OutputSet set = must_lock(spec());
  ASSERT_TRUE(set.clear());
  write_all(set);
  EXPECT_EQ(read_file(at("a.ndjson")), "old");
  EXPECT_FALSE(fs::exists(at("v.mp4")));
  ASSERT_TRUE(set.commit());
  EXPECT_THAT(names(), ::testing::ElementsAre("a.ndjson", "c.json", "v.mp4"));
  EXPECT_EQ(read_file(at("a.ndjson")), "new");
  EXPECT_EQ(read_file(at("v.mp4")), "new");
}

TEST_F(OutputSetTest, GivesNoneItsNameIfOneCannotHaveIt) {
  write_file(at("a.ndjson"), "old");
  OutputSet set = must_lock(spec());
  ASSERT_TRUE(set.clear());
  write_all(set);
  fs::create_directory(at("c.json"));
  const auto committed = set.commit();
  ASSERT_FALSE(committed);
  EXPECT_THAT(committed.error().message, HasSubstr(at("c.json") + ": cannot take its name"));
  EXPECT_EQ(read_file(at("a.ndjson")), "old");
  EXPECT_FALSE(fs::exists(at("v.mp4")));
  for (const char* part : {"v.mp4.part", "a.ndjson.part", "c.json.part"}) EXPECT_EQ(read_file(at(part)), "new") << part;
}

TEST_F(OutputSetTest, TakesNamesBackIfALaterOneFails) {
  write_file(at("a.ndjson"), "old");
  OutputSet set = must_lock(spec());
  ASSERT_TRUE(set.clear());
  write_all(set);
  fs::remove(at("c.json.part"));  // somebody tidied up
  const auto committed = set.commit();
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code, Errc::kMedia);
  EXPECT_THAT(names(), ::testing::ElementsAre("a.ndjson", "a.ndjson.part", "v.mp4.part"));
  EXPECT_EQ(read_file(at("a.ndjson")), "old");
  EXPECT_EQ(read_file(at("a.ndjson.part")), "new");
}

TEST_F(OutputSetTest, IsTakenByOneRunAfterTheOtherWhenTheyEndAndBeginAtOnce) {
  std::atomic<int> failed = 0;
  const auto run_again_and_again = [&] {
    for (int completed = 0; completed < 300;) {
      auto set = OutputSet::lock(spec());
      if (!set) {
        failed += set.error().code == Errc::kUsage ? 0 : 1;  // the other one has it
        continue;
      }
      failed += set->clear() && set->commit() ? 0 : 1;
      ++completed;
    }
  };
  std::jthread other(run_again_and_again);
  run_again_and_again();
  other.join();
  EXPECT_EQ(failed, 0);
  EXPECT_THAT(names(), ::testing::ElementsAre("a.ndjson", "c.json", "v.mp4"));
}

TEST_F(OutputSetTest, KeepsWhatIsUnfinishedAndSaysWhere) {
  OutputSet set = must_lock(spec());
  ASSERT_TRUE(set.clear());
  write(set, at("v.mp4"), "half");
  write(set, at("a.ndjson"), "line\n");
  EXPECT_EQ(set.give_up(), "; what was written is in " + at("v.mp4.part") + ", " + at("a.ndjson.part"));
  EXPECT_THAT(names(), ::testing::ElementsAre("a.ndjson.part", "v.mp4.part"));
  EXPECT_EQ(read_file(at("v.mp4.part")), "half");
  EXPECT_EQ(read_file(at("a.ndjson.part")), "line\n");
}

TEST_F(OutputSetTest, ForgetsWhatAnEarlierRunLeftInAFile) {
  write_file(at("a.ndjson.part"), "a long line of an earlier run\n");
  OutputSet set = must_lock(spec());
  ASSERT_TRUE(set.clear());
  write_all(set);
  ASSERT_TRUE(set.commit());
  EXPECT_EQ(read_file(at("a.ndjson")), "new");
}

TEST_F(OutputSetTest, LeavesNothingIfNothingWasWritten) {
  {
    OutputSet set = must_lock(spec());
    ASSERT_TRUE(set.clear());
  }
  EXPECT_THAT(names(), ::testing::IsEmpty());
}

TEST_F(OutputSetTest, IsUndoneAsAWholeIfOneCannotBeHad) {
  write_file(at("a.ndjson.part"), "of an earlier run");
  SessionSpec asked = spec();
  asked.sinks.push_back({ResultFormat::kMotion, at("no/m.json"), "--write-motion-json"});
  asked.sinks.push_back({ResultFormat::kOpenpose, at("documents"), "--write-json"});
  const Error error = refused(asked);
  EXPECT_EQ(error.code, Errc::kMedia);
  EXPECT_THAT(error.message, HasSubstr("--write-motion-json " + at("no/m.json")));
  EXPECT_THAT(error.message, HasSubstr("mkdir -p"));
  EXPECT_THAT(names(), ::testing::ElementsAre("a.ndjson.part"));
  EXPECT_EQ(read_file(at("a.ndjson.part")), "of an earlier run");
}

TEST_F(OutputSetTest, MakesTheFolderOfDocumentsAndOwnsNothingInIt) {
  const SessionSpec asked{.sinks = {{ResultFormat::kOpenpose, at("documents"), ""}}};
  const OutputSet first = must_lock(asked);
  EXPECT_TRUE(fs::is_directory(at("documents")));
  EXPECT_EQ(first.descriptor(at("documents")), -1);
  EXPECT_TRUE(OutputSet::lock(asked));
}

TEST_F(OutputSetTest, RefusesFoldersInPlaceOfFiles) {
  fs::create_directory(at("a.ndjson"));
  EXPECT_EQ(refused(spec()).message, "--json-lines " + at("a.ndjson") + ": is a folder; give the name of a file");
}

TEST_F(OutputSetTest, LeavesAlonePipesDevicesAndStandardOutput) {
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
  const SessionSpec asked{.sinks = {{ResultFormat::kNdjson, "-", ""},
                                    {ResultFormat::kCoco, "/dev/null", ""},
                                    {ResultFormat::kMotion, at("fifo"), ""}}};
  EXPECT_THAT(refused(asked).message, HasSubstr(at("fifo") + ": nobody reads this pipe"));
  const int reader = ::open(at("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  OutputSet set = must_lock(asked);
  for (const Sink& sink : asked.sinks) EXPECT_EQ(set.descriptor(sink.location), -1);
  ASSERT_TRUE(set.clear());
  char none = 0;
  EXPECT_EQ(::read(reader, &none, 1), -1) << "somebody holds it";
  ASSERT_TRUE(set.commit());
  EXPECT_EQ(::read(reader, &none, 1), 0) << "its reader sees the end";
  ::close(reader);
  EXPECT_THAT(names(), ::testing::ElementsAre("fifo"));
}

TEST_F(OutputSetTest, EndsASecondRunOfTheSameProcessWithoutATrace) {
  OutputSet first = must_lock(spec());
  ASSERT_TRUE(first.clear());
  write_all(first);
  SessionSpec other = spec();
  other.sinks[0].location = at("b.ndjson");
  other.video = {};
  const Error error = refused(other);
  EXPECT_EQ(error.code, Errc::kUsage);
  EXPECT_EQ(error.message, at("c.json") + ": another run is writing it; wait for its end, or give another name");
  EXPECT_FALSE(fs::exists(at("b.ndjson.part")));
  ASSERT_TRUE(first.commit());
  EXPECT_EQ(read_file(at("c.json")), "new");
  EXPECT_TRUE(OutputSet::lock(other));
}

TEST_F(OutputSetTest, EndsASecondRunOfAnotherProcess) {
  int held[2];
  ASSERT_EQ(::pipe(held), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto set = OutputSet::lock(spec());
    const bool well = set && set->clear() && ::write(held[1], "x", 1) == 1;
    if (!well) ::_exit(1);
    ::pause();  // holds the locks until it is killed: they go with the process
  }
  char byte = 0;
  ASSERT_EQ(::read(held[0], &byte, 1), 1);
  EXPECT_EQ(refused(spec()).code, Errc::kUsage);
  ::kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(OutputSet::lock(spec()));
  ::close(held[0]);
  ::close(held[1]);
}

}  // namespace
}  // namespace posecam
