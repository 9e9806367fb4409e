// posecam cost as a user meets it, with the prices that are beside the program.

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"
#include "tests/system/posecam_process.h"

namespace posecam::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kBench = source_dir() / "tests/data/bench.json";

class Cost : public ::testing::Test {
 protected:
  Outcome cost(std::vector<std::string> args) const {
    args.insert(args.begin(), "cost");
    return Posecam(dir_.path() / "data").run(args);
  }
  std::string file(const std::string& name, const std::string& content) const {
    write_file(dir_.path() / name, content);
    return dir_.path() / name;
  }
  void expect_refused(const std::vector<std::string>& args, int code, const std::string& message) const {
    const Outcome outcome = cost(args);
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
    EXPECT_THAT(outcome.err, StartsWith("posecam: "));
    EXPECT_THAT(outcome.err, HasSubstr(message));
    EXPECT_EQ(outcome.out, "") << message;
  }

  TempDir dir_;
};

TEST_F(Cost, PricesWhatWasTyped) {
  const Outcome said =
      cost({"--throughput", "inf1.xlarge=56.88", "--throughput", "g4dn.xlarge=60", "--latency", "m5.large=0.07"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("Cheapest: inf1.xlarge, 0.001113 USD for 1000 images\n"));
  EXPECT_THAT(said.out, HasSubstr("0.1867"));  // m5.large: 0.096 x 0.07 / 3600 x 100000
}

TEST_F(Cost, FindsTheCheapestInstancesForWhatWasMeasured) {
  const Outcome said =
      cost({kBench, "--model", "openpose", "--target-fps", "100", "--max-latency", "0.1", "--streams", "4",
            "--fps-per-stream", "25", "--throughput", "g4dn.xlarge=70", "--latency", "g4dn.xlarge=0.05", "--json"});
  EXPECT_EQ(said.code, 0) << said.err;
  const auto json = nlohmann::json::parse(said.out);
  const auto& table = json["tables"][0];
  EXPECT_EQ(table["model"], "openpose");
  EXPECT_EQ(table["cheapest"], "inf1.xlarge");
  EXPECT_EQ(table["rows"][0]["count"], 2);
  EXPECT_EQ(table["rows"][0]["simulated"], true);
}

TEST_F(Cost, TakesOneTypedFigureForTheInstancesThatAreNamed) {
  const Outcome said = cost({"--instance", "inf1.xlarge", "--instance", "inf1.2xlarge", "--throughput", "57.5",
                             "--reserved", "ri-effective", "--explain"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("us-east-1, ri-effective"));
  EXPECT_THAT(said.out, HasSubstr("inf1.2xlarge: 0.174 USD an hour"));
  EXPECT_THAT(said.out, HasSubstr("Left out, without a price 'ri-effective': 36 of 42 instances\n"));
}

TEST_F(Cost, SaysWhenNoInstanceWillDo) {
  const Outcome said = cost({kBench, "--max-latency", "0.001"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.out, HasSubstr("none does what was asked"));
  EXPECT_EQ(said.err, "posecam: no instance does what was asked\n");
}

TEST_F(Cost, RefusesBadUsageInOneLine) {
  expect_refused({}, 2, "posecam bench");
  expect_refused({kBench, "--model", "closedpose"}, 2, "closedpose");
  expect_refused({"--model", "openpose", "--throughput", "inf1.xlarge=5"}, 2, "--model");
  expect_refused({kBench, "--region", "eu\nnorth-9"}, 2, "us-east-1");
  expect_refused({kBench, "--instance", "inf9.xlarge"}, 2, "inf9.xlarge");
  expect_refused({kBench, "--column", "5"}, 2, "--column");
  for (const char* bad : {"0", "-1", "fast", "nan", "inf", "", "1e99", "5fps"}) {
    expect_refused({"--throughput", "inf1.xlarge=" + std::string(bad)}, 2, "not a number above 0");
    expect_refused({"--latency", "inf1.xlarge=" + std::string(bad)}, 2, "not a number above 0");
  }
  for (const char* option : {"--target-fps", "--max-latency", "--fps-per-stream"}) {
    for (const char* bad : {"0", "-1", "fast", "nan"}) expect_refused({kBench, option, bad}, 2, option);
  }
  expect_refused({kBench, "--streams", "0"}, 2, "--streams");
  expect_refused({"--throughput", "5"}, 2, "which instance");
  expect_refused({"--throughput", "inf1.xlarge=5", "--throughput", "inf1.xlarge=6"}, 2, "twice");
  expect_refused({"--throughput", "m5.large+eia2.medium=5"}, 2, "no price of the instance");
  expect_refused({kBench, "--reserved", "1.5"}, 2, "--reserved 1.5");
  expect_refused({kBench, "--spot", "0"}, 2, "--spot 0");
  expect_refused({kBench, "--spot", "lately"}, 2, "ri-effective");
  expect_refused({kBench, "--spot", "0.3", "--reserved", "0.6"}, 2, "--spot");
}

TEST_F(Cost, RefusesBadFilesInOneLine) {
  expect_refused({"none.json"}, 3, "none.json");
  expect_refused({file("a.json", "{}")}, 3, "a.json");
  expect_refused({file("b.json", "[1,")}, 3, "b.json");
  expect_refused({kBench, "--prices", "none.toml"}, 3, "none.toml");
  expect_refused({kBench, "--prices", file("a.toml", "[[list]\n")}, 3, "a.toml: line 1");
  expect_refused({kBench, "--prices", file("b.toml", "[[list]]\nrate = 5\n")}, 3, "list[0].rate");
}

}  // namespace
}  // namespace posecam::test
