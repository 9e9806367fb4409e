// The simulator through its C interface: states, handles, loading, tensors, and the quirks of each runtime version.

#include <cstring>
#include <string>

#include <gmock/gmock.h>

#include "pipeline/neuron/machine/core_file.h"
#include "pipeline/neuron/neff/neff.h"
#include "tests/unit/pipeline/neuron/sim/sim_model.h"

namespace posecam {
namespace {

using test::NrtTest;
using test::SimModel;
using test::tiny_neff;
using test::tiny_program;
using ::testing::HasSubstr;

class NrtState : public NrtTest {};

/// What the library says before, between and after, in a process of its own.
int walk_states() {
  std::uint32_t count = 0;
  nrt_tensor_set_t* set = nullptr;
  nrt_version_t version{};
  const bool before = nrt_allocate_tensor_set(&set) == NRT_UNINITIALIZED &&
                      nrt_get_total_nc_count(&count) == NRT_SUCCESS && count == 2 &&
                      nrt_get_version(&version, sizeof version) == NRT_SUCCESS && version.rt_major == 2;
  if (!before) return 1;
  nrt_close();
  if (nrt_allocate_tensor_set(&set) != NRT_UNINITIALIZED) return 2;
  if (nrt_init(NRT_FRAMEWORK_TYPE_NO_FW, "", "") != NRT_SUCCESS) return 3;
  if (nrt_init(NRT_FRAMEWORK_TYPE_NO_FW, "", "") != NRT_INVALID) return 4;
  if (nrt_allocate_tensor_set(&set) != NRT_SUCCESS) return 5;
  nrt_tensor_set_t* old = set;
  nrt_close();
  if (nrt_allocate_tensor_set(&set) != NRT_CLOSED) return 6;
  if (nrt_init(NRT_FRAMEWORK_TYPE_NO_FW, "", "") != NRT_SUCCESS) return 7;
  nrt_tensor_t* tensor = nullptr;
  if (nrt_get_tensor_from_tensor_set(old, "x", &tensor) != NRT_INVALID_HANDLE) return 8;
  nrt_close();
  return 0;
}

TEST_F(NrtState, CallsOutsideOfInitAndCloseAreRefused) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(std::exit(walk_states()), ::testing::ExitedWithCode(0), "Unexpected runtime state: NRT_STATE_START");
}

TEST_F(NrtState, AConfigurationWithAMistakeRefusesInit) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(init(R"({"corse": 4})"), NRT_INVALID);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("corse: unknown key"));
  environment_.set("NEURON_RT_LOG_LEVEL", "QUIET");
  environment_.set("NEURON_RT_VISIBLE_CORES", "0,2");
  EXPECT_EQ(init(R"({"cores": 4})"), NRT_INVALID);
  environment_.set("NEURON_RT_VISIBLE_CORES", "2-4");
  EXPECT_EQ(init(R"({"cores": 4})"), NRT_INVALID);
  environment_.set("NEURON_RT_VISIBLE_CORES", "2-3");
  ASSERT_EQ(init(R"({"cores": 4})"), NRT_SUCCESS);
  std::uint32_t count = 0;
  EXPECT_EQ(nrt_get_visible_nc_count(&count), NRT_SUCCESS);
  EXPECT_EQ(count, 2U);
  EXPECT_EQ(nrt_get_total_vnc_count(&count), NRT_SUCCESS);
  EXPECT_EQ(count, 4U);
}

TEST_F(NrtState, TellsATotalThatMayDifferFromTheCoresThereAre) {
  environment_.set("NEURON_RT_VISIBLE_CORES", "51,52");
  ASSERT_EQ(init(R"({"cores": 64, "total": 4})"), NRT_SUCCESS) << "a container with two devices";
  std::uint32_t count = 0;
  EXPECT_EQ(nrt_get_total_nc_count(&count), NRT_SUCCESS);
  EXPECT_EQ(count, 4U);
  EXPECT_EQ(nrt_get_visible_nc_count(&count), NRT_SUCCESS);
  EXPECT_EQ(count, 2U);
}

