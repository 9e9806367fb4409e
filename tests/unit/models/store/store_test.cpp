#include "models/store/store.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/mount.h>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/core/sha256.h"
#include "models/store/download.h"
#include "postprocess/decode/decoders.h"
#include "tests/support/range_server.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/models/spec/spec_document.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// Bytes without a period, so that no part of a file equals another.
std::string some_bytes(std::size_t n) {
  std::string text(n, '\0');
  std::uint32_t state = 1;
  for (char& c : text) {
    state = state * 1664525U + 1013904223U;
    c = static_cast<char>(state >> 24U);
  }
  return text;
}

/// A store, a mirror with "a/net.bin" of 1 MiB, and a model that describes it for openvino.
class Store : public ::testing::Test {
 protected:
  Store() {
    test::write_file(mirror() / "a/net.bin", content_);
    spec_ = *ModelSpec::parse(test::pose_document().dump(), "unused/small.json", decoders());
    spec_.weights = {{"openvino", "f32", {file("net.bin", "a/net.bin")}}};
  }

  fs::path mirror() const { return dir_.path() / "mirror"; }
  fs::path target() const { return dir_.path() / "store/small/net.bin"; }
  fs::path part() const { return target().native() + ".part"; }

  WeightFile file(const std::string& name, const std::string& mirror_path) const {
    return {name, "", mirror_path, content_.size(), *sha256_of(mirror() / mirror_path)};
  }
  void publish(const std::string& url) { spec_.weights[0].files[0].url = url; }

  Result<std::vector<FileReport>> pull(const std::string& from = {}) const {
    return store_.pull(spec_, {from, {}, {}, {}});
  }
  /// The message of a pull that must fail and leave nothing behind.
  std::string failure(const std::string& from = {}) const {
    const auto reports = pull(from);
    if (reports) return "pulled";
    EXPECT_EQ(reports.error().code, Errc::kModel);
    EXPECT_FALSE(fs::exists(target()));
    return reports.error().message;
  }
  void expect_good() const {
    const auto path = store_.weights(spec_, "openvino");
    ASSERT_TRUE(path) << path.error().message;
    EXPECT_EQ(*path, target());
    EXPECT_FALSE(fs::exists(part()));
  }

  const test::TempDir dir_;
  const std::string content_ = some_bytes(1 << 20);
  const ModelStore store_{dir_.path() / "store"};
  ModelSpec spec_;
};

TEST_F(Store, NamesTheCommandToRunWhenNothingIsPulled) {
  const auto path = store_.weights(spec_, "openvino");
  ASSERT_FALSE(path);
  EXPECT_EQ(path.error().code, Errc::kModel);
  EXPECT_THAT(path.error().message, EndsWith("run: posecam models pull unused/small.json --mirror DIR|URL"));
  EXPECT_FALSE(store_.has(spec_, "openvino"));
}

TEST_F(Store, NamesAModelOfTheZooByItsName) {
  const auto spec = find_model("openpose");
  ASSERT_TRUE(spec) << spec.error().message;
  const auto path = store_.weights(*spec, "openvino");
  ASSERT_FALSE(path);
  EXPECT_THAT(path.error().message, EndsWith("run: posecam models pull openpose"));
}

TEST_F(Store, NamesTheBackendsThatHaveWeights) {
  const auto path = store_.weights(spec_, "opencv");
  ASSERT_FALSE(path);
  EXPECT_EQ(path.error().message, "model 'small' has no weights for opencv; it has them for openvino");
}

TEST_F(Store, PullsFromAMirrorFolderOnce) {
  const auto first = pull(mirror().native());
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_TRUE(first->at(0).pulled);
  expect_good();
  EXPECT_TRUE(store_.has(spec_, "openvino"));
  const auto again = pull();
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_FALSE(again->at(0).pulled);
}

TEST_F(Store, TakesAMirrorAsAFileUrl) {
  ASSERT_TRUE(pull("file://" + mirror().native() + "/"));
  expect_good();
}

TEST_F(Store, FindsWeightsBesideTheDescriptor) {
  test::write_file(dir_.path() / "own/net.bin", content_);
  spec_.path = dir_.path() / "own/small.json";
  const auto path = store_.weights(spec_, "openvino");
  ASSERT_TRUE(path) << path.error().message;
  EXPECT_EQ(*path, dir_.path() / "own/net.bin");
}

TEST_F(Store, RefusesASwappedFileAndRepairsIt) {
  ASSERT_TRUE(pull(mirror().native()));
  std::string swapped = content_;
  swapped[1000] ^= 1;
  test::write_file(target(), swapped);
  const auto path = store_.weights(spec_, "openvino");
  ASSERT_FALSE(path);
  EXPECT_THAT(path.error().message, HasSubstr("sha256 is "));
  EXPECT_THAT(path.error().message, EndsWith("run: posecam models pull unused/small.json --mirror DIR|URL"));
  EXPECT_EQ(store_.verify(spec_).at(0).state, FileState::kWrongContent);
  ASSERT_TRUE(pull(mirror().native()));
  expect_good();
}

