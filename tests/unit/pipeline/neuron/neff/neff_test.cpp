// The NEFF container, and the simulator's own description inside: what is written is read back, and whatever is damaged
// or foreign is an error of one line.

#include "pipeline/neuron/neff/neff.h"

#include <cstring>
#include <string>

#include <gmock/gmock.h>

#include "pipeline/neuron/neff/neff_archive.h"
#include "pipeline/neuron/neff/sim_program.h"
#include "tests/unit/pipeline/neuron/sim/process.h"
#include "tests/unit/pipeline/neuron/sim/sim_support.h"

namespace posecam {
namespace {

using test::bytes_of;
using test::tiny_neff;
using test::tiny_program;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<NeffMember> two_members() { return {{"sg00/def.json", bytes_of("{}")}, {"empty", {}}}; }

std::vector<std::byte> small_neff() {
  NeffHeader header;
  header.name = "small";
  header.num_tpb = 3;
  auto file = write_neff(header, two_members());
  EXPECT_TRUE(file);
  return *file;
}

/// Replaces the payload, with a hash and a size that fit it.
std::vector<std::byte> with_payload(const std::vector<std::byte>& payload) {
  std::vector<std::byte> file = small_neff();
  file.resize(kNeffHeaderBytes);
  const std::uint64_t md5_package = 2;  // whose hash is not checked
  const std::uint64_t size = payload.size();
  std::memcpy(file.data(), &md5_package, sizeof md5_package);
  std::memcpy(file.data() + 16, &size, sizeof size);
  file.insert(file.end(), payload.begin(), payload.end());
  return file;
}

std::string refusal(const std::vector<std::byte>& file) {
  const auto neff = read_neff(file);
  EXPECT_FALSE(neff);
  if (neff) return {};
  EXPECT_EQ(neff.error().code, Errc::kModel);
  EXPECT_THAT(neff.error().message, Not(HasSubstr("\n")));
  return neff.error().message;
}

TEST(Neff, ReadsWhatItWrote) {
  const auto neff = read_neff(small_neff());
  ASSERT_TRUE(neff) << neff.error().message;
  EXPECT_EQ(neff->header.name, "small");
  EXPECT_EQ(neff->header.num_tpb, 3U);
  EXPECT_EQ(neff->header.data_size, small_neff().size() - kNeffHeaderBytes);
  EXPECT_TRUE(neff->header.supported());
  ASSERT_EQ(neff->members.size(), 2U);
  ASSERT_NE(neff->find("sg00/def.json"), nullptr);
  EXPECT_EQ(neff->find("sg00/def.json")->data, bytes_of("{}"));
  EXPECT_EQ(neff->find("other"), nullptr);
}

TEST(Neff, PutsFieldsWhereTheFormatHasThem) {
  const auto file = small_neff();
  std::uint64_t header_size = 0;
  std::uint32_t cores = 0;
  std::memcpy(&header_size, file.data() + 8, sizeof header_size);
  std::memcpy(&cores, file.data() + 168, sizeof cores);
  EXPECT_EQ(header_size, 1024U);
  EXPECT_EQ(cores, 3U);
  EXPECT_STREQ(reinterpret_cast<const char*>(file.data() + 220), "small");
  EXPECT_EQ(file[1024], std::byte{0x1F});  // gzip
  EXPECT_EQ(file[1025], std::byte{0x8B});
}

TEST(Neff, CountsCoresAsTheProcessDoes) {
  NeffHeader header;
  header.num_tpb = 4;
  EXPECT_EQ(cores_of(header, "inf1"), 4U);
  EXPECT_EQ(cores_of(header, "sim"), 4U);
  EXPECT_EQ(cores_of(header, "inf2"), 1U) << "what it counts ties to one logical core";
  EXPECT_EQ(cores_of(header, "trn2"), 1U);
  header.num_tpb = 0;
  EXPECT_EQ(cores_of(header, "inf1"), 1U);
}

TEST(Neff, EqualMembersGiveEqualBytes) { EXPECT_EQ(small_neff(), small_neff()); }

TEST(Neff, OtherToolsUnpackThePayload) {
  const test::TempDir folder;
  const auto file = small_neff();
  test::write_file(folder.path() / "payload.tgz",
                   {reinterpret_cast<const char*>(file.data() + kNeffHeaderBytes), file.size() - kNeffHeaderBytes});
  test::Process tar({"/bin/tar", "tzf", (folder.path() / "payload.tgz").string()});
  EXPECT_EQ(tar.rest(), "sg00/def.json\nempty\n");
  EXPECT_EQ(tar.wait(), 0);
}

TEST(Neff, RefusesEveryTruncation) {
  const auto file = small_neff();
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_FALSE(read_neff(std::span(file).first(size))) << size;
  }
}

TEST(Neff, NoticesEveryChangedByteOfThePayload) {
  const auto file = small_neff();
  for (std::size_t at = kNeffHeaderBytes; at < file.size(); ++at) {
    auto damaged = file;
    damaged[at] ^= std::byte{0x10};
    EXPECT_THAT(refusal(damaged), HasSubstr("SHA-256")) << at;
  }
}

TEST(Neff, SaysWhatIsWrongWithAHeader) {
  auto file = small_neff();
  file[9] = std::byte{9};
  EXPECT_THAT(refusal(file), HasSubstr("the header says it has"));
  file = small_neff();
  file[0] = std::byte{7};
  EXPECT_THAT(refusal(file), HasSubstr("package version 7"));
  file = small_neff();
  file.push_back(std::byte{});
  EXPECT_THAT(refusal(file), HasSubstr("announces"));
  EXPECT_THAT(refusal(bytes_of("PK")), HasSubstr("less than the header"));
}

TEST(Neff, TellsWhatIsTooNew) {
  NeffHeader header;
  EXPECT_TRUE(header.supported());
  header.feature_bits = 0x100;
  EXPECT_FALSE(header.supported());
  header.feature_bits = 0x80000000000000FFU;
  EXPECT_TRUE(header.supported());
  header.version_major = 3;
  EXPECT_FALSE(header.supported());
}

TEST(Neff, RefusesPayloadsThatAreNoTar) {
  EXPECT_THAT(refusal(with_payload(bytes_of(std::string(4096, 'x')))), HasSubstr("NEFF payload"));
}

TEST(Neff, RefusesPayloadsThatGrowOutOfProportion) {
  const auto bomb = write_neff_archive({{NeffMember{"zeros", std::vector<std::byte>(100U << 20U)}}});
  ASSERT_TRUE(bomb);
  ASSERT_LT(bomb->size(), (100U << 20U) / 200);
  EXPECT_THAT(refusal(with_payload(*bomb)), HasSubstr("unpacks to more"));
}

TEST(Neff, TakesNoMemoryForMembersThatNobodyNeeds) {
  SimProgram program = tiny_program(4, 2);
  const auto text = write_sim_program(program);
  ASSERT_TRUE(text);
  const NeffMember members[] = {{"unused", std::vector<std::byte>(60U << 20U)},
                                {std::string(kSimProgramMember), bytes_of(*text)},
                                {program.network, test::tiny_onnx()}};
  const auto file = write_neff({}, members);
  ASSERT_TRUE(file);
  const auto some = read_neff(*file, {kSimProgramMember});
  ASSERT_TRUE(some) << some.error().message;
  ASSERT_EQ(some->members.size(), 1U);
  EXPECT_EQ(some->members.front().name, kSimProgramMember);
  const auto neff = read_sim_neff(*file);
  ASSERT_TRUE(neff) << neff.error().message;
  EXPECT_EQ(neff->graph, test::tiny_onnx());
  EXPECT_THAT(read_neff_member(*file, "other").error().message, HasSubstr("no member 'other'"));
}

TEST(Neff, RefusesUnneededMembersThatGrowOutOfProportion) {
  const auto bomb = write_neff_archive({{NeffMember{"zeros", std::vector<std::byte>(100U << 20U)}}});
  ASSERT_TRUE(bomb);
  const auto file = with_payload(*bomb);
  const auto neff = read_neff(file, {kSimProgramMember});
  ASSERT_FALSE(neff);
  EXPECT_THAT(neff.error().message, HasSubstr("unpacks to more"));
}

TEST(Neff, RefusesNamesThatLeaveTheArchive) {
  for (const char* name : {"../x", "/x", "a/../b", "", "a//b", "a b", "a/"}) {
    EXPECT_FALSE(write_neff_archive({{NeffMember{name, {}}}})) << name;
  }
  EXPECT_FALSE(write_neff_archive({{NeffMember{"x", {}}, NeffMember{"x", {}}}}));
}

TEST(Neff, RefusesHeaderTextsThatDoNotFit) {
  NeffHeader header;
  header.name = std::string(256, 'n');
  EXPECT_FALSE(write_neff(header, two_members()));
}

TEST(Neff, ReadsHeaderTextsAsPrintableCharacters) {
  NeffHeader header;
  header.name = "two\n\x1b[31mlines \x9b";
  header.build_version = "\t1\x7f";
  const auto file = write_neff(header, two_members());
  ASSERT_TRUE(file);
  const auto neff = read_neff(*file);
  ASSERT_TRUE(neff) << neff.error().message;
  EXPECT_EQ(neff->header.name, "two??[31mlines ?");
  EXPECT_EQ(neff->header.build_version, "?1?");
}

TEST(SimProgram, ReadsWhatItWrote) {
  SimProgram program = tiny_program(4, 2);
  program.inputs[0].dtype = DType::kBf16;
  program.outputs[0].dtype = DType::kU8;
  program.time = DeviceTime{.by_batch = {{1, 2.5}, {4, 7.25}}};
  const auto text = write_sim_program(program);
  ASSERT_TRUE(text) << text.error().message;
  const auto read = read_sim_program(*text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, program);
  const auto neff = read_sim_neff(tiny_neff(program));
  ASSERT_TRUE(neff) << neff.error().message;
  EXPECT_EQ(neff->program, program);
  EXPECT_EQ(neff->graph, test::tiny_onnx());
  EXPECT_EQ(neff->header.num_tpb, 2U);
}

TEST(SimProgram, SaysWhereADescriptionIsWrong) {
  const auto complaint = [](const SimProgram& program) {
    const auto text = write_sim_program(program);
    EXPECT_FALSE(text);
    return text ? std::string() : text.error().message;
  };
  SimProgram program = tiny_program(2);
  program.outputs[0].shape[0] = 1;
  EXPECT_THAT(complaint(program), HasSubstr("sim.json: outputs[0].shape: expected batch 2 first"));
  program = tiny_program();
  program.outputs[0].name = "image";
  EXPECT_THAT(complaint(program), HasSubstr("two tensors have the name 'image'"));
  program = tiny_program();
  program.inputs[0].dtype = DType::kI32;
  EXPECT_THAT(complaint(program), HasSubstr("inputs[0].dtype"));
  program = tiny_program();
  program.cores = 0;
  EXPECT_THAT(complaint(program), HasSubstr("cores"));
  EXPECT_THAT(read_sim_program("{\"version\":1,\"extra\":1}").error().message, HasSubstr("extra: unknown key"));
}

TEST(SimProgram, KnowsFilesThatWereCompiledForHardware) {
  const auto neff = read_sim_neff(small_neff());
  ASSERT_FALSE(neff);
  EXPECT_THAT(neff.error().message, AllOf(HasSubstr("no sim.json"), HasSubstr("--target sim")));
}

TEST(DeviceTime, PresetsGiveThePublishedFigures) {
  const auto read = [](const char* preset) {
    const std::string text =
        R"({"version":1,"network":"n","batch":1,"cores":1,"inputs":[{"name":"a","dtype":"float32",)"
        R"("shape":[1]}],"outputs":[{"name":"b","dtype":"float32","shape":[1]}],"time":{"preset":")" +
        std::string(preset) + "\"}}";
    const auto program = read_sim_program(text);
    EXPECT_TRUE(program) << program.error().message;
    return *program->time;
  };
  EXPECT_DOUBLE_EQ(read("openpose").ms(1), 58.42);
  EXPECT_DOUBLE_EQ(read("openpose").ms(4), 4 * 58.42);
  const DeviceTime resnet = read("resnet50");
  for (const auto& [batch, rate] : {std::pair{1, 753.0}, {2, 1177.0}, {4, 1388.0}, {8, 1141.0}, {16, 1254.0}}) {
    EXPECT_NEAR(4 * batch * 1000 / resnet.ms(static_cast<std::uint32_t>(batch)), rate, 1e-6);
  }
  EXPECT_GT(resnet.ms(3), resnet.ms(2));
  EXPECT_LT(resnet.ms(3), resnet.ms(4));
  const DeviceTime coordinates = read("coordinates");
  EXPECT_NEAR(4 * 1000 / coordinates.ms(1), 281, 1e-6);
  EXPECT_NEAR(4 * 16 * 1000 / coordinates.ms(16), 414, 1e-6);
}

}  // namespace
}  // namespace posecam
