#include "app/session/apart/input_fields.h"

#include <string>

#include <gtest/gtest.h>

namespace posecam::test {
namespace {

TEST(InputFields, ComeBackAsTheyWere) {
  for (const InputKind kind : {InputKind::kVideoFile, InputKind::kCamera, InputKind::kAddress, InputKind::kPipe}) {
    const Input input{.kind = kind, .given = "a \n\xFF.mp4", .name = "a", .uri = "file:///a%20.mp4"};
    const auto read = from_fields(to_fields(input));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->kind, input.kind);
    EXPECT_EQ(read->given, input.given);
    EXPECT_EQ(read->name, input.name);
    EXPECT_EQ(read->uri, input.uri);
  }
}

TEST(InputFields, AreNotReadFromAnythingElse) {
  const std::string good = to_fields({.kind = InputKind::kPipe, .given = "-", .name = "stdin"});
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(from_fields(good.substr(0, size))) << size;
  EXPECT_FALSE(from_fields(good + "x"));
  EXPECT_FALSE(from_fields("9" + good.substr(1)));
  EXPECT_FALSE(from_fields("x" + good.substr(1)));
}

}  // namespace
}  // namespace posecam::test