TEST_F(Store, ReportsATruncatedFile) {
  ASSERT_TRUE(pull(mirror().native()));
  fs::resize_file(target(), 10);
  EXPECT_FALSE(store_.has(spec_, "openvino"));
  const auto path = store_.weights(spec_, "openvino");
  ASSERT_FALSE(path);
  EXPECT_THAT(path.error().message, HasSubstr("has 10 bytes, the descriptor says 1048576"));
  EXPECT_EQ(store_.verify(spec_).at(0).state, FileState::kWrongSize);
}

TEST_F(Store, NeedsEveryFileOfABackend) {
  test::write_file(mirror() / "a/net.xml", content_);
  spec_.weights[0].files.push_back(file("net.xml", "a/net.xml"));
  ASSERT_TRUE(pull(mirror().native()));
  expect_good();
  fs::remove(target().parent_path() / "net.xml");
  const auto path = store_.weights(spec_, "openvino");
  ASSERT_FALSE(path);
  EXPECT_THAT(path.error().message, HasSubstr("net.xml: missing"));
}

TEST_F(Store, SaysThatUnpublishedWeightsNeedAMirror) {
  EXPECT_THAT(failure(), HasSubstr("its weights are not published; run with a mirror that has them: posecam models "
                                   "pull unused/small.json --mirror DIR|URL"));
  EXPECT_THAT(failure("/nonexistent"), HasSubstr("not published, and not in the mirror: /nonexistent/a/net.bin: "
                                                 "No such file or directory"));
}

TEST_F(Store, PullsWhatItCanWhenAnotherBackendIsUnpublished) {
  auto other = spec_.weights[0];
  other.backend = "opencv";
  other.files[0].name = "net.onnx";
  other.files[0].mirror_path = "a/net.onnx";
  spec_.weights.push_back(other);
  const auto reports = pull(mirror().native());
  ASSERT_TRUE(reports) << reports.error().message;
  EXPECT_EQ(reports->at(0).state, FileState::kGood);
  EXPECT_EQ(reports->at(1).state, FileState::kMissing);
  EXPECT_THAT(reports->at(1).problem, HasSubstr("net.onnx: No such file or directory"));
}

TEST_F(Store, BringsTheOtherFilesWhenOneFails) {
  test::write_file(mirror() / "a/bad.bin", content_);
  spec_.weights[0].files.insert(spec_.weights[0].files.begin(), file("bad.bin", "a/bad.bin"));
  test::write_file(mirror() / "a/bad.bin", content_ + "x");
  const auto reports = pull(mirror().native());
  ASSERT_FALSE(reports);
  EXPECT_THAT(reports.error().message, HasSubstr("bad.bin: longer than the"));
  EXPECT_TRUE(fs::exists(target()));
  EXPECT_FALSE(store_.has(spec_, "openvino"));
}

TEST_F(Store, NeverNamesAMirrorFileOfWrongContent) {
  std::string wrong = content_;
  wrong.back() ^= 1;
  test::write_file(mirror() / "a/net.bin", wrong);
  EXPECT_THAT(failure(mirror().native()), HasSubstr("the descriptor says"));
  EXPECT_FALSE(fs::exists(part()));
}

TEST_F(Store, NeverNamesAFileThatIsTooLongOrTooShort) {
  test::write_file(mirror() / "a/net.bin", content_ + "x");
  EXPECT_THAT(failure(mirror().native()), HasSubstr("longer than the 1048576 bytes of the descriptor"));
  EXPECT_FALSE(fs::exists(part()));
  test::write_file(mirror() / "a/net.bin", content_.substr(1));
  EXPECT_THAT(failure(mirror().native()), HasSubstr("ends after 1048575 of the 1048576 bytes of the descriptor"));
}

TEST_F(Store, SaysWhereItCannotWrite) {
  test::write_file(dir_.path() / "file", "");
  const auto reports = ModelStore(dir_.path() / "file").pull(spec_, {mirror().native(), {}, {}, {}});
  ASSERT_FALSE(reports);
  EXPECT_THAT(reports.error().message, HasSubstr("file/small: cannot create: Not a directory"));
}

TEST_F(Store, SurvivesAFullDisk) {
  const fs::path root = dir_.path() / "full";
  fs::create_directories(root);
  if (::mount("tmpfs", root.c_str(), "tmpfs", 0, "size=256k") != 0) GTEST_SKIP() << "tmpfs cannot be mounted here";
  const ModelStore store(root);
  const auto reports = store.pull(spec_, {mirror().native(), {}, {}, {}});
  const bool named = fs::exists(store.folder(spec_) / "net.bin");
  ::umount2(root.c_str(), MNT_DETACH);
  ASSERT_FALSE(reports);
  EXPECT_THAT(reports.error().message, HasSubstr("cannot write: No space left on device"));
  EXPECT_THAT(reports.error().message, HasSubstr("free some space and pull again"));
  EXPECT_FALSE(named);
}

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

TEST(Download, ShowsUrlsWithoutCredentials) {
  EXPECT_EQ(shown_url("https://me:secret@host/a?token=1#x"), "https://host/a");
  EXPECT_EQ(shown_url("https://host/a@b"), "https://host/a@b");
  EXPECT_EQ(shown_url("https://host?me@x"), "https://host");
  EXPECT_EQ(shown_url("/folder/a?b"), "/folder/a?b");
}

}  // namespace
}  // namespace posecam