class NrtSim : public NrtTest {};

TEST_F(NrtSim, AnAddressOfDeviceMemoryIsThatOfTheTensorsContent) {
  ASSERT_EQ(init(), NRT_SUCCESS);
  nrt_tensor_t* whole = nullptr;
  nrt_tensor_t* slice = nullptr;
  ASSERT_EQ(nrt_tensor_allocate(NRT_TENSOR_PLACEMENT_DEVICE, 0, 16, nullptr, &whole), NRT_SUCCESS);
  ASSERT_EQ(nrt_tensor_allocate_slice(whole, 4, 8, nullptr, &slice), NRT_SUCCESS);
  auto* const address = static_cast<char*>(nrt_tensor_get_va(whole));
  ASSERT_NE(address, nullptr);
  EXPECT_EQ(nrt_tensor_get_va(slice), address + 4);
  ASSERT_EQ(nrt_tensor_write(whole, "0123456789abcdef", 0, 16), NRT_SUCCESS);
  EXPECT_EQ(std::string(address, 16), "0123456789abcdef");
  address[5] = 'x';
  char read[8] = {};
  ASSERT_EQ(nrt_tensor_read(slice, read, 0, 8), NRT_SUCCESS);
  EXPECT_EQ(std::string(read, 8), "4x6789ab");
  nrt_tensor_free(&slice);
  nrt_tensor_free(&whole);
}

TEST_F(NrtSim, HandlesThatDiedOrNeverLivedAreRecognised) {
  environment_.set("NEURON_RT_LOG_LEVEL", "QUIET");
  ASSERT_EQ(init(), NRT_SUCCESS);
  nrt_tensor_t* tensor = nullptr;
  ASSERT_EQ(nrt_tensor_allocate(NRT_TENSOR_PLACEMENT_DEVICE, 0, 16, nullptr, &tensor), NRT_SUCCESS);
  nrt_tensor_t* dead = tensor;
  nrt_tensor_free(&tensor);
  EXPECT_EQ(tensor, nullptr);
  char buffer[16] = {};
  EXPECT_EQ(nrt_tensor_read(dead, buffer, 0, 16), NRT_INVALID_HANDLE);
  EXPECT_EQ(nrt_tensor_write(reinterpret_cast<nrt_tensor_t*>(buffer), buffer, 0, 16), NRT_INVALID_HANDLE);
  EXPECT_EQ(nrt_tensor_get_size(dead), 0U);
  EXPECT_EQ(nrt_tensor_get_va(dead), nullptr);
  EXPECT_EQ(nrt_unload(nullptr), NRT_INVALID_HANDLE);
  EXPECT_EQ(nrt_execute(nullptr, nullptr, nullptr), NRT_INVALID_HANDLE);
  nrt_tensor_free(&dead);
  auto model = std::make_unique<SimModel>(tiny_program(), 0);
  nrt_model_t* unloaded = model->model;
  EXPECT_EQ(nrt_add_tensor_to_tensor_set(model->inputs, "x", tensor), NRT_INVALID_HANDLE);
  model.reset();
  EXPECT_EQ(nrt_unload(unloaded), NRT_INVALID_HANDLE);
}

NRT_STATUS load_status(const std::vector<std::byte>& file, int core = 0, int count = -1) {
  nrt_model_t* model = nullptr;
  const NRT_STATUS status = nrt_load(file.data(), file.size(), core, count, &model);
  if (status == NRT_SUCCESS) nrt_unload(model);
  return status;
}

