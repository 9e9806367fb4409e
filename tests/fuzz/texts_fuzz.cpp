// What users type and the files they bring, other than descriptors: core lists, sizes, options, TOML, COCO files, MP4.

#include <cmath>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "app/cli/toml/toml_config.h"
#include "app/commands/run_options.h"
#include "app/eval/class_truth.h"
#include "app/session/input/inputs.h"
#include "app/session/input/truncation.h"
#include "models/spec/json_reader.h"
#include "pipeline/backend/core_list.h"
#include "pipeline/backend/net_resolution.h"
#include "postprocess/eval/coco_eval.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/support/temp_dir.h"

namespace posecam::fuzz {
namespace {

void check_message(const Error& error) {
  expect(!error.message.empty() && !error.message.ends_with('\n'), "a message without a newline:", error.message);
}

void core_list(Input& input) {
  const CoreId available = input.byte();
  const auto cores = parse_core_list(input.rest(), available);
  if (!cores) return check_message(cores.error());
  expect(!cores->empty() && cores->back() < available, "a core that does not exist");
  std::string text;
  for (std::size_t i = 0; i < cores->size(); ++i) {
    expect(i == 0 || (*cores)[i - 1] < (*cores)[i], "cores are sorted, each once");
    text += (i > 0 ? "," : "") + std::to_string((*cores)[i]);
  }
  const auto again = parse_core_list(text, available);
  expect(again && *again == *cores, "the list of what was read reads the same:", text);
}

void net_resolution(Input& input) {
  const Size video{1 + static_cast<int>(input.word() % 20000), 1 + static_cast<int>(input.word() % 20000)};
  const int multiple = input.below(0, 64);
  const auto resolution = parse_net_resolution(std::string(input.rest()));
  if (!resolution) return check_message(resolution.error());
  expect(resolution->width <= 4096 && resolution->height <= 4096, "a side beyond its range");
  const Size size = resolution->resolve(video, multiple);
  expect(size.width > 0 && size.height > 0, "a size that is none");
  expect(resolution->width < 0 || size.width == resolution->width, "the given width is kept");
  expect(resolution->height < 0 || size.height == resolution->height, "the given height is kept");
}

bool is_help(const std::string& text) { return text.find("\nExit codes: ") != std::string::npos; }

/// What --print-config prints is a configuration, and printing that gives the same text.
void run_options(Input& input) {
  std::vector<std::string> args;
  std::stringstream lines{std::string(input.rest())};
  for (std::string line; std::getline(lines, line);) {
    if (line.find("conf") != std::string::npos) return;  // files and devices of this machine are not for this target
    if (line.find('\0') != std::string::npos) return;    // no argument can hold one
    args.push_back(line);
  }
  args.emplace_back("--print-config");
  const auto request = parse_run_options(args);
  if (!request) return check_message(request.error());
  if (request->print.empty() || is_help(request->print)) return;
  const test::TempDir dir;
  const auto path = dir.path() / "printed.toml";
  test::write_file(path, request->print);
  const auto again = parse_run_options({"--config", path.string(), "--print-config"});
  expect(static_cast<bool>(again),
         "a printed configuration is refused:", request->print + (again ? "" : again.error().message));
  expect(again->print == request->print, "printed twice:", request->print + "---\n" + again->print);
}

void toml(Input& input) {
  std::stringstream text{std::string(input.rest())};
  try {
    for (const auto& item : TomlConfig().from_config(text)) expect(!item.inputs.empty(), "a key without a value");
  } catch (const CLI::FileError&) {
    return;  // what its header promises
  }
}

void check_figures(const CocoAnnotations& annotations, const CocoResults& results) {
  const auto stats = evaluate_coco(annotations, results.list);
  if (!stats) return check_message(stats.error());
  expect(stats->size() == coco_figures(annotations.kind).size(), "a value for each figure");
  for (const double figure : *stats) expect(figure == -1 || (figure >= 0 && figure <= 1), "a figure outside [0,1]");
  expect(!coco_table(annotations.kind, *stats).empty(), "no table");
}

/// Every picture gets one of the labels, whatever the list says.
void class_list(std::string_view text) {
  const std::vector<std::string> labels{"cat", "Egyptian cat", "3", "dog"};
  const auto truth = parse_class_list(text, "val.txt", labels);
  if (!truth) return check_message(truth.error());
  expect(!truth->pictures.empty() && truth->pictures.size() == truth->label_ids.size(), "a class for each picture");
  for (const int id : truth->label_ids) expect(id >= 0 && id < 4, "a class that is no label");
  for (const EvalPicture& picture : truth->pictures) expect(!picture.file.empty(), "a picture without a name");
}

void coco(Input& input) {
  const std::string_view both = input.rest();
  class_list(both);
  const auto split = std::min(both.find('\0'), both.size());
  const auto results = parse_coco_results(both.substr(std::min(split + 1, both.size())), "results.json");
  if (!results) check_message(results.error());
  for (const CocoKind kind : {CocoKind::kKeypoints, CocoKind::kBoxes}) {
    const auto annotations = parse_coco_annotations(both.substr(0, split), "annotations.json", kind);
    if (!annotations) check_message(annotations.error());
    if (!annotations || !results || results->kind.value_or(kind) != kind) continue;
    const std::vector<double> sigmas(17, .05);
    for (const CocoObject& object : annotations->objects) {
      for (const CocoResult& found : results->list) {
        if (object.keypoints.size() != 51 || found.keypoints.size() != 51) continue;
        const double similarity = oks(object, found.keypoints, sigmas);
        expect(similarity >= 0 && similarity <= 1, "OKS outside [0,1]", std::to_string(similarity));
      }
    }
    check_figures(*annotations, *results);
  }
}

void clip_file(Input& input) {
  const test::TempDir dir;
  test::write_file(dir.path() / "clip.mp4", input.rest());
  (void)find_truncation(dir.path() / "clip.mp4");
  if (const auto found = identify_input((dir.path() / "clip.mp4").string()); !found) check_message(found.error());
}

void strict_json(Input& input) {
  const auto document = parse_strict_json(input.rest(), "text");
  if (!document) return check_message(document.error());
  const auto again = parse_strict_json(document->dump(), "text");
  expect(again && *again == *document, "what was read, written and read again:", document->dump());
}

void words(Input& input) {
  const std::string a = input.text(40);
  const std::string b = input.text(40);
  expect(!natural_less(a, a) && !(natural_less(a, b) && natural_less(b, a)), "natural order", a + " / " + b);
  const std::string hint = suggest_option(a, {"--write-json", "--max-people", b});
  expect(!hint.ends_with('\n'), "a hint with a newline");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  constexpr void (*kReaders[])(Input&) = {core_list, net_resolution, run_options, toml,
                                          coco,      clip_file,      strict_json, words};
  kReaders[static_cast<std::size_t>(input.below(0, std::size(kReaders) - 1))](input);
  return 0;
}

}  // namespace posecam::fuzz
