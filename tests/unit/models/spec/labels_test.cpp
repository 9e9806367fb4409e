#include "models/spec/labels.h"

#include <string>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/spec/model_spec.h"
#include "postprocess/decode/decoders.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/models/spec/spec_document.h"

namespace posecam {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string refusal(const std::string& text) {
  const test::TempDir dir;
  test::write_file(dir.path() / "labels.txt", text);
  const auto labels = read_labels(dir.path() / "labels.txt");
  return labels ? "accepted" : labels.error().message;
}

TEST(Labels, AreTheLinesOfATextFile) {
  const test::TempDir dir;
  test::write_file(dir.path() / "labels.txt", "\xEF\xBB\xBFgreat white shark\r\nkönig \n  cat");
  const auto labels = read_labels(dir.path() / "labels.txt");
  ASSERT_TRUE(labels) << labels.error().message;
  EXPECT_THAT(*labels, ElementsAre("great white shark", "könig", "cat"));
}

TEST(Labels, SayWhichLineIsNone) {
  EXPECT_THAT(refusal("cat\n\ndog\n"), HasSubstr("labels.txt: line 2 is not a label of 1 to 128 printable characters"));
  EXPECT_THAT(refusal("cat\n" + std::string(129, 'x')), HasSubstr("line 2 is not a label"));
  EXPECT_THAT(refusal(std::string("c\0t", 3)), HasSubstr("line 1 is not a label"));
  EXPECT_THAT(refusal("cat\nt\xE9nch\n"), HasSubstr("line 2 is not a label"));
  EXPECT_THAT(refusal(""), HasSubstr("is empty"));
  std::string many;
  for (std::size_t i = 0; i <= kMaxLabels; ++i) many += "x\n";
  EXPECT_THAT(refusal(many), HasSubstr("more than 10000 labels"));
}

TEST(Labels, ThatAreNotThereAreNamed) {
  const auto missing = read_labels("/nonexistent/labels.txt");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("/nonexistent/labels.txt: cannot be read"));
  EXPECT_THAT(read_labels("/").error().message, HasSubstr("cannot be read"));
  const test::TempDir dir;
  ASSERT_EQ(::mkfifo((dir.path() / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(read_labels(dir.path() / "pipe").error().message, HasSubstr("cannot be read"));
}

TEST(Labels, LieBesideTheirDescriptorOrInTheZoo) {
  const test::TempDir dir;
  auto document = test::classification_document();
  document["labels"] = "own.txt";
  test::write_file(dir.path() / "own.txt", "cat\ndog\n");
  const auto own = ModelSpec::parse(document.dump(), dir.path() / "m.json", decoders());
  ASSERT_TRUE(own) << own.error().message;
  EXPECT_THAT(own->labels, ElementsAre("cat", "dog"));

  document["labels"] = "imagenet.txt";
  const auto zoo = ModelSpec::parse(document.dump(), dir.path() / "m.json", decoders());
  ASSERT_TRUE(zoo) << zoo.error().message;
  ASSERT_EQ(zoo->labels.size(), 1000U);
  EXPECT_EQ(zoo->labels[933], "cheeseburger");

  document["labels"] = "none.txt";
  const auto none = ModelSpec::parse(document.dump(), dir.path() / "m.json", decoders());
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("m.json: labels: no file 'none.txt' beside the descriptor, nor in "));
}

TEST(PickLabels, TakesNamesBetweenCommas) {
  const std::vector<std::string> labels{"person", "traffic light", "-", "car", "person"};
  const auto picked = pick_labels(labels, "traffic light , person");
  ASSERT_TRUE(picked) << picked.error().message;
  EXPECT_THAT(*picked, ElementsAre(1, 1, 0, 0, 1));
}

TEST(PickLabels, TakesLabelsWithCommasAndBlanks) {
  const std::vector<std::string> labels{"corn, maize", "corn", " cat ", "maize, sweet, yellow"};
  for (const auto& [names, expected] : {std::pair{"corn, maize", std::vector<std::uint8_t>{1, 0, 0, 0}},
                                        {"corn,cat", {0, 1, 1, 0}},
                                        {"cat, corn, maize, corn", {1, 1, 1, 0}},
                                        {"corn,maize, sweet, yellow", {0, 1, 0, 1}}}) {
    const auto picked = pick_labels(labels, names);
    ASSERT_TRUE(picked) << picked.error().message;
    EXPECT_THAT(*picked, testing::ElementsAreArray(expected)) << names;
  }
  EXPECT_THAT(pick_labels(labels, "maize, sweet").error().message, HasSubstr("no label 'maize'"));
}

TEST(PickLabels, MeasuresNoNameThatIsTooLong) {
  const auto picked =
      pick_labels(std::vector<std::string>(kMaxLabels, std::string(kLongestLabel, 'x')), std::string(120'000, 'y'));
  ASSERT_FALSE(picked);
  EXPECT_EQ(picked.error().message,
            "the model has no label '" + std::string(60, 'y') + "...': no label has more than 128 characters");
}

TEST(PickLabels, NamesTheNearestOfAnUnknownOne) {
  const std::vector<std::string> labels{"bird", "cat", "car", "-", "cart"};
  for (const auto& [names, message] :
       {std::pair{"bird,cas", "the model has no label 'cas'; the nearest are cat, car, cart"},
        {"-", "the model has no label '-'; the nearest are"},
        {"bird,,cat", "a name is empty; give labels of the model, separated by commas"},
        {"bird,", "a name is empty"},
        {"Bird", "no label 'Bird'; the nearest are bird"}}) {
    const auto picked = pick_labels(labels, names);
    ASSERT_FALSE(picked) << names;
    EXPECT_EQ(picked.error().code, Errc::kUsage);
    EXPECT_THAT(picked.error().message, HasSubstr(message));
  }
}

}  // namespace
}  // namespace posecam