TEST_F(NrtSim, LoadTellsDamagedForeignAndTooNewFilesApart) {
  environment_.set("NEURON_RT_LOG_LEVEL", "QUIET");
  ASSERT_EQ(init(), NRT_SUCCESS);
  const auto good = tiny_neff(tiny_program());
  EXPECT_EQ(load_status(good), NRT_SUCCESS);
  EXPECT_EQ(load_status(test::tiny_onnx()), NRT_INVALID);
  EXPECT_EQ(load_status({}), NRT_INVALID);
  auto file = good;
  file.back() ^= std::byte{1};
  EXPECT_EQ(load_status(file), NRT_INVALID);
  file = good;
  file[24] = std::byte{3};  // major version
  EXPECT_EQ(load_status(file), NRT_UNSUPPORTED_NEFF_VERSION);
  file = good;
  file[545] = std::byte{1};  // feature bit 0x100
  EXPECT_EQ(load_status(file), NRT_UNSUPPORTED_NEFF_VERSION);
  const NeffMember foreign{"sg00/def.json", test::bytes_of("{}")};
  EXPECT_EQ(load_status(*write_neff({}, {&foreign, 1})), NRT_INVALID);
}

TEST_F(NrtSim, LoadChecksTheNetworkAgainstItsDescription) {
  environment_.set("NEURON_RT_LOG_LEVEL", "QUIET");
  ASSERT_EQ(init(), NRT_SUCCESS);
  auto program = tiny_program();
  program.outputs[0].shape = {1, 1, 16, 12};
  EXPECT_EQ(load_status(tiny_neff(program)), NRT_INVALID);
  program = tiny_program();
  program.outputs[0].name = "total";
  EXPECT_EQ(load_status(tiny_neff(program)), NRT_INVALID);
  EXPECT_EQ(load_status(*write_sim_neff(tiny_program(), {test::bytes_of("no network")}, "x")), NRT_INVALID);
}

TEST_F(NrtSim, ModelsOfSeveralCoresTakeNeighbours) {
  environment_.set("NEURON_RT_LOG_LEVEL", "QUIET");
  ASSERT_EQ(init(R"({"cores": 5})"), NRT_SUCCESS);
  const auto neff = tiny_neff(tiny_program(1, 2));
  EXPECT_EQ(load_status(neff, 3), NRT_SUCCESS);
  EXPECT_EQ(load_status(neff, 4), NRT_LOAD_NOT_ENOUGH_NC);
  EXPECT_EQ(load_status(neff, 5), NRT_LOAD_NOT_ENOUGH_NC);
  EXPECT_EQ(load_status(neff, -2), NRT_INVALID);
  EXPECT_EQ(load_status(neff, 0, 1), NRT_INVALID);
  nrt_model_t* models[3] = {};
  std::uint32_t value = 0;
  nrt_model_info_t info{};
  for (const int i : {0, 1}) {
    ASSERT_EQ(nrt_load(neff.data(), neff.size(), -1, -1, &models[i]), NRT_SUCCESS);
    EXPECT_EQ(nrt_get_model_nc_count(models[i], &value), NRT_SUCCESS);
    EXPECT_EQ(value, 2U);
    EXPECT_EQ(nrt_get_model_info(models[i], &info, sizeof info, nullptr), NRT_SUCCESS);
    EXPECT_EQ(info.vnc, 2U * static_cast<unsigned>(i));
  }
  ASSERT_EQ(nrt_load(neff.data(), neff.size(), 0, 4, &models[2]), NRT_SUCCESS);
  EXPECT_EQ(nrt_get_model_instance_count(models[2], &value), NRT_SUCCESS);
  EXPECT_EQ(value, 2U);
  for (nrt_model_t* model : models) EXPECT_EQ(nrt_unload(model), NRT_SUCCESS);
}

