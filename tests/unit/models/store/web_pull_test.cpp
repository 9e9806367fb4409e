#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/store/download.h"
#include "tests/support/range_server.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/models/store/store_fixture.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST_F(Store, PullsFromTheWebAndFollowsARedirect) {
  POSECAM_RANGE_SERVER(server, mirror());
  publish(server.url("moved/a/net.bin"));
  const auto reports = pull();
  ASSERT_TRUE(reports) << reports.error().message;
  expect_good();
  EXPECT_THAT(server.requests(), ElementsAre("moved all", "range all"));
}

TEST_F(Store, FollowsNoRedirectOutOfTheWeb) {
  POSECAM_RANGE_SERVER(server, mirror());
  publish(server.url("away/a/net.bin"));
  EXPECT_THAT(failure(), HasSubstr("Protocol \"file\""));
}

TEST_F(Store, PrefersTheMirrorAndFallsBackToThePublishedFile) {
  POSECAM_RANGE_SERVER(server, mirror());
  publish(server.url("range/a/net.bin"));
  ASSERT_TRUE(pull(mirror().native()));
  EXPECT_THAT(server.requests(), SizeIs(0));
  fs::remove(target());
  std::vector<std::string> notes;
  PullOptions options{server.url("range/elsewhere"), {}, [&](const std::string& note) { notes.push_back(note); }, {}};
  ASSERT_TRUE(store_.pull(spec_, options));
  expect_good();
  EXPECT_THAT(notes, ElementsAre(HasSubstr("elsewhere/a/net.bin: HTTP status 404; trying " + server.url("range/"))));
}

TEST_F(Store, ContinuesWhereAStoppedPullEnded) {
  POSECAM_RANGE_SERVER(server, mirror());
  publish(server.url("range/a/net.bin"));
  std::stop_source stop;
  const auto stop_at_half = [&](const WeightFile& file, std::uint64_t done) {
    if (done > file.bytes / 2) stop.request_stop();
  };
  const auto stopped = store_.pull(spec_, {"", stop_at_half, {}, stop.get_token()});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Errc::kCancelled);
  EXPECT_FALSE(fs::exists(target()));
  const auto there = fs::file_size(part());
  ASSERT_GT(there, content_.size() / 2);
  ASSERT_LT(there, content_.size());
  ASSERT_TRUE(pull());
  expect_good();
  EXPECT_THAT(server.requests(), ElementsAre("range all", "range bytes=" + std::to_string(there) + "-"));
}

TEST_F(Store, ContinuesWhereTheServerHungUp) {
  POSECAM_RANGE_SERVER(server, mirror());
  publish(server.url("cut/a/net.bin"));
  EXPECT_THAT(failure(), HasSubstr("pull again to continue there"));
  EXPECT_EQ(fs::file_size(part()), content_.size() / 2);
  publish(server.url("range/a/net.bin"));
  ASSERT_TRUE(pull());
  expect_good();
  EXPECT_THAT(server.requests(), ElementsAre("cut all", "range bytes=524288-"));
}

TEST_F(Store, StartsOverWhereAServerCannotContinue) {
  POSECAM_RANGE_SERVER(server, mirror());
  for (const char* mode : {"plain", "shift", "refuse"}) {
    test::write_file(part(), content_.substr(0, 1000));
    publish(server.url(std::string(mode) + "/a/net.bin"));
    const auto reports = pull();
    ASSERT_TRUE(reports) << mode << ": " << reports.error().message;
    expect_good();
    fs::remove(target());
  }
  EXPECT_THAT(server.requests(),
              ElementsAre("plain bytes=1000-", "shift bytes=1000-", "shift all", "refuse bytes=1000-", "refuse all"));
}

TEST_F(Store, DoesNotTrustWhatAnotherVersionLeftBehind) {
  POSECAM_RANGE_SERVER(server, mirror());
  publish(server.url("range/a/net.bin"));
  for (const std::string& stale : {std::string(1000, 'x'), std::string(content_.size(), 'x'), content_ + "x"}) {
    test::write_file(part(), stale);
    const auto reports = pull();
    ASSERT_TRUE(reports) << reports.error().message;
    expect_good();
    fs::remove(target());
  }
}

TEST_F(Store, NamesNoWebFileThatIsTooLongOrWrong) {
  POSECAM_RANGE_SERVER(server, mirror());
  publish(server.url("long/a/net.bin"));
  EXPECT_THAT(failure(), HasSubstr("longer than the 1048576 bytes"));
  EXPECT_FALSE(fs::exists(part()));
  publish(server.url("range/a/net.bin"));
  test::write_file(mirror() / "a/net.bin", content_ + "xyz");
  EXPECT_THAT(failure(), HasSubstr("longer than the 1048576 bytes"));
  test::write_file(mirror() / "a/net.bin", some_bytes(content_.size() + 1).substr(1));
  EXPECT_THAT(failure(), HasSubstr("sha256 is "));
  EXPECT_FALSE(fs::exists(part()));
}

TEST_F(Store, LetsTwoPullsTakeTurns) {
  POSECAM_RANGE_SERVER(server, mirror());
  publish(server.url("range/a/net.bin"));
  std::atomic<int> good = 0;
  {
    const auto run = [&] { good += pull() ? 1 : 0; };
    const std::jthread one(run);
    const std::jthread two(run);
  }
  EXPECT_EQ(good, 2);
  expect_good();
  EXPECT_THAT(server.requests(), ElementsAre("range all"));
}

TEST_F(Store, GivesUpAServerThatSendsALittleNowAndThen) {
  POSECAM_RANGE_SERVER(server, mirror());
  publish(server.url("drip/a/net.bin"));
  limits_ = {.connect = 200ms, .stall = 200ms, .bytes_per_second = 100'000'000};
  EXPECT_THAT(failure(), HasSubstr("too slow: "));
  EXPECT_GT(fs::file_size(part()), 0U);
  publish(server.url("range/a/net.bin"));
  limits_ = {};
  ASSERT_TRUE(pull());
  expect_good();
}

TEST_F(Store, GivesUpAServerThatNeverGetsToThePoint) {
  POSECAM_RANGE_SERVER(server, mirror());
  publish(server.url("headers/a/net.bin"));
  EXPECT_THAT(failure(), HasSubstr("headers without end"));
  publish(server.url("self/a/net.bin"));
  EXPECT_THAT(failure(), HasSubstr("redirects"));
  EXPECT_THAT(server.requests(), SizeIs(1 + 6));
  EXPECT_FALSE(fs::exists(part()));
}

TEST_F(Store, TrustsTheAuthoritiesThatAreNamed) {
  const fs::path pem = test::source_dir() / "tests/data/localhost.pem";
  POSECAM_RANGE_SERVER(server, mirror(), pem);
  publish(server.url("range/a/net.bin"));
  EXPECT_THAT(failure(), HasSubstr("certificate"));
  ca_file_ = "/nonexistent.pem";
  EXPECT_THAT(failure(), HasSubstr("/nonexistent.pem"));
  ca_file_ = pem.string();
  ASSERT_TRUE(pull());
  expect_good();
}

}  // namespace
}  // namespace posecam
