// posecam bench as a user meets it, with a network of a kilobyte. What it measures is no business of a test; that it
// measures, and says so in every form, is.

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/neuron_sim.h"
#include "tests/support/shared.h"
#include "tests/system/posecam_process.h"

namespace posecam::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kTinyModel = source_dir() / "tests/data/tiny_pose.json";

class Bench : public ::testing::Test {
 protected:
  std::string at(const std::string& name) const { return device_.folder() / name; }
  std::string content(const std::string& name) const {
    std::ifstream file(at(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  Outcome bench(std::vector<std::string> args) const {
    args.insert(args.begin(), "bench");
    return Posecam(at("data")).run(args);
  }
  /// Short ones.
  Outcome quick(std::vector<std::string> args) const {
    args.insert(args.end(), {"--warm-up", "0", "--seconds", "0.1", "--repeat", "2", "-q"});
    return bench(args);
  }
  void expect_refused(const std::vector<std::string>& args, int code, const std::string& message) const {
    const Outcome outcome = quick(args);
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
    EXPECT_THAT(outcome.err, StartsWith("posecam: "));
    EXPECT_THAT(outcome.err, HasSubstr(message));
    EXPECT_EQ(outcome.out, "");
  }

  SimDevice device_{R"({"cores": 3, "mode": "timed", "time": {"fixed_ms": 2, "per_row_ms": 1}})"};
};

TEST_F(Bench, MeasuresEveryCombinationInEveryForm) {
  const Outcome ran = quick({"--model", kTinyModel, "--device", "opencv", "--batch", "1,2", "--cores", "1,2", "--json",
                             at("b.json"), "--csv", at("b.csv"), "--html", at("b.html"), "--plot", at("b.svg")});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("batch_size"));
  EXPECT_EQ(std::ranges::count(ran.out, '\n'), 5);
  const json report = json::parse(content("b.json"));
  ASSERT_EQ(report["results"].size(), 4U);
  for (const json& r : report["results"]) {
    EXPECT_EQ(r["throughputs"].size(), 2U);
    EXPECT_GT(r["throughput"], 0);
    EXPECT_GT(r["latency_ms"]["p99"], 0);
    EXPECT_GE(r["latency_ms"]["p99"], r["latency_ms"]["p50"]);
    EXPECT_GT(r["rss_mb"], 1);
    EXPECT_EQ(r["simulated"], false);
  }
  EXPECT_EQ(std::ranges::count(content("b.csv"), '\n'), 5);
  EXPECT_THAT(content("b.html"), HasSubstr("</html>"));
  EXPECT_THAT(content("b.svg"), StartsWith("<svg"));
}

/// A tenth of a second a frame on each of three cores: so long that what this machine has to do for a frame is lost in
/// the time of the one before, whatever else it does.
TEST_F(Bench, KeepsSimulatedCoresBusy) {
  constexpr double kMost = 30;  // frames a second
  const Outcome made = Posecam(at("data")).run({"compile", kTinyModel, "--target", "sim", "--out", at("net")});
  ASSERT_EQ(made.code, 0) << made.err;
  const Variable config("NEURON_SIM_CONFIG",
                        R"({"cores": 3, "mode": "timed", "time": {"fixed_ms": 90, "per_row_ms": 10}})");
  const Outcome ran = bench({"--model", at("net/neuron-sim.json"), "--device", "neuron-sim", "--warm-up", "0.2",
                             "--seconds", "1.2", "--repeat", "1", "-q", "--json", "-"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json result = json::parse(ran.out)["results"].at(0);
  EXPECT_EQ(result["cores"], 3);
  EXPECT_EQ(result["simulated"], true);
  EXPECT_LT(result["throughput"], 1.05 * kMost);
  EXPECT_GT(result["throughput"], 0.75 * kMost);
  EXPECT_GT(result["core_use"], 0.75);
}

TEST_F(Bench, MeasuresFromVideoToPeople) {
  const Outcome ran = quick({"--model", kTinyModel, "--device", "opencv", "--stages", "all", "--streams", "2",
                             "--frames", "20", "--json", "-"});
  EXPECT_EQ(ran.code, 2) << "--frames and --seconds exclude each other";
  const Outcome all = bench({"--model", kTinyModel, "--device", "opencv", "--stages", "all", "--streams", "2",
                             "--frames", "20", "--warm-up", "0", "--repeat", "1", "-q", "--json", "-"});
  ASSERT_EQ(all.code, 0) << all.err;
  const json result = json::parse(all.out)["results"].at(0);
  EXPECT_EQ(result["stages"], "all");
  EXPECT_GE(result["frames"], 20);
}

/// The clip has 250 frames.
TEST_F(Bench, StartsAClipAgainThatIsTooShort) {
  const Outcome ran = bench({"--model", kTinyModel, "--device", "opencv", "--stages", "all", "--input",
                             source_dir() / "media/figures.mp4", "--frames", "600", "--warm-up", "0", "--repeat", "1",
                             "-q", "--json", "-"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_GE(json::parse(ran.out)["results"].at(0)["frames"], 600);
  std::filesystem::create_directory(at("pictures"));
  std::filesystem::copy_file(source_dir() / "media/annotated.jpg", at("pictures/1.jpg"));
  const Outcome pictures = bench({"--model", kTinyModel, "--device", "opencv", "--stages", "all", "--input",
                                  at("pictures"), "--frames", "20", "--warm-up", "0", "--repeat", "1", "-q"});
  EXPECT_EQ(pictures.code, 0) << pictures.err;
}

/// The first six frames take 120 ms on the core, the others 3.
TEST_F(Bench, CountsNoLatencyOfTheWarmUp) {
  ASSERT_EQ(Posecam(at("data")).run({"compile", kTinyModel, "--target", "sim", "--out", at("net")}).code, 0);
  const Variable config("NEURON_SIM_CONFIG", R"({"cores": 1, "mode": "timed", "time": {"fixed_ms": 3, "per_row_ms": 0},
      "faults": [{"core": 0, "slow": 40, "count": 6}]})");
  const Outcome ran =
      bench({"--model", at("net/neuron-sim.json"), "--device", "neuron-sim", "--stages", "all", "--streams", "2",
             "--frames", "40", "--warm-up", "1.2", "--repeat", "1", "-q", "--json", "-"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json latency = json::parse(ran.out)["results"].at(0)["latency_ms"];
  EXPECT_GT(latency["p50"], 3);
  EXPECT_LT(latency["p99"], 200) << "two batches on the core and one that waits, at 120 ms each";
}

/// A frame waits for those before it in the slots of its core.
TEST_F(Bench, FillsAsManySlotsAsAskedForAlsoOnAllCores) {
  ASSERT_EQ(Posecam(at("data")).run({"compile", kTinyModel, "--target", "sim", "--out", at("net")}).code, 0);
  const Variable config("NEURON_SIM_CONFIG",
                        R"({"cores": 2, "mode": "timed", "time": {"fixed_ms": 20, "per_row_ms": 0}})");
  const Outcome ran =
      bench({"--model", at("net/neuron-sim.json"), "--device", "neuron-sim", "--stages", "all", "--slots", "2,8",
             "--frames", "40", "--warm-up", "0.3", "--repeat", "1", "-q", "--json", "-"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json results = json::parse(ran.out)["results"];
  EXPECT_EQ(results.at(0)["cores"], 2);
  EXPECT_EQ(results.at(1)["slots"], 8);
  EXPECT_GT(results.at(1)["latency_ms"]["p50"], 150);
}

TEST_F(Bench, RefusesBadUsageInOneLine) {
  expect_refused({"--model", "nobody"}, 3, "no model 'nobody'");
  expect_refused({"--model", kTinyModel, "--device", "abacus"}, 2, "abacus");
  expect_refused({"--model", kTinyModel, "--batch", "0"}, 2, "--batch");
  expect_refused({"--model", kTinyModel, "--batch", "one"}, 2, "--batch");
  expect_refused({"--model", kTinyModel, "--batch", ""}, 2, "--batch");
  expect_refused({"--model", kTinyModel, "--repeat", "0"}, 2, "--repeat");
  expect_refused({"--model", kTinyModel, "--json", "-", "--csv", "-"}, 2, "only one");
  expect_refused({"--model", kTinyModel, "--plot", at("b.gif")}, 2, ".png");
  expect_refused({"--model", kTinyModel, "--device", "opencv", "--stages", "all", "--input", at("none.mp4")}, 5,
                 "none.mp4");
}

TEST_F(Bench, MeasuresNothingThatItCouldNotWrite) {
  const auto refused = [&](const std::vector<std::string>& files, const std::string& message) {
    std::vector<std::string> args{"--model", kTinyModel, "--device", "opencv", "--seconds", "3000", "-q"};
    args.insert(args.end(), files.begin(), files.end());
    const Outcome outcome = bench(args);
    EXPECT_EQ(outcome.code, 5) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(message));
    EXPECT_EQ(outcome.out, "");
    EXPECT_FALSE(std::filesystem::exists(at("b.json.part")));
  };
  refused({"--json", at("b.json"), "--csv", at("none/b.csv")}, "none/b.csv");
  refused({"--json", at("b.json"), "--html", at("b.json")}, "a file of its own");
  refused({"--json", at("b.json"), "--plot", at("none/b.svg")}, "none/b.svg");
}

TEST_F(Bench, WritesEveryFileThatCanBeWritten) {
  const Outcome ran = quick({"--model", kTinyModel, "--device", "opencv", "--json", "/dev/full", "--csv", at("b.csv"),
                             "--html", "/dev/full", "--plot", at("b.svg")});
  EXPECT_EQ(ran.code, 5) << ran.err;
  EXPECT_EQ(std::ranges::count(ran.err, '\n'), 2) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("batch_size"));
  EXPECT_THAT(content("b.csv"), StartsWith("model,"));
  EXPECT_THAT(content("b.svg"), StartsWith("<svg"));
}

TEST_F(Bench, GoesOnBehindACaseThatFailsAndMarksIt) {
  const Outcome made = Posecam(at("data")).run({"compile", kTinyModel, "--target", "sim", "--out", at("net")});
  ASSERT_EQ(made.code, 0) << made.err;
  const Variable config("NEURON_SIM_CONFIG", R"({"cores": 2, "mode": "timed", "time": {"fixed_ms": 20, "per_row_ms": 0},
      "faults": [{"call": "nrt_execute", "core": 1, "from": 3, "status": 1}]})");
  const Outcome ran = quick({"--model", at("net/neuron-sim.json"), "--device", "neuron-sim", "--cores", "2,1", "--json",
                             at("b.json"), "--csv", at("b.csv"), "--html", at("b.html")});
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_EQ(std::ranges::count(ran.err, '\n'), 1) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("1 of 2 cases failed, the first with: "));
  EXPECT_THAT(ran.err, HasSubstr("NRT_FAILURE"));
  EXPECT_EQ(std::ranges::count(ran.out, '\n'), 4) << ran.out;  // the head, both cases, and the reason
  for (const std::string& text : {ran.out, content("b.html")}) {
    EXPECT_THAT(text, HasSubstr("FAILED: " + at("net/neuron-sim.json") + " neuron-sim"));
    EXPECT_THAT(text, HasSubstr("NRT_FAILURE"));
  }
  const json results = json::parse(content("b.json"))["results"];
  ASSERT_EQ(results.size(), 2U);
  EXPECT_THAT(results[0]["failure"], HasSubstr("NRT_FAILURE"));
  EXPECT_TRUE(results[0]["throughput"].is_null());
  EXPECT_FALSE(results[1].contains("failure"));
  EXPECT_EQ(results[1]["throughputs"].size(), 2U);
  EXPECT_THAT(content("b.csv"), HasSubstr("NRT_FAILURE"));
  const Outcome compared = bench({"compare", at("b.json"), at("b.json"), "--fail-below", "0.5"});
  EXPECT_EQ(compared.code, 0) << "nothing failed anew" << compared.err;
  EXPECT_THAT(compared.out, HasSubstr("FAILED: "));
}

/// And the price of a CPU says on which one it was measured.
TEST_F(Bench, NamesTheDeviceThatAutoCameToAndCostTheCpu) {
  const Outcome ran = quick({"--model", kTinyModel, "--json", at("b.json")});
  ASSERT_EQ(ran.code, 0) << ran.err;
  json report = json::parse(content("b.json"));
  EXPECT_THAT(report["results"][0]["device"], ::testing::AnyOf("openvino", "opencv"));
  report["machine"] = {{"cpu", "A CPU"}, {"cpus", 2}};
  std::ofstream(at("two.json")) << report.dump();
  const Outcome priced = Posecam(at("data")).run({"cost", at("two.json")});
  EXPECT_EQ(priced.code, 0) << priced.err;
  EXPECT_THAT(priced.out, HasSubstr("^ measured on 2 CPUs of A CPU"));
  report["results"][0]["device"] = "auto";
  std::ofstream(at("auto.json")) << report.dump();
  const Outcome refused = Posecam(at("data")).run({"cost", at("auto.json")});
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err, HasSubstr("device=auto"));
}

TEST_F(Bench, ShowsWhatItHasWhenInterrupted) {
  const Outcome made = Posecam(at("data")).run({"compile", kTinyModel, "--target", "sim", "--out", at("net")});
  ASSERT_EQ(made.code, 0) << made.err;
  const Outcome ran = Posecam(at("data"))
                          .run_until_told({"bench", "--model", at("net/neuron-sim.json"), "--device", "neuron-sim",
                                           "--slots", "1,2,3", "--warm-up", "0", "--seconds", "3000"},
                                          SIGINT);
  EXPECT_EQ(ran.code, 130) << ran.out;
  EXPECT_THAT(ran.out, HasSubstr("interrupted"));
}

/// A report of one case, of a batch size that tells it from others.
std::string report_of(double throughput, int batch = 1, const char* cpu = "c") {
  const json result{{"model", "m"},
                    {"network", "m"},
                    {"device", "d"},
                    {"stages", "net"},
                    {"simulated", false},
                    {"batch", batch},
                    {"cores", 2},
                    {"slots", 2},
                    {"request_batch", 1},
                    {"streams", 1},
                    {"net_resolution", "8x8"},
                    {"frames", 100},
                    {"elapsed_s", 1},
                    {"throughput", throughput},
                    {"throughputs", {throughput}},
                    {"latency_ms", {{"p50", 1}, {"p90", 1}, {"p99", 1}}},
                    {"core_use", 1},
                    {"cpu_use", 1},
                    {"rss_mb", 1},
                    {"mb_to_device_s", 1}};
  return json{{"version", 1},
              {"posecam", "0"},
              {"when", "now"},
              {"machine", {{"cpu", cpu}, {"cpus", 2}}},
              {"results", {result}}}
      .dump();
}

TEST_F(Bench, ComparesTwoReports) {
  std::ofstream(at("a.json")) << report_of(100);
  std::ofstream(at("b.json")) << report_of(80);
  const Outcome shown = bench({"compare", at("a.json"), at("b.json")});
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_EQ(shown.err, "");
  EXPECT_THAT(shown.out, HasSubstr("0.800"));
  EXPECT_THAT(shown.out, HasSubstr("SLOWER"));
  EXPECT_EQ(bench({"compare", at("a.json"), at("b.json"), "--fail-below", "0.9"}).code, 1);
  EXPECT_EQ(bench({"compare", at("a.json"), at("b.json"), "--fail-below", "0.7"}).code, 0);
  EXPECT_EQ(bench({"compare", at("a.json"), at("none.json")}).code, 3);
}

TEST_F(Bench, ComparesNoOtherCasesAndSaysWhenTheMachineIsAnother) {
  json two = json::parse(report_of(100));
  two["results"].push_back(json::parse(report_of(100, 4))["results"][0]);
  std::ofstream(at("two.json")) << two.dump();
  std::ofstream(at("one.json")) << report_of(100);
  std::ofstream(at("there.json")) << report_of(100, 1, "another");
  const Outcome missing = bench({"compare", at("two.json"), at("one.json")});
  EXPECT_EQ(missing.code, 0) << "nobody asked for a verdict";
  EXPECT_THAT(missing.out, HasSubstr("MISSING"));
  EXPECT_THAT(missing.err, HasSubstr("1 of 2 cases"));
  EXPECT_EQ(bench({"compare", at("two.json"), at("one.json"), "--fail-below", "0.5"}).code, 1);
  EXPECT_EQ(bench({"compare", at("one.json"), at("two.json"), "--fail-below", "0.5"}).code, 0);
  const Outcome there = bench({"compare", at("one.json"), at("there.json"), "--fail-below", "0.5"});
  EXPECT_EQ(there.code, 0);
  EXPECT_THAT(there.err, HasSubstr("another"));
}

}  // namespace
}  // namespace posecam::test