TEST_F(NrtSim, ExecutionWantsEveryTensorInItsSizeAndPlace) {
  environment_.set("NEURON_RT_LOG_LEVEL", "QUIET");
  ASSERT_EQ(init(), NRT_SUCCESS);
  SimModel model(tiny_program(), 0);
  ASSERT_EQ(model.load_status, NRT_SUCCESS);
  EXPECT_EQ(model.execute(), NRT_SUCCESS);
  nrt_tensor_set_t* empty = nullptr;
  ASSERT_EQ(nrt_allocate_tensor_set(&empty), NRT_SUCCESS);
  EXPECT_EQ(nrt_execute(model.model, empty, model.outputs), NRT_EXEC_BAD_INPUT);
  EXPECT_EQ(nrt_execute(model.model, model.inputs, empty), NRT_INVALID);
  for (const auto& [core, size] : {std::pair{1, 3 * test::kTinyPixels * 4}, {0, 3 * test::kTinyPixels * 4 + 4}}) {
    nrt_tensor_t* tensor = nullptr;
    ASSERT_EQ(nrt_tensor_allocate(NRT_TENSOR_PLACEMENT_DEVICE, core, size, "", &tensor), NRT_SUCCESS);
    ASSERT_EQ(nrt_add_tensor_to_tensor_set(empty, "image", tensor), NRT_SUCCESS);
    EXPECT_EQ(nrt_execute(model.model, empty, model.outputs), NRT_EXEC_BAD_INPUT);
    nrt_tensor_free(&tensor);
    EXPECT_EQ(nrt_execute(model.model, empty, model.outputs), NRT_EXEC_BAD_INPUT) << "freed while in the set";
  }
  nrt_destroy_tensor_set(&empty);
}

TEST_F(NrtSim, TensorsHaveBoundsSlicesAndCopies) {
  environment_.set("NEURON_RT_LOG_LEVEL", "QUIET");
  ASSERT_EQ(init(), NRT_SUCCESS);
  nrt_tensor_t* tensor = nullptr;
  ASSERT_EQ(nrt_tensor_allocate(NRT_TENSOR_PLACEMENT_DEVICE, 0, 16, "t", &tensor), NRT_SUCCESS);
  EXPECT_EQ(nrt_tensor_get_size(tensor), 16U);
  char text[16] = "0123456789abcde";
  EXPECT_EQ(nrt_tensor_write(tensor, text, 0, 16), NRT_SUCCESS);
  EXPECT_EQ(nrt_tensor_write(tensor, text, 1, 16), NRT_INVALID);
  EXPECT_EQ(nrt_tensor_read(tensor, text, SIZE_MAX, 2), NRT_INVALID);
  nrt_tensor_t* slice = nullptr;
  EXPECT_EQ(nrt_tensor_allocate_slice(tensor, 10, 8, "s", &slice), NRT_INVALID);
  ASSERT_EQ(nrt_tensor_allocate_slice(tensor, 10, 4, "s", &slice), NRT_SUCCESS);
  EXPECT_EQ(nrt_tensor_memset(slice, 1, 'x', 2), NRT_SUCCESS);
  nrt_tensor_t* other = nullptr;
  ASSERT_EQ(nrt_tensor_allocate(NRT_TENSOR_PLACEMENT_DEVICE, 1, 16, "o", &other), NRT_SUCCESS);
  EXPECT_EQ(nrt_tensor_copy(tensor, 0, other, 0, 16), NRT_INVALID) << "between cores";
  nrt_tensor_free(&tensor);
  char read[5] = {};
  EXPECT_EQ(nrt_tensor_read(slice, read, 0, 4), NRT_SUCCESS) << "the memory lives with its last user";
  EXPECT_STREQ(read, "axxd");
  EXPECT_EQ(nrt_tensor_copy(slice, 0, slice, 1, 3), NRT_SUCCESS);
  EXPECT_EQ(nrt_tensor_read(slice, read, 0, 4), NRT_SUCCESS);
  EXPECT_STREQ(read, "aaxx");
  nrt_tensor_free(&slice);
  nrt_tensor_free(&other);
}

