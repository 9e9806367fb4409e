// Every option of an engine, from wherever people set it to the property of the element that heeds it.

#include "pipeline/settings/engine_options.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>
#include <gst/gst.h>
#include <gtest/gtest.h>

#include "app/commands/bench_command.h"
#include "app/commands/eval_command.h"
#include "app/commands/profile_command.h"
#include "app/commands/run_options.h"
#include "app/commands/run_specs.h"
#include "app/session/graph/infer_properties.h"
#include "app/session/graph/topology.h"
#include "tests/support/option_values.h"
#include "tests/support/own_plugin.h"
#include "tests/support/temp_dir.h"

namespace posecam {
namespace {

using test::other_value;

/// The property as text, numbers in the shortest form that says them.
std::string property(GstElement* element, const char* name) {
  GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), name);
  if (spec == nullptr) return "there is none";
  GValue value = G_VALUE_INIT;
  g_value_init(&value, spec->value_type);
  g_object_get_property(G_OBJECT(element), name, &value);
  std::string text;
  if (G_VALUE_HOLDS_FLOAT(&value)) {
    text = fmt::format("{}", g_value_get_float(&value));
  } else if (G_VALUE_HOLDS_STRING(&value)) {
    text = g_value_get_string(&value);
  } else {
    gchar* written = gst_value_serialize(&value);
    text = written;
    g_free(written);
  }
  g_value_unset(&value);
  return text;
}

class EngineOptionsTest : public testing::TestWithParam<std::size_t> {
 protected:
  static void SetUpTestSuite() { test::start_gstreamer_with_our_plugin(); }
  const Option<EngineSettings>& option() const { return kEngineOptions[GetParam()]; }
  std::string expected() const { return fmt::format("{}={}", option().name, other_value(option())); }

  std::string text_of(const EngineSettings& settings) const { return to_text(option(), settings); }

  static RunOptions parsed(const std::vector<std::string>& args) {
    auto request = parse_run_options(args);
    EXPECT_TRUE(request) << (request ? "" : request.error().message);
    return request ? request->options : RunOptions{};
  }
};

TEST_P(EngineOptionsTest, ReachesThePropertyFromTheCommandLine) {
  const RunOptions options = parsed({"synthetic", std::string("--") + option().name, other_value(option())});
  EXPECT_EQ(text_of(options), expected());
  Input input;
  input.kind = InputKind::kTestSource;
  input.name = "synthetic";
  const auto specs = make_specs(options, {input});
  ASSERT_TRUE(specs) << specs.error().message;
  const auto outputs = OutputSet::lock(specs->front());
  ASSERT_TRUE(outputs);
  const auto topology = build_topology(specs->front(), *outputs);
  ASSERT_TRUE(topology) << topology.error().message;
  EXPECT_EQ(property(topology->infer, option().name), other_value(option()));
}

TEST_P(EngineOptionsTest, LeavesThePropertyAtItsDefaultWhereItIsNotGiven) {
  GstElement* infer = gst_element_factory_make("neuroninfer", nullptr);
  GstElement* untouched = gst_element_factory_make("neuroninfer", nullptr);
  set_engine_properties(infer, EngineSettings{});
  EXPECT_EQ(property(infer, option().name), property(untouched, option().name));
  gst_object_unref(infer);
  gst_object_unref(untouched);
}

TEST_P(EngineOptionsTest, IsAKeyOfTheConfigurationFile) {
  const test::TempDir dir;
  const std::string file = dir.path() / "posecam.toml";
  std::ofstream(file) << option().name << " = \"" << other_value(option()) << "\"\n";
  EXPECT_EQ(text_of(parsed({"synthetic", "--config", file})), expected());
}

TEST_P(EngineOptionsTest, IsPrintedAsConfigurationThatReadsBackTheSame) {
  const test::TempDir dir;
  const auto printed =
      parse_run_options({"synthetic", std::string("--") + option().name, other_value(option()), "--print-config"});
  ASSERT_TRUE(printed);
  const std::string file = dir.path() / "posecam.toml";
  std::ofstream(file) << printed->print;
  EXPECT_EQ(text_of(parsed({"--config", file})), expected()) << printed->print;
}

TEST_P(EngineOptionsTest, IsOneOfEveryCommandThatRunsAnEngine) {
  CLI::App app;
  int code = 0;
  add_bench_command(app, code);
  add_eval_command(app, code);
  add_profile_command(app, code);
  const std::string name = option().name;
  for (const char* command : {"bench", "eval", "profile"}) {
    const bool swept = std::string(command) == "bench" && name == "max-in-flight";  // by --slots
    EXPECT_EQ(app.get_subcommand(command)->get_option_no_throw("--" + name) != nullptr, !swept) << command;
  }
}

TEST_P(EngineOptionsTest, SaysWhatItDoes) {
  EXPECT_GT(std::string(option().help).size(), 20U);
  EXPECT_NE(std::string(option().group), "");
  EXPECT_TRUE(*option().value != '\0' || !option().words.empty());
}

INSTANTIATE_TEST_SUITE_P(Each, EngineOptionsTest, testing::Range(std::size_t{0}, kEngineOptions.size()),
                         [](const auto& each) {
                           std::string name = kEngineOptions[each.param].name;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace posecam
