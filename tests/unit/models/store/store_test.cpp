#include "models/store/store.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/mount.h>
#include <sys/stat.h>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"
#include "tests/unit/models/store/store_fixture.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(Store, NamesTheCommandToRunWhenNothingIsPulled) {
  publish("https://example.org/net.bin");
  const auto path = store_.weights(spec_, "openvino");
  ASSERT_FALSE(path);
  EXPECT_EQ(path.error().code, Errc::kModel);
  EXPECT_THAT(path.error().message, EndsWith("run: posecam models pull unused/small.json"));
  EXPECT_FALSE(store_.has(spec_, "openvino"));
}

TEST_F(Store, SaysWhatToDoAboutAFileWithoutAnAddressNotToPullIt) {
  spec_.weights.push_back({"opencv", "f32", {{"net.onnx", "https://example.org/net.onnx", "a/net.onnx", 9, "0"}}});
  const auto path = store_.weights(spec_, "openvino");
  ASSERT_FALSE(path);
  EXPECT_THAT(path.error().message, EndsWith("net.bin is published nowhere: copy it there, or take device opencv"));
  EXPECT_THAT(path.error().message, Not(HasSubstr("run: ")));
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
  EXPECT_THAT(path.error().message, EndsWith("copy it there, or pull it with --mirror DIR|URL"));
  EXPECT_EQ(store_.verify(spec_).at(0).state, FileState::kWrongContent);
  ASSERT_TRUE(pull(mirror().native()));
  expect_good();
}

TEST_F(Store, TakesAnyFileOfTheNameWhereTheDescriptorSaysNoSums) {
  spec_.path = dir_.path() / "own/small.json";
  spec_.weights[0].files[0] = {"net.bin", "", "small/net.bin"};
  const auto none = store_.weights(spec_, "openvino");
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, EndsWith("; copy net.bin there"));
  test::write_file(dir_.path() / "own/net.bin", "anything");
  const auto path = store_.weights(spec_, "openvino");
  ASSERT_TRUE(path) << path.error().message;
  EXPECT_EQ(*path, dir_.path() / "own/net.bin");
}

TEST_F(Store, ReportsATruncatedFile) {
  ASSERT_TRUE(pull(mirror().native()));
  fs::resize_file(target(), 10);
  EXPECT_FALSE(store_.has(spec_, "openvino"));
  EXPECT_TRUE(store_.has_begun(spec_, "openvino"));
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

TEST_F(Store, TellsDamagedWeightsFromAbsentOnes) {
  EXPECT_FALSE(store_.has_begun(spec_, "openvino"));
  fs::create_directories(target().parent_path());
  fs::create_symlink("/nonexistent/net.bin", target());
  EXPECT_TRUE(store_.has_begun(spec_, "openvino"));
  const auto lost = store_.weights(spec_, "openvino");
  ASSERT_FALSE(lost);
  EXPECT_THAT(lost.error().message, HasSubstr("net.bin: missing; net.bin is published nowhere"));
  fs::remove(target());
  fs::create_directory(target());
  EXPECT_TRUE(store_.has_begun(spec_, "openvino"));
  EXPECT_FALSE(store_.has_begun(spec_, "opencv"));
}

TEST_F(Store, CountsAHalfPulledBackendOnlyWhereAPullCanCompleteIt) {
  test::write_file(mirror() / "a/net.xml", content_);
  spec_.weights[0].files.push_back(file("net.xml", "a/net.xml"));
  test::write_file(target(), content_);
  EXPECT_FALSE(store_.has_begun(spec_, "openvino"));
  spec_.weights[0].files[1].url = "https://example.org/net.xml";
  EXPECT_TRUE(store_.has_begun(spec_, "openvino"));
}

TEST_F(Store, FindsDamageBesideTheDescriptor) {
  test::write_file(dir_.path() / "own/net.bin", "cut");
  spec_.path = dir_.path() / "own/small.json";
  const auto path = store_.weights(spec_, "openvino");
  ASSERT_FALSE(path);
  EXPECT_THAT(path.error().message, HasSubstr("own/net.bin: has 3 bytes"));
}

TEST_F(Store, PullsTheRestWhereWhatOnlyCompilersReadCannotBeReached) {
  spec_.weights.push_back({"compile", "f32", {{"net.xml", "http://127.0.0.1:9/net.xml", "a/net.xml", 9, "0"}}});
  const auto reports = pull(mirror().native());
  ASSERT_TRUE(reports) << reports.error().message;
  expect_good();
  EXPECT_EQ(reports->at(1).state, FileState::kMissing);
  EXPECT_THAT(reports->at(1).problem, HasSubstr("http://127.0.0.1:9/net.xml: "));
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

TEST_F(Store, CopiesNoFileThatALinkOfAMirrorNames) {
  fs::rename(mirror() / "a/net.bin", dir_.path() / "private");
  fs::create_symlink(dir_.path() / "private", mirror() / "a/net.bin");
  EXPECT_THAT(failure(mirror().native()), HasSubstr("a link, which is not followed"));
  EXPECT_FALSE(fs::exists(part()));
}

TEST_F(Store, WaitsForNoPipeOfAMirror) {
  fs::remove(mirror() / "a/net.bin");
  ASSERT_EQ(::mkfifo((mirror() / "a/net.bin").c_str(), 0600), 0);
  EXPECT_THAT(failure(mirror().native()), HasSubstr("net.bin: not a file"));
}

TEST_F(Store, LetsNobodyElseReadAFileBeforeItIsChecked) {
  using fs::perms;
  std::vector<perms> modes;
  const auto look = [&](const WeightFile&, std::uint64_t) { modes.push_back(fs::status(part()).permissions()); };
  test::write_file(part(), "left behind");
  ASSERT_TRUE(store_.pull(spec_, {mirror().native(), look, {}, {}}));
  EXPECT_THAT(modes, ElementsAre(perms::owner_read | perms::owner_write));
  EXPECT_NE(fs::status(target()).permissions() & perms::group_read, perms::none);
}

TEST_F(Store, WritesToNoFileThatOthersLaidWhereThePartGoes) {
  const fs::path other = dir_.path() / "other";
  test::write_file(other, "of somebody");
  fs::create_directories(part().parent_path());
  fs::create_hard_link(other, part());
  EXPECT_THAT(failure(mirror().native()), HasSubstr("not a file of yours alone: remove it"));
  fs::remove(part());
  fs::create_symlink(other, part());
  EXPECT_THAT(failure(mirror().native()), HasSubstr("not a file of yours alone: remove it"));
  EXPECT_EQ(test::read_file(other), "of somebody");
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

}  // namespace
}  // namespace posecam