TEST_F(NrtSim, DeviceMemoryRunsOutAndComesBack) {
  environment_.set("NEURON_RT_LOG_LEVEL", "QUIET");
  ASSERT_EQ(init(), NRT_SUCCESS);
  nrt_vnc_memory_stats_t stats{};
  std::size_t size = 0;
  ASSERT_EQ(nrt_get_vnc_memory_stats(0, &stats, sizeof stats, &size), NRT_SUCCESS);
  EXPECT_EQ(size, sizeof stats);
  EXPECT_EQ(stats.bytes_used, 0U);
  EXPECT_EQ(stats.bytes_limit, std::size_t{16} << 30);
  nrt_tensor_t* large = nullptr;
  nrt_tensor_t* more = nullptr;
  const std::size_t ten = std::size_t{10} << 30;
  ASSERT_EQ(nrt_tensor_allocate(NRT_TENSOR_PLACEMENT_DEVICE, 0, ten, "", &large), NRT_SUCCESS);
  EXPECT_EQ(nrt_tensor_allocate(NRT_TENSOR_PLACEMENT_DEVICE, 0, ten, "", &more), NRT_RESOURCE);
  EXPECT_EQ(nrt_tensor_allocate(NRT_TENSOR_PLACEMENT_DEVICE, 1, ten, "", &more), NRT_SUCCESS);
  nrt_tensor_free(&large);
  ASSERT_EQ(nrt_get_vnc_memory_stats(0, &stats, sizeof stats, &size), NRT_SUCCESS);
  EXPECT_EQ(stats.bytes_used, 0U);
  nrt_tensor_free(&more);
}

TEST_F(NrtSim, ProfilesSayThatNothingWasMeasuredOnHardware) {
  ASSERT_EQ(init(), NRT_SUCCESS);
  SimModel model(tiny_program(), 0);
  const std::string path = (environment_.folder() / "profile.ntff").string();
  ASSERT_EQ(nrt_profile_start(model.model, path.c_str()), NRT_SUCCESS);
  EXPECT_EQ(model.execute(), NRT_SUCCESS);
  ASSERT_EQ(nrt_profile_stop(path.c_str()), NRT_SUCCESS);
  const std::string text = test::read_file(path);
  EXPECT_THAT(text, HasSubstr("\"simulated\":true"));
  EXPECT_THAT(text, HasSubstr("\"executions\":1"));
}

TEST_F(NrtSim, AProfileThatCannotBeWrittenIsAFailure) {
  ASSERT_EQ(init(), NRT_SUCCESS);
  SimModel model(tiny_program(), 0);
  ASSERT_EQ(nrt_profile_start(model.model, "/dev/full"), NRT_SUCCESS);
  EXPECT_EQ(nrt_profile_stop("/dev/full"), NRT_FAILURE);
}

TEST_F(NrtSim, InfosListTensorsByNameWithShapes) {
  ASSERT_EQ(init(), NRT_SUCCESS);
  SimModel model(tiny_program(3), 0);
  nrt_tensor_info_array_t* infos = nullptr;
  ASSERT_EQ(nrt_get_model_tensor_info(model.model, &infos), NRT_SUCCESS);
  ASSERT_EQ(infos->tensor_count, 3U);
  const nrt_tensor_info_t& mean = infos->tensor_array[1];
  EXPECT_STREQ(infos->tensor_array[0].name, "image");
  EXPECT_STREQ(mean.name, "mean");
  EXPECT_STREQ(infos->tensor_array[2].name, "sum");
  EXPECT_EQ(mean.usage, static_cast<nrt_tensor_usage_t>(NRT_TENSOR_USAGE_OUTPUT));
  EXPECT_EQ(mean.size, 3U * 2 * 2 * 3 * 4);
  ASSERT_EQ(mean.ndim, 4U);
  EXPECT_EQ(mean.shape[0], 3U);
  EXPECT_EQ(mean.shape[3], 3U);
  EXPECT_EQ(nrt_free_model_tensor_info(infos), NRT_SUCCESS);
  EXPECT_EQ(nrt_free_model_tensor_info(infos), NRT_INVALID_HANDLE);
}

struct Version {
  const char* config;
  std::uint64_t minor;
  std::uint32_t family;
  std::uint32_t float32;
  std::uint32_t bfloat16;
  bool device;
  bool virtual_tensors;
};

class NrtVersions : public NrtTest, public ::testing::WithParamInterface<Version> {};

