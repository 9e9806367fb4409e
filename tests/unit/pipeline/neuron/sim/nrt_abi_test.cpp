// The simulator as programs see it that know nothing of us: plain C, by dlopen and linked, and several at once.

#include <algorithm>
#include <sstream>
#include <string>
#include <utility>

#include <gmock/gmock.h>

#include "pipeline/neuron/machine/core_file.h"
#include "tests/unit/pipeline/neuron/sim/process.h"
#include "tests/unit/pipeline/neuron/sim/sim_support.h"

namespace posecam {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class NrtAbi : public ::testing::Test {
 protected:
  std::string neff(std::uint32_t batch) {
    const auto bytes = test::tiny_neff(test::tiny_program(batch));
    const auto path = environment_.folder() / "tiny.neff";
    test::write_file(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    return path.string();
  }
  test::Environment environment_;
};

TEST_F(NrtAbi, APlainC99ProgramRunsOverDlopen) {
  environment_.set("NEURON_SIM_CORES", "3");
  test::Process client({NRT_C_CLIENT, NRT_SIM_LIBRARY, neff(2)});
  EXPECT_EQ(client.rest(), "cores 3 wrong 0\n");
  EXPECT_EQ(client.wait(), 0);
}

TEST_F(NrtAbi, ALinkedC99ProgramBindsToTheSymbolVersion) {
  test::Process client({NRT_C_CLIENT_LINKED, "-", neff(1)});
  EXPECT_EQ(client.rest(), "cores 2 wrong 0\n");
  EXPECT_EQ(client.wait(), 0);
}

TEST_F(NrtAbi, TheLibraryShowsNothingButItsFunctions) {
  test::Process nm({"/bin/sh", "-c", "nm --dynamic --defined-only --format=posix \"$1\"", "sh", NRT_SIM_LIBRARY});
  std::istringstream lines(nm.rest());
  if (nm.wait() != 0) GTEST_SKIP() << "there is no nm here";
  int functions = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("NRT_2.0.0 A") || line.starts_with("NRT_3.0.0 A")) continue;  // the versions themselves
    const bool third = line.starts_with("nrta_") && line.find("@@NRT_3.0.0 T ") != std::string::npos;
    EXPECT_TRUE(third || (line.starts_with("nrt_") && line.find("@@NRT_2.0.0 T ") != std::string::npos)) << line;
    ++functions;
  }
  EXPECT_GT(functions, 30);
}

class NrtAbiVersions : public NrtAbi, public ::testing::WithParamInterface<const char*> {};

TEST_P(NrtAbiVersions, TheSameProgramRunsOnEveryGeneration) {
  environment_.set("NEURON_SIM_CONFIG", GetParam());
  test::Process client({NRT_C_CLIENT, NRT_SIM_LIBRARY, neff(4)});
  EXPECT_THAT(client.rest(), HasSubstr("wrong 0\n"));
  EXPECT_EQ(client.wait(), 0);
}

INSTANTIATE_TEST_SUITE_P(All, NrtAbiVersions,
                         ::testing::Values(R"({"instance": "inf1.xlarge"})",
                                           R"({"instance": "trn1.2xlarge", "runtime": "2.22"})",
                                           R"({"instance": "inf2.xlarge", "runtime": "2.29"})",
                                           R"({"instance": "inf2.xlarge", "runtime": "2.30"})",
                                           R"({"instance": "trn1.2xlarge", "runtime": "2.34"})"));

TEST_F(NrtAbi, ACoreBelongsToOneProcessUntilThatIsKilled) {
  environment_.set("NEURON_SIM_CORES", "4");
  environment_.set("NEURON_RT_VISIBLE_CORES", "1-2");
  test::Process holder({NRT_C_CLIENT, NRT_SIM_LIBRARY, "--hold"});
  ASSERT_EQ(holder.line(), "holding 2");

  environment_.set("NEURON_RT_VISIBLE_CORES", "2-3");
  test::Process refused({NRT_C_CLIENT, NRT_SIM_LIBRARY, "--hold"});
  const std::string complaint = refused.rest();
  EXPECT_THAT(complaint, HasSubstr("NeuronCore(s) not available - Requested:nc2-nc3 Available:1\n"));
  EXPECT_THAT(complaint, HasSubstr("nrt_init: 4\n"));
  EXPECT_EQ(refused.wait(), 1);

  environment_.set("NEURON_RT_VISIBLE_CORES", "3");
  test::Process beside({NRT_C_CLIENT, NRT_SIM_LIBRARY, "--hold"});
  EXPECT_EQ(beside.line(), "holding 1");

  holder.kill(SIGKILL);
  EXPECT_EQ(holder.wait(), -SIGKILL);
  environment_.set("NEURON_RT_VISIBLE_CORES", "1-2");
  test::Process heir({NRT_C_CLIENT, NRT_SIM_LIBRARY, "--hold"});
  EXPECT_EQ(heir.line(), "holding 2");
}

