#include "pipeline/neuron/compile/compiled_files.h"

#include <algorithm>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "models/core/file.h"
#include "models/core/sha256.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// Whatever the decoder, it names outputs under the key "output" and under no other.
void rename_users(Json& section, const std::map<std::string, std::string>& names) {
  for (auto& [key, value] : section.items()) {
    if (value.is_structured()) rename_users(value, names);
    if (key != "output" || !value.is_string()) continue;
    if (const auto found = names.find(value.get<std::string>()); found != names.end()) value = found->second;
  }
}

/// The model's own descriptor, with the NEFFs for weights.
Result<std::string> descriptor(const ModelSpec& spec, const CompiledAs& as, const std::vector<WeightFile>& files) {
  const auto text = read_file(spec.path, kMostDescriptorBytes, Readable::kFile);
  if (!text) {
    return Error{Errc::kModel, fmt::format("{}: cannot be read: {}", spec.path.string(), text.error().message)};
  }
  auto json = Json::parse(*text);  // that it is one was seen when `spec` came from it
  auto list = Json::array();
  int most = 1;
  for (const WeightFile& file : files) {
    list.push_back({{"name", file.name}, {"batch", file.batch}, {"bytes", file.bytes}, {"sha256", file.sha256}});
    most = std::max(most, file.batch);
  }
  json["weights"] = {{"neuron", {{"target", as.target}, {"precision", as.precision}, {"files", std::move(list)}}}};
  if (json.contains("labels")) json["labels"] = spec.labels;  // may be a file beside the other descriptor
  auto& input = json["inputs"][0];
  input["size"] = {{"width", spec.input.size.width}, {"height", spec.input.size.height}};
  input["batch"] = most;
  input.erase("multiple_of");  // compiled: this size and no other
  if (!as.input.empty()) input["name"] = as.input;
  rename_users(json["decoder"], as.outputs);
  for (auto& output : json["outputs"]) {
    if (const auto found = as.outputs.find(output.get<std::string>()); found != as.outputs.end())
      output = found->second;
  }
  return json.dump(2) + "\n";
}

}  // namespace

Result<CompiledFiles> CompiledFiles::in(fs::path folder) {
  std::error_code ec;
  fs::create_directories(folder, ec);
  if (ec) return Error{Errc::kOutput, fmt::format("{}: cannot be made: {}", folder.string(), ec.message())};
  return CompiledFiles(std::move(folder));
}

CompiledFiles::~CompiledFiles() {
  for (ResultFile& file : files_) file.discard();
}

Result<void> CompiledFiles::write(const fs::path& path, std::string_view bytes) {
  auto file = ResultFile::create(path.string());
  if (!file) return file.error();
  return files_.emplace_back(std::move(*file)).write(bytes);
}

Result<void> CompiledFiles::add(const std::string& name, std::uint32_t batch, std::string_view neff) {
  const fs::path to = folder_ / name;
  if (auto done = write(to, neff); !done) return done;
  const auto sum = sha256_of(part_name(to.string()));
  if (!sum) return sum.error();
  WeightFile file;
  file.name = name;
  file.batch = static_cast<int>(batch);
  file.bytes = neff.size();
  file.sha256 = *sum;
  listed_.push_back(std::move(file));
  return {};
}

Result<fs::path> CompiledFiles::commit(const ModelSpec& spec, const CompiledAs& as) {
  const auto text = descriptor(spec, as, listed_);
  if (!text) return text.error();
  fs::path to = folder_ / fmt::format("neuron-{}.json", as.target);
  if (auto done = write(to, *text); !done) return done.error();
  for (; !files_.empty(); files_.erase(files_.begin())) {
    if (auto done = files_.front().commit(); !done) return done.error();
  }
  return to;
}

}  // namespace posecam