TEST_P(NrtVersions, HaveTheirDtypesPlacementsAndNumbers) {
  const Version& expected = GetParam();
  environment_.set("NEURON_RT_LOG_LEVEL", "QUIET");
  ASSERT_EQ(init(expected.config), NRT_SUCCESS);
  nrt_version_t version{};
  ASSERT_EQ(nrt_get_version(&version, sizeof version), NRT_SUCCESS);
  EXPECT_EQ(version.rt_minor, expected.minor);
  nrt_instance_info_t instance{};
  std::memset(&instance, 0x7F, sizeof instance);
  ASSERT_EQ(nrt_get_instance_info(&instance, sizeof instance), NRT_SUCCESS);
  EXPECT_EQ(instance.family, expected.family);
  EXPECT_EQ(instance.arch_name[0] == 0x7F, expected.minor < 30) << "older runtimes know 8 bytes of it";

  nrt_tensor_t* tensor = nullptr;
  EXPECT_EQ(nrt_tensor_allocate(NRT_TENSOR_PLACEMENT_DEVICE, 0, 8, "", &tensor) == NRT_SUCCESS, expected.device);
  nrt_tensor_free(&tensor);
  EXPECT_EQ(nrt_tensor_allocate(NRT_TENSOR_PLACEMENT_VIRTUAL, -1, 8, "", &tensor) == NRT_SUCCESS,
            expected.virtual_tensors);
  nrt_tensor_free(&tensor);
  EXPECT_EQ(nrt_tensor_allocate(NRT_TENSOR_PLACEMENT_HOST, -1, 4U << 20U, "", &tensor), NRT_INVALID);
  char buffer[8] = "written";
  ASSERT_EQ(nrt_tensor_allocate_empty("", &tensor), NRT_SUCCESS);
  EXPECT_EQ(nrt_tensor_attach_buffer(tensor, buffer, 8) == NRT_SUCCESS, expected.virtual_tensors);
  EXPECT_EQ(nrt_tensor_get_va(tensor), expected.virtual_tensors ? buffer : nullptr);
  nrt_tensor_free(&tensor);

  auto program = tiny_program();
  program.outputs[0].dtype = DType::kBf16;
  const auto neff = tiny_neff(program);
  nrt_model_t* model = nullptr;
  ASSERT_EQ(nrt_load(neff.data(), neff.size(), 0, -1, &model), NRT_SUCCESS);
  nrt_tensor_info_array_t* infos = nullptr;
  ASSERT_EQ(nrt_get_model_tensor_info(model, &infos), NRT_SUCCESS);
  EXPECT_EQ(infos->tensor_array[0].dtype, expected.float32);
  EXPECT_EQ(infos->tensor_array[2].dtype, expected.bfloat16);
  nrt_free_model_tensor_info(infos);
  EXPECT_EQ(nrt_unload(model), NRT_SUCCESS);
}

INSTANTIATE_TEST_SUITE_P(
    All, NrtVersions,
    ::testing::Values(Version{R"({"instance": "inf1.xlarge"})", 22, NRT_INSTANCE_FAMILY_INF1, 1, 3, false, true},
                      Version{R"({"runtime": "2.22"})", 22, NRT_INSTANCE_FAMILY_INF2, 1, 3, true, true},
                      Version{R"({"runtime": "2.29"})", 29, NRT_INSTANCE_FAMILY_INF2, 1, 3, true, true},
                      Version{R"({"instance": "trn1.2xlarge", "runtime": "2.30"})", 30, NRT_INSTANCE_FAMILY_TRN1, 10, 6,
                              true, true},
                      Version{R"({"runtime": "2.34"})", 34, NRT_INSTANCE_FAMILY_INF2, 10, 6, true, false}),
    [](const auto& version) {
      return "Runtime2_" + std::to_string(version.param.minor) + "_" + std::to_string(version.index);
    });

TEST_F(NrtSim, Inf1IsNotForNewRuntimes) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(init(R"({"instance": "inf1.xlarge", "runtime": "2.34"})"), NRT_FAILURE);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("Architecture not found 1"));
}

}  // namespace
}  // namespace posecam
