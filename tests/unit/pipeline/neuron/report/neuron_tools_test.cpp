// neuron-ls and neuron-monitor: what they write, and programs that take their place.

#include "pipeline/neuron/report/neuron_tools.h"

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>

#include "pipeline/neuron/report/tool_process.h"
#include "tests/support/temp_dir.h"

namespace posecam {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The shapes of AWS's guide and of public captures.
constexpr const char* kNewDevices = R"([
 {"neuron_device":0,"bdf":"0000:00:1e.0","cpu_affinity":"0-7","numa_node":"-1","connected_to":null,"nc_count":2,
  "memory_size":34359738368,"neuroncore_ids":[0,1],
  "neuron_processes":[{"pid":113985,"command":"myapp ...","neuron_runtime_version":"2.0.0"}]},
 {"neuron_device":1,"nc_count":2,"memory_size":34359738368,"neuroncore_ids":[2,3],"neuron_processes":[]}])";
constexpr const char* kOldDevices =
    R"([{"neuron_device":0,"bdf":"00:1e.0","connected_to":null,"nc_count":4,"memory_size":8589934592,"neuron_processes":[]},
        {"neuron_device":1,"nc_count":4,"memory_size":8589934592,"neuron_processes":[]}])";
constexpr const char* kMonitor = R"({"neuron_runtime_data":[{"pid":1234,"report":{"neuroncore_counters":
  {"period":1.0,"neuroncores_in_use":{"0":{"neuroncore_utilization":42.01},"7":{"neuroncore_utilization":3}},"error":""}}}]})";

TEST(NeuronLs, ReadsDevicesOfNewAndOldTools) {
  const auto devices = parse_neuron_ls(kNewDevices);
  ASSERT_TRUE(devices);
  ASSERT_EQ(devices->size(), 2U);
  EXPECT_EQ((*devices)[0].memory_bytes, 34359738368U);
  EXPECT_THAT((*devices)[1].core_ids, ElementsAre(2, 3));
  EXPECT_EQ((*devices)[0].processes.at(0).pid, 113985);
  const auto old = parse_neuron_ls(kOldDevices);
  ASSERT_TRUE(old);
  EXPECT_THAT((*old)[1].core_ids, ElementsAre(4, 5, 6, 7));
}

TEST(NeuronLs, RefusesWhatIsNoList) {
  for (const char* text : {"", "{}", "[", "nonsense", "42"}) EXPECT_FALSE(parse_neuron_ls(text)) << text;
  EXPECT_TRUE(parse_neuron_ls(R"([7, {"neuron_device": "x", "neuron_processes": [3]}])"));  // odd, but harmless
}

TEST(NeuronLs, NamesWhoHoldsTheCores) {
  const auto devices = *parse_neuron_ls(kNewDevices);
  EXPECT_EQ(holders_of(devices, {1}), "process 113985 (myapp ...)");
  EXPECT_EQ(holders_of(devices, {}), "process 113985 (myapp ...)");
  EXPECT_EQ(holders_of(devices, {2, 3}), "");
}

TEST(NeuronMonitor, ReadsTheUseOfEachCore) {
  const auto uses = parse_neuron_monitor(kMonitor);
  ASSERT_TRUE(uses);
  ASSERT_EQ(uses->size(), 2U);
  EXPECT_EQ((*uses)[0].pid, 1234);
  EXPECT_DOUBLE_EQ((*uses)[0].percent, 42.01);
  EXPECT_EQ((*uses)[1].core, 7U);
  EXPECT_THAT(*parse_neuron_monitor(R"({"neuron_runtime_data":[]})"), IsEmpty());
  EXPECT_FALSE(parse_neuron_monitor("[]"));
}

/// A folder in front of PATH with programs of the test.
class Tools : public ::testing::Test {
 protected:
  Tools() { ::setenv("PATH", (dir_.path().string() + ":/usr/bin:/bin").c_str(), 1); }
  void install(const std::string& name, const std::string& script) const {
    test::write_file(dir_.path() / name, "#!/bin/sh\n" + script);
    std::filesystem::permissions(dir_.path() / name, std::filesystem::perms::owner_all);
  }
  test::TempDir dir_;
};

TEST_F(Tools, RunsNeuronLs) {
  install("neuron-ls", std::string("[ \"$1\" = --json-output ] || exit 2\ncat <<'END'\n") + kNewDevices + "\nEND\n");
  const auto devices = neuron_ls();
  ASSERT_TRUE(devices) << devices.error().message;
  EXPECT_EQ(devices->size(), 2U);
}

TEST_F(Tools, TakesAFailureOfNeuronLsForNoDevices) {
  install("neuron-ls", "exit 1\n");
  EXPECT_EQ(neuron_ls().error().code, Errc::kDevice);
}

TEST_F(Tools, TakesOneLineOfAMonitorThatNeverEnds) {
  std::string line = kMonitor;
  std::erase(line, '\n');
  install("neuron-monitor", "grep -q 1s \"$2\" || exit 1\nwhile :; do echo '" + line + "'; sleep 1; done\n");
  const auto uses = neuron_monitor();
  ASSERT_TRUE(uses) << uses.error().message;
  EXPECT_EQ(uses->size(), 2U);
}

TEST_F(Tools, EndsAToolThatDoesNotAnswer) {
  install("mute", "exec sleep 1000\n");
  const auto text = read_tool({"mute"}, 50ms, Until::kExit);
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().message, HasSubstr("mute: did not answer in time"));
}

TEST_F(Tools, EndsAToolThatStaysAfterItsLastWord) {
  install("lingerer", "echo all\nexec sleep 1000 >&-\n");
  const auto text = read_tool({"lingerer"}, 200ms, Until::kExit);
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().message, HasSubstr("lingerer: did not answer in time"));
}

TEST_F(Tools, SaysThatAToolIsNotInstalled) { EXPECT_FALSE(read_tool({"no-such-tool-anywhere"}, 1s, Until::kExit)); }

}  // namespace
}  // namespace posecam
