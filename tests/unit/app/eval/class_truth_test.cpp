#include "app/eval/class_truth.h"

#include <filesystem>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace posecam {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string> kLabels{"cat", "Egyptian cat", "0", "dog"};

std::vector<std::string> files(const ClassTruth& truth) {
  std::vector<std::string> names;
  for (const EvalPicture& picture : truth.pictures) names.push_back(picture.file);
  return names;
}

TEST(ClassList, ReadsLabelsAndIds) {
  const auto truth =
      parse_class_list("\na.jpg 3\r\nb.jpg Egyptian cat\n sub/c d.jpg\t cat \ne.jpg 0", "val.txt", kLabels);
  ASSERT_TRUE(truth) << truth.error().message;
  EXPECT_THAT(files(*truth), ElementsAre("a.jpg", "b.jpg", "sub/c d.jpg", "e.jpg"));
  EXPECT_THAT(truth->label_ids, ElementsAre(3, 1, 0, 2));  // a label "0" goes before label id 0
}

TEST(ClassList, SaysWhatIsWrongInItsLine) {
  const auto message = [](std::string_view text) {
    const auto truth = parse_class_list(text, "val.txt", kLabels);
    return truth ? std::string() : truth.error().message;
  };
  EXPECT_THAT(message("a.jpg 1\n\nb.jpg"), HasSubstr("val.txt: line 3: expected a picture and its class"));
  EXPECT_THAT(message("a.jpg 4"), HasSubstr("val.txt: line 1: '4' is none of the model's 4 labels, nor a label id from "
                                            "0 to 3"));
  EXPECT_THAT(message("a.jpg -1"), HasSubstr("'-1' is none"));
  EXPECT_THAT(message("a.jpg 1x"), HasSubstr("'1x' is none"));
  EXPECT_THAT(message(" \n"), HasSubstr("val.txt: names no pictures"));
}

TEST(ClassFolders, AreCalledLikeTheirClasses) {
  const test::TempDir dir;
  for (const char* name : {"dog/10.jpg", "dog/9.JPG", "dog/.hidden.jpg", "dog/notes.txt", "1/a.png", ".git/a.png"}) {
    std::filesystem::create_directories((dir.path() / name).parent_path());
    test::write_file(dir.path() / name, "");
  }
  test::write_file(dir.path() / "read.me", "");
  auto truth = read_class_folders(dir.path(), kLabels);
  ASSERT_TRUE(truth) << truth.error().message;
  EXPECT_THAT(files(*truth), ElementsAre("1/a.png", "dog/9.JPG", "dog/10.jpg"));
  EXPECT_THAT(truth->label_ids, ElementsAre(1, 3, 3));

  std::filesystem::create_directory(dir.path() / "unicorn");
  truth = read_class_folders(dir.path(), kLabels);
  ASSERT_FALSE(truth);
  EXPECT_THAT(truth.error().message, HasSubstr("unicorn: 'unicorn' is none of the model's 4 labels"));
}

TEST(ClassFolders, RefuseAFolderWithoutAny) {
  const test::TempDir dir;
  const auto truth = read_class_folders(dir.path(), kLabels);
  ASSERT_FALSE(truth);
  EXPECT_THAT(truth.error().message, HasSubstr("no folders with pictures"));
  const auto missing = read_class_folders(dir.path() / "missing", kLabels);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("No such file or directory"));
}

TEST(ClassStats, CountTheFirstAndTheFirstFive) {
  ClassTruth truth;
  Analysis analysis;
  const auto add = [&](int right, const std::vector<int>& told) {
    auto result = std::make_shared<FrameResult>();
    for (const int label : told) result->classes.push_back({0.1F, label});
    truth.pictures.push_back({"a.jpg", {}});
    truth.label_ids.push_back(right);
    analysis.results.push_back(std::move(result));
  };
  add(1, {1, 2, 3, 4, 5});
  add(5, {1, 2, 3, 4, 5});
  add(6, {1, 2, 3, 4, 5, 6});
  add(6, {});
  const ClassStats stats = score_classes(truth, analysis);
  EXPECT_DOUBLE_EQ(stats.top1, 0.25);
  EXPECT_DOUBLE_EQ(stats.top5, 0.5);
}

}  // namespace
}  // namespace posecam
