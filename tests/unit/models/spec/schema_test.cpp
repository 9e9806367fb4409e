// The published schema and the parser must say the same about the same descriptors.

#include <cstdio>
#include <filesystem>
#include <string>
#include <sys/wait.h>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "models/core/paths.h"
#include "models/spec/model_spec.h"
#include "models/spec/zoo.h"
#include "postprocess/decode/decoders.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/models/spec/bad_documents.h"
#include "tests/unit/models/spec/spec_document.h"

namespace posecam {
namespace {

/// As they are found in an installation, with an id that is their place: whatever reads them resolves it.
TEST(Schema, LiesInTheBuildTreeUnderItsId) {
  for (const char* name : {"model-spec.schema.json", "ndjson-frame.schema.json"}) {
    const auto path = *share_dir() / "schema" / name;
    ASSERT_TRUE(std::filesystem::exists(path)) << path;
    EXPECT_EQ(nlohmann::json::parse(test::read_file(path))["$id"], name);
  }
}

struct Verdicts {
  int exit_code = -1;
  std::vector<bool> valid;
};

Verdicts judge(const nlohmann::json& documents) {
  const test::TempDir dir;
  test::write_file(dir.path() / "documents.json", documents.dump());
  const std::string command =
      fmt::format("'{0}' '{1}/tests/support/check_schema.py' '{1}/models/schema/model-spec.schema.json' '{2}'",
                  POSECAM_TEST_PYTHON, test::source_dir().native(), (dir.path() / "documents.json").native());
  Verdicts verdicts;
  std::FILE* output = ::popen(command.c_str(), "r");
  if (!output) return verdicts;
  char line[64];
  while (std::fgets(line, sizeof line, output)) verdicts.valid.push_back(std::string(line) == "valid\n");
  verdicts.exit_code = WEXITSTATUS(::pclose(output));
  return verdicts;
}

TEST(Schema, AgreesWithTheParserOnGoodAndBadDescriptors) {
  auto documents = nlohmann::json::array();
  std::vector<bool> expected;
  const auto add = [&](nlohmann::json document, bool valid) {
    documents.push_back(std::move(document));
    expected.push_back(valid);
  };
  const auto names = zoo_names();
  ASSERT_TRUE(names) << names.error().message;
  for (const std::string& name : *names) {
    add(nlohmann::json::parse(test::read_file(test::source_dir() / "models/zoo" / (name + ".json"))), true);
  }
  add(test::pose_document(), true);
  add(test::detection_document(), true);
  add(test::classification_document(), true);
  for (const auto& section : test::kDecoderSections) add(test::document_with(section), true);
  add(test::bent(test::pose_document(), "/inputs/0/size/width", "64.0"), true);
  auto neuron = test::pose_document()["weights"]["openvino"];
  neuron["target"] = "inf2";
  neuron["files"][0]["batch"] = 4;
  add(test::bent(test::pose_document(), "/weights/neuron", neuron.dump()), true);
  add(test::bent(test::pose_document(), "/weights/compile", test::pose_document()["weights"]["openvino"].dump()), true);
  add(test::bent(test::pose_document(), "/weights/neuron/files/0", R"({"name": "a.neff"})"), false);  // no target
  for (const char* fetched : {"url", "mirror_path"}) {
    auto file = test::pose_document()["weights"]["openvino"]["files"][0];
    for (const char* key : {"url", "mirror_path", "sha256", "bytes"}) file.erase(key);
    add(test::bent(test::pose_document(), "/weights/openvino/files/0", file.dump()), true);
    file[fetched] = test::pose_document()["weights"]["openvino"]["files"][0][fetched];
    add(test::bent(test::pose_document(), "/weights/openvino/files/0", file.dump()), false);
  }
  for (const auto& bad : test::kBadDocuments) {
    if (bad.schema_sees_it) add(test::bent(test::document_of(bad.base), bad.pointer, bad.value), false);
  }

  const Verdicts verdicts = judge(documents);
  if (verdicts.exit_code == 127) GTEST_SKIP() << "Python is not here";
  if (verdicts.exit_code == 77) GTEST_SKIP() << "jsonschema (with draft 2020-12) is not here";
  ASSERT_EQ(verdicts.exit_code, 0);
  ASSERT_EQ(verdicts.valid.size(), documents.size());
  for (std::size_t i = 0; i < documents.size(); ++i) {
    EXPECT_EQ(verdicts.valid[i], expected[i]) << "models/schema/model-spec.schema.json on " << documents[i].dump();
    EXPECT_EQ(static_cast<bool>(ModelSpec::parse(documents[i].dump(), "m.json", decoders())), expected[i])
        << "the parser on " << documents[i].dump();
  }
}

}  // namespace
}  // namespace posecam
