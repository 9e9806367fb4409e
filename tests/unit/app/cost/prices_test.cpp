#include "app/cost/prices.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"

namespace posecam {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string refused(const std::string& toml) {
  const auto table = parse_prices(toml, "prices.toml");
  EXPECT_FALSE(table) << toml;
  if (table) return {};
  EXPECT_EQ(table.error().code, Errc::kModel);
  EXPECT_THAT(table.error().message, StartsWith("prices.toml: "));
  return table.error().message;
}

std::string list(const std::string& instances, const std::string& rate = "on-demand",
                 const std::string& date = "2026-07-20") {
  return "[[list]]\nrate = \"" + rate + "\"\nregion = \"r\"\ndate = " + date + "\nsource = \"s\"\ninstances = [" +
         instances + "]\n";
}

const std::string kInstance =
    R"({instance = "a", accelerator = "none", cores = 0, vcpu = 2, memory_gib = 4, usd_per_hour = 0.1})";

std::string with(const std::string& key, const std::string& value) {
  const auto at = kInstance.find(key + " = ");
  const auto end = kInstance.find_first_of(",}", at);
  return std::string(kInstance).replace(at, end - at, value.empty() ? "x = 1" : key + " = " + value);
}

TEST(Prices, OfTheProjectHaveADateAndASource) {
  const auto table = load_prices(test::source_dir() / "configs/prices.toml");
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(table->on_demand.size(), 42U);
  for (const InstancePrice& price : table->on_demand) {
    EXPECT_EQ(price.date.size(), 10U) << price.instance;
    EXPECT_FALSE(price.source.empty()) << price.instance;
  }
}

TEST(Prices, AreReadStrictly) {
  ASSERT_TRUE(parse_prices(list(kInstance), "prices.toml"));
  EXPECT_THAT(refused("[[list"), HasSubstr("line 1"));
  EXPECT_THAT(refused(""), HasSubstr("list: missing"));
  EXPECT_THAT(refused(list("")), HasSubstr("instances"));
  EXPECT_THAT(refused(list(with("usd_per_hour", ""))), HasSubstr("unknown key"));
  EXPECT_THAT(refused(list(R"({instance = "a", accelerator = "none", cores = 0, vcpu = 2, memory_gib = 4})")),
              HasSubstr("usd_per_hour: missing"));
  for (const char* bad : {"0", "-1", "nan", "inf", "\"0.1\"", "true", "[0.1]"}) {
    EXPECT_THAT(refused(list(with("usd_per_hour", bad))), HasSubstr("list[0].instances[0].usd_per_hour")) << bad;
  }
  EXPECT_THAT(refused(list(with("vcpu", "2.5"))), HasSubstr("vcpu"));
  EXPECT_THAT(refused(list(with("cores", "4"))), HasSubstr("accelerator"));
  EXPECT_THAT(refused(list(with("instance", "5"))), HasSubstr("instance"));
  EXPECT_THAT(refused(list(kInstance, "on-demand", "\"lately\"")), HasSubstr("date"));
  EXPECT_THAT(refused(list(kInstance + "," + kInstance)), HasSubstr("a has two prices"));
  EXPECT_THAT(refused(list(kInstance) + list(R"({instance = "b", usd_per_hour = 1})", "spot")),
              HasSubstr("none on demand"));
}

TEST(Prices, AreReadFromSmallFilesOnly) {
  const test::TempDir dir;
  test::write_file(dir.path() / "large.toml", std::string((1U << 20U) + 1, '#'));
  EXPECT_THAT(load_prices(dir.path() / "large.toml").error().message, HasSubstr("larger"));
  EXPECT_THAT(load_prices(dir.path() / "none.toml").error().message, HasSubstr("No such file"));
  EXPECT_THAT(load_prices(dir.path()).error().message, HasSubstr("Is a directory"));
}

}  // namespace
}  // namespace posecam