TEST_F(NrtAbi, SoManyCoresAreTheFirstFreeNeighbours) {
  environment_.set("NEURON_SIM_CORES", "4");
  environment_.set("NEURON_RT_VISIBLE_CORES", "1");
  test::Process holder({NRT_C_CLIENT, NRT_SIM_LIBRARY, "--hold"});
  ASSERT_EQ(holder.line(), "holding 1");
  environment_.set("NEURON_RT_VISIBLE_CORES", nullptr);
  environment_.set("NEURON_RT_NUM_CORES", "2");
  test::Process second({NRT_C_CLIENT, NRT_SIM_LIBRARY, "--hold"});
  ASSERT_EQ(second.line(), "holding 2");
  const auto cores = sim::read_core_pool(environment_.pool());
  ASSERT_EQ(cores.size(), 4U);
  EXPECT_EQ(cores[0].held, false);
  EXPECT_EQ(cores[1].pid, static_cast<std::uint64_t>(holder.pid()));
  EXPECT_EQ(cores[2].pid, static_cast<std::uint64_t>(second.pid()));
  EXPECT_EQ(cores[3].pid, static_cast<std::uint64_t>(second.pid()));
  EXPECT_TRUE(cores[3].held);
  EXPECT_EQ(cores[3].command, "nrt_abi_c_client ...");  // arguments may hold passwords
  EXPECT_EQ(second.wait(), 0);
  EXPECT_FALSE(sim::read_core_pool(environment_.pool())[3].held);
}

TEST_F(NrtAbi, OfTwoThatStartTogetherOneGetsAllCoresAndBothGetHalf) {
  environment_.set("NEURON_SIM_CORES", "64");
  for (const auto& [wanted, winners] : {std::pair{"64", 1}, {"32", 2}}) {
    environment_.set("NEURON_RT_NUM_CORES", wanted);
    for (int round = 0; round < 20; ++round) {
      test::Process one({NRT_C_CLIENT, NRT_SIM_LIBRARY, "--hold"});
      test::Process other({NRT_C_CLIENT, NRT_SIM_LIBRARY, "--hold"});
      const std::string holding = std::string("holding ") + wanted;
      const std::string lines[] = {one.line(), other.line()};
      ASSERT_EQ(std::ranges::count(lines, holding), winners) << lines[0] << '\n' << lines[1];
    }
  }
}

TEST_F(NrtAbi, AFullDiskIsALine) {
  const std::string disk = "mount -t tmpfs -o size=4k none \"$1\" && ";
  const std::string folder = environment_.folder().string();
  test::Process allowed({"/usr/bin/unshare", "-rm", "/bin/sh", "-c", disk + "echo yes", "sh", folder});
  if (allowed.line() != "yes") GTEST_SKIP() << "mounting is not allowed here";
  test::Process client({"/usr/bin/unshare", "-rm", "/bin/sh", "-c",
                        disk + "head -c 4096 /dev/zero >\"$1/filling\" && exec \"$2\" \"$3\" --hold", "sh", folder,
                        NRT_C_CLIENT, NRT_SIM_LIBRARY});
  EXPECT_THAT(client.rest(), AllOf(HasSubstr("core-0: No space left on device\n"), HasSubstr("nrt_init: 1\n")));
  EXPECT_EQ(client.wait(), 1);
}

TEST_F(NrtAbi, WatchingTheCoresTakesNone) {
  EXPECT_TRUE(sim::read_core_pool(environment_.pool()).empty());
  test::Process client({NRT_C_CLIENT, NRT_SIM_LIBRARY, neff(2)});
  EXPECT_EQ(client.wait(), 0);
  const auto cores = sim::read_core_pool(environment_.pool());
  ASSERT_EQ(cores.size(), 2U);
  for (const auto& core : cores) {
    EXPECT_FALSE(core.held);
    EXPECT_EQ(core.executions, 1U);
    EXPECT_EQ(core.bytes_in, 2 * 3 * test::kTinyPixels * sizeof(float));
    EXPECT_EQ(core.bytes_out, 2 * test::kTinyPixels * sizeof(float));
    EXPECT_GT(core.busy_ns, 0U);
    EXPECT_EQ(core.memory_used, 0U);
  }
}

}  // namespace
}  // namespace posecam
