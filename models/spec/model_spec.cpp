#include "models/spec/model_spec.h"

#include <algorithm>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "models/core/file.h"
#include "models/spec/decoder_kind.h"
#include "models/spec/json_reader.h"
#include "models/spec/labels.h"
#include "models/spec/skeleton_section.h"

namespace posecam {
namespace {

constexpr std::int64_t kSchemaVersion = 1;
constexpr std::int64_t kMinSide = 8;
constexpr std::int64_t kMaxSide = 4096;
constexpr std::int64_t kMaxBatch = 1024;
constexpr std::int64_t kMaxInputElements = std::int64_t{1} << 28;  // 1 GiB of f32
constexpr std::int64_t kMaxWeightBytes = std::int64_t{16} << 30;

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

/// Letters, digits and . _ + - , not starting with a sign or dot: never "..", never hidden, never an option.
bool is_plain_name(std::string_view name) {
  return !name.empty() && is_word(name.front()) &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_word(c) || c == '.' || c == '+' || c == '-'; });
}

bool is_model_name(std::string_view name) {
  return is_plain_name(name) && name.size() <= 64 &&
         std::none_of(name.begin(), name.end(), [](char c) { return (c >= 'A' && c <= 'Z') || c == '+' || c == '_'; });
}

bool is_relative_path(std::string_view path) {
  for (;;) {
    const auto slash = path.find('/');
    if (!is_plain_name(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

/// http(s)://host[:port]/path, printable ASCII, no user or password.
bool is_http_url(std::string_view url) {
  for (std::string_view scheme : {"https://", "http://"}) {
    if (!url.starts_with(scheme)) continue;
    const std::string_view rest = url.substr(scheme.size());
    const auto slash = rest.find('/');
    if (slash == 0 || slash == std::string_view::npos) return false;
    const auto host = rest.substr(0, slash);
    return std::all_of(host.begin(), host.end(),
                       [](char c) {
                         return (is_word(c) && c != '_') || std::string_view(".:-[]").find(c) != std::string_view::npos;
                       }) &&
           std::all_of(rest.begin(), rest.end(), [](char c) { return c > ' ' && c < 0x7F; });
  }
  return false;
}

std::string read_name(const JsonNode& node, bool (*accepts)(std::string_view), std::string_view expectation,
                      std::size_t longest) {
  std::string text = node.text(1, longest);
  if (!text.empty() && !accepts(text)) node.mismatch(expectation);
  return text;
}

std::string read_sha256(const JsonNode& node) {
  std::string text = node.text(64, 64);
  const bool hex =
      std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (!hex) node.mismatch("64 lower-case hex digits");
  return text;
}

WeightFile read_file(const JsonNode& node, const std::string& model, bool compiled) {
  if (compiled) {
    node.expect_keys({"name", "url", "mirror_path", "batch", "bytes", "sha256"});
  } else {
    node.expect_keys({"name", "url", "mirror_path", "bytes", "sha256"});
  }
  WeightFile file;
  if (node.has("batch")) file.batch = static_cast<int>(node.at("batch").integer(1, kMaxBatch));
  file.name = read_name(node.at("name"), is_plain_name, "a plain file name (letters, digits and . _ + -)", 128);
  if (file.name.ends_with(".part")) node.at("name").mismatch("a file name that does not end in .part");
  if (node.has("url")) {
    file.url = read_name(node.at("url"), is_http_url, "an http or https URL without user or password", 2048);
  }
  file.mirror_path = model + "/" + file.name;
  if (node.has("mirror_path")) {
    file.mirror_path = read_name(node.at("mirror_path"), is_relative_path,
                                 "a relative path of plain names (no .., no leading /)", 255);
  }
  // A file that is fetched from somewhere must be the one that was meant; what lies here may go without.
  const bool fetched = node.has("url") || node.has("mirror_path");
  if (fetched || node.has("bytes")) {
    file.bytes = static_cast<std::uint64_t>(node.at("bytes").integer(1, kMaxWeightBytes));
  }
  if (fetched || node.has("sha256")) file.sha256 = read_sha256(node.at("sha256"));
  return file;
}

/// All files of a model lie in one folder: two of one name must be the same file.
void check_file_names(const JsonNode& node, const WeightFile& file, const std::vector<BackendWeights>& others,
                      const std::vector<WeightFile>& siblings) {
  for (const WeightFile& sibling : siblings) {
    if (sibling.name == file.name) node.mismatch("a name of its own among the files of this backend");
  }
  for (const BackendWeights& other : others) {
    for (const WeightFile& known : other.files) {
      if (known.name == file.name && (known.sha256 != file.sha256 || known.bytes != file.bytes)) {
        node.mismatch(fmt::format("the same bytes and sha256 as weights.{}, or another name", other.backend));
      }
    }
  }
}

std::vector<BackendWeights> read_weights(const JsonNode& node, const std::string& model) {
  static constexpr std::pair<std::string_view, std::string_view> kPrecisions[] = {
      {"int8", "int8"}, {"bf16", "bf16"}, {"f16", "f16"}, {"f32", "f32"}};
  static constexpr std::pair<std::string_view, std::string_view> kTargets[] = {
      {"inf1", "inf1"}, {"inf2", "inf2"}, {"trn1", "trn1"}, {"trn2", "trn2"}, {"sim", "sim"}};
  node.expect_keys({"openvino", "opencv", kCompileWeights, "neuron"});
  std::vector<BackendWeights> all;
  for (const auto& [backend, weights] : node.members()) {
    const bool compiled = backend == "neuron";
    if (compiled) {
      weights.expect_keys({"target", "precision", "files"});
    } else {
      weights.expect_keys({"precision", "files"});
    }
    BackendWeights entry{backend, std::string(weights.at("precision").one_of(kPrecisions)), {}};
    if (compiled) entry.target = weights.at("target").one_of(kTargets);
    for (const JsonNode& item : weights.at("files").items(1, 16)) {
      WeightFile file = read_file(item, model, compiled);
      check_file_names(item.at("name"), file, all, entry.files);
      if (compiled && std::ranges::count(entry.files, file.batch, &WeightFile::batch) > 0) {
        item.problem("expected a batch of its own for each file of a compiled network");
      }
      entry.files.push_back(std::move(file));
    }
    all.push_back(std::move(entry));
  }
  if (all.empty()) node.problem("expected the weights of at least one backend");
  return all;
}

std::array<float, 3> read_channels(const JsonNode& node, double min, double max) {
  std::array<float, 3> values{};
  std::size_t i = 0;
  for (const JsonNode& item : node.items(3, 3)) values[i++] = item.number(min, max);
  return values;
}

void read_placement(const JsonNode& node, bool cut_out, InputSpec& input) {
  static constexpr std::pair<std::string_view, ResizeRule> kResizeRules[] = {{"letterbox", ResizeRule::kLetterbox},
                                                                             {"stretch", ResizeRule::kStretch}};
  static constexpr std::pair<std::string_view, PadAnchor> kAnchors[] = {{"top-left", PadAnchor::kTopLeft},
                                                                        {"center", PadAnchor::kCenter}};
  input.resize = node.at("resize").one_of(kResizeRules);
  if (input.resize == ResizeRule::kLetterbox) {
    input.anchor = node.at("anchor").one_of(kAnchors);
    input.pad_value = node.at("pad_value").number(0, 255);
    return;
  }
  // What is cut out for such a network may reach beyond the image.
  if (cut_out && node.has("pad_value")) input.pad_value = node.at("pad_value").number(0, 255);
  for (std::string_view key : {"anchor", "pad_value"}) {
    if (!node.has(key) || (cut_out && key == "pad_value")) continue;
    node.at(key).problem(R"(only with "resize": "letterbox"; a stretched image has no padding)");
  }
}

/// Whether `side` suits the input; the text says what would.
bool side_fits(std::int64_t side, int multiple_of) {
  return side >= kMinSide && side <= kMaxSide && (multiple_of == 0 || side % multiple_of == 0);
}

bool elements_fit(Size size, int batch) {
  return std::int64_t{3} * size.width * size.height * batch <= kMaxInputElements;
}

InputSpec read_input(const JsonNode& node, bool cut_out) {
  static constexpr std::pair<std::string_view, DType> kTypes[] = {
      {"f32", DType::kF32}, {"bf16", DType::kBf16}, {"u8", DType::kU8}};
  static constexpr std::pair<std::string_view, Layout> kLayouts[] = {{"nchw", Layout::kNchw}, {"nhwc", Layout::kNhwc}};
  static constexpr std::pair<std::string_view, ColorOrder> kColors[] = {{"bgr", ColorOrder::kBgr},
                                                                        {"rgb", ColorOrder::kRgb}};
  node.expect_keys({"name", "dtype", "layout", "color", "size", "batch", "multiple_of", "mean", "scale", "resize",
                    "anchor", "pad_value"});
  InputSpec input;
  input.name = node.at("name").text(1, 256);
  input.dtype = node.at("dtype").one_of(kTypes);
  input.layout = node.at("layout").one_of(kLayouts);
  input.color = node.at("color").one_of(kColors);
  if (node.has("multiple_of")) input.multiple_of = static_cast<int>(node.at("multiple_of").integer(1, 256));
  if (node.has("batch")) input.batch = static_cast<int>(node.at("batch").integer(1, kMaxBatch));

  const JsonNode size = node.at("size");
  size.expect_keys({"width", "height"});
  input.size.width = static_cast<int>(size.at("width").integer(kMinSide, kMaxSide));
  input.size.height = static_cast<int>(size.at("height").integer(kMinSide, kMaxSide));
  const auto multiple = fmt::format("a multiple of multiple_of ({})", input.multiple_of);
  if (!side_fits(input.size.width, input.multiple_of)) size.at("width").mismatch(multiple);
  if (!side_fits(input.size.height, input.multiple_of)) size.at("height").mismatch(multiple);
  if (!elements_fit(input.size, input.batch)) {
    size.problem(fmt::format("expected batch x 3 x height x width of at most {}", kMaxInputElements));
  }

  input.mean = read_channels(node.at("mean"), -1000, 1000);
  input.scale = read_channels(node.at("scale"), 1e-6, 1000);
  read_placement(node, cut_out, input);
  return input;
}

/// A list in the descriptor, or the name of a text file with a label a line.
std::vector<std::string> labels_of(const JsonNode& node, const std::filesystem::path& descriptor) {
  if (!node.is_text()) {
    std::vector<std::string> labels;
    for (const JsonNode& item : node.items(1, kMaxLabels)) labels.push_back(item.text(1, kLongestLabel));
    return labels;
  }
  const std::string name =
      read_name(node, is_plain_name, "a list, or the name of a text file with a label a line", 128);
  if (name.empty()) return {};
  const auto file = find_labels(name, descriptor);
  auto labels = file ? read_labels(*file) : Result<std::vector<std::string>>(file.error());
  if (labels) return *std::move(labels);
  node.problem(labels.error().message);
  return {};
}

float read_crop(const JsonNode& node) {
  node.expect_keys({"factor"});
  return node.at("factor").number(1, 3);
}

/// A pose model names its skeleton, others their labels.
void read_vocabulary(const JsonNode& root, ModelSpec& spec) {
  if (spec.task == Task::kPose) {
    spec.skeleton = read_skeleton(root.at("skeleton"));
    if (root.has("crop")) spec.crop_factor = read_crop(root.at("crop"));
    if (root.has("labels")) root.at("labels").problem(R"(not with "task": "pose", which has a skeleton)");
    return;
  }
  spec.labels = labels_of(root.at("labels"), spec.path);
  for (const std::string_view key : {"skeleton", "crop"}) {
    if (root.has(key)) root.at(key).problem(R"(only with "task": "pose")");
  }
}

std::vector<std::string> read_outputs(const JsonNode& node) {
  std::vector<std::string> outputs;
  for (const JsonNode& item : node.items(1, 16)) {
    std::string name = item.text(1, 256);
    if (std::find(outputs.begin(), outputs.end(), name) != outputs.end()) item.mismatch("each output once");
    outputs.push_back(std::move(name));
  }
  return outputs;
}

std::shared_ptr<const Decoder> read_decoder(const JsonNode& section, const ModelSpec& spec,
                                            std::span<const DecoderKind> decoders) {
  std::vector<std::string_view> names;
  std::vector<const DecoderKind*> kinds;
  for (const DecoderKind& kind : decoders) {
    if (kind.task != spec.task) continue;
    names.push_back(kind.name);
    kinds.push_back(&kind);
  }
  const std::size_t chosen = section.at("kind").choice(names);
  return kinds.empty() ? nullptr : kinds[chosen]->read(section, spec.outputs);
}

void read_spec(const JsonNode& root, std::span<const DecoderKind> decoders, ModelSpec& spec) {
  static constexpr std::pair<std::string_view, Task> kTasks[] = {
      {"pose", Task::kPose}, {"detection", Task::kDetection}, {"classification", Task::kClassification}};
  // First, so that a descriptor of another version is called that, and not a heap of unknown keys.
  if (root.has("schema_version")) root.at("schema_version").integer(kSchemaVersion, kSchemaVersion);
  root.expect_keys({"$schema", "schema_version", "name", "description", "task", "license", "source", "weights",
                    "inputs", "outputs", "decoder", "skeleton", "crop", "labels"});
  root.at("schema_version").integer(kSchemaVersion, kSchemaVersion);
  if (root.has("$schema")) root.at("$schema").text(1, 2048);
  spec.name = read_name(root.at("name"), is_model_name, "a name of at most 64 lower-case letters, digits and . -", 64);
  spec.description = root.at("description").text(1, 4096);
  spec.task = root.at("task").one_of(kTasks);
  spec.license = root.at("license").text(1, 128);
  spec.source = root.at("source").text(1, 2048);
  spec.weights = read_weights(root.at("weights"), spec.name);
  const JsonNode inputs = root.at("inputs");
  const auto input_nodes = inputs.items(1, 16);
  if (input_nodes.size() > 1) inputs.problem("more than one input is not supported yet: expected one image input");
  if (!input_nodes.empty()) spec.input = read_input(input_nodes.front(), root.has("crop"));
  spec.outputs = read_outputs(root.at("outputs"));
  spec.decoder = read_decoder(root.at("decoder"), spec, decoders);
  read_vocabulary(root, spec);
}

}  // namespace

Shape InputSpec::shape() const {
  if (layout == Layout::kNchw) return {batch, 3, size.height, size.width};
  return {batch, size.height, size.width, 3};
}

Result<ModelSpec> ModelSpec::parse(std::string_view json, const std::filesystem::path& where,
                                   std::span<const DecoderKind> decoders) {
  auto document = parse_strict_json(json, where.native());
  if (!document) return std::move(document).error();
  ModelSpec spec;
  spec.path = where;
  JsonProblems problems(where);
  read_spec(JsonNode(*document, problems), decoders, spec);
  if (problems.first()) return *problems.first();
  return spec;
}

Result<ModelSpec> ModelSpec::load(const std::filesystem::path& path, std::span<const DecoderKind> decoders) {
  const auto unreadable = [&path](std::string_view why) {
    return Error{Errc::kModel, fmt::format("{}: cannot read the model descriptor: {}", path.native(), why)};
  };
  const auto text = read_file(path, kMostDescriptorBytes, Readable::kFile);
  if (!text) return unreadable(text.error().message + "; give the path of one (FILE.json)");
  return parse(*text, path, decoders);
}

Result<ModelSpec> ModelSpec::at_resolution(Size size) const {
  if (size == input.size) return *this;
  const auto asked = fmt::format("model '{}': input size {}x{}", name, size.width, size.height);
  if (input.multiple_of == 0) {
    return Error{Errc::kUsage, fmt::format("{} is not possible: this model is fixed at {}x{}", asked, input.size.width,
                                           input.size.height)};
  }
  if (!side_fits(size.width, input.multiple_of) || !side_fits(size.height, input.multiple_of) ||
      !elements_fit(size, input.batch)) {
    return Error{Errc::kUsage, fmt::format("{} is not possible: width and height must be multiples of {} from {} to {}",
                                           asked, input.multiple_of, kMinSide, kMaxSide)};
  }
  ModelSpec other = *this;
  other.input.size = size;
  return other;
}

Result<std::size_t> ModelSpec::output_index(std::string_view output) const {
  const auto found = std::find(outputs.begin(), outputs.end(), output);
  if (found == outputs.end()) {
    return Error{Errc::kModel,
                 fmt::format("model '{}': no output '{}'; it has {}", name, output, fmt::join(outputs, ", "))};
  }
  return static_cast<std::size_t>(found - outputs.begin());
}

const BackendWeights* ModelSpec::weights_for(std::string_view backend) const {
  for (const BackendWeights& entry : weights) {
    if (entry.backend == backend) return &entry;
  }
  return nullptr;
}

}  // namespace posecam
