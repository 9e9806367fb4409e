#include "pipeline/neuron/adopt/adopt_neff.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pipeline/neuron/compile/compiled_files.h"
#include "pipeline/neuron/neff/neff_file.h"
#include "pipeline/neuron/neff/sim_program.h"
#include "pipeline/neuron/nrt/instance_family.h"
#include "pipeline/neuron/nrt/neuron_library.h"
#include "pipeline/neuron/runtime/compiled_models.h"

namespace posecam {
namespace {

constexpr std::string_view kSim = "sim";
constexpr std::string_view kTracedInput = "input0";  // as torch_neuronx calls it

using Opened = std::map<std::uint32_t, std::shared_ptr<const NeffFile>>;

Result<Opened> open_all(const AdoptOptions& options) {
  Opened files;
  for (const auto& [batch, path] : options.neffs) {
    auto file = NeffFile::open(path);
    if (!file) return file.error();
    const NeffHeader& header = (*file)->header();
    if (!header.supported()) {
      return Error{Errc::kModel, fmt::format("{}: NEFF version {}.{}, or features, that no known runtime takes",
                                             path.string(), header.version_major, header.version_minor)};
    }
    files[batch] = std::move(*file);
  }
  return files;
}

bool is_simulated(const NeffFile& file) {
  const auto neff = read_neff(file.bytes(), {kSimProgramMember});
  return neff && neff->find(kSimProgramMember);
}

Result<std::string> target_of(const Opened& files, const std::string& said) {
  const auto simulated = [](const Opened::value_type& file) { return is_simulated(*file.second); };
  const auto count = static_cast<std::size_t>(std::ranges::count_if(files, simulated));
  const std::string path = files.begin()->second->path().string();
  if (count == files.size() && (said.empty() || said == kSim)) return std::string(kSim);
  if (count > 0) return Error{Errc::kModel, fmt::format("{}: was compiled for the simulator (sim) alone", path)};
  if (said == kSim) return Error{Errc::kModel, fmt::format("{}: was not compiled for the simulator", path)};
  const std::string family = said.empty() ? std::string(family_of_product(product_name())) : said;
  if (!family.empty()) return family;
  return Error{Errc::kUsage, fmt::format("{}: a NEFF does not say what it was compiled for: add --target inf1, inf2, "
                                         "trn1 or trn2",
                                         path)};
}

/// That the image goes in as the spec has it.
Result<std::string> input_of(const ModelSpec& spec, std::uint32_t batch, const std::vector<NeffTensor>& tensors) {
  std::vector<const NeffTensor*> inputs;
  for (const NeffTensor& tensor : tensors) {
    if (tensor.is_input) inputs.push_back(&tensor);
  }
  if (inputs.size() != 1) {
    return Error{Errc::kModel, fmt::format("has {} inputs; only one image is fed", inputs.size())};
  }
  InputSpec wanted = spec.input;
  wanted.batch = static_cast<int>(batch);
  const NeffTensor& input = *inputs.front();
  if (input.shape == wanted.shape()) return input.name;
  Shape other = input.shape;
  other[0] = wanted.batch;
  if (other == wanted.shape()) {
    return Error{Errc::kUsage,
                 fmt::format("is compiled for batch {0}, not {1}: give it as {0}=FILE", input.shape[0], batch)};
  }
  return Error{
      Errc::kUsage,
      fmt::format("its input is {}; model {} takes {}{}", to_string(input), spec.name, to_string(wanted.shape()),
                  spec.input.multiple_of > 0 ? ", or another size with --net-resolution WIDTHxHEIGHT" : "")};
}

/// Names, and shapes but for the batch.
bool are_alike(const std::vector<NeffTensor>& a, const std::vector<NeffTensor>& b) {
  return std::ranges::is_permutation(a, b, [](const NeffTensor& x, const NeffTensor& y) {
    Shape shape = x.shape;
    shape[0] = y.shape[0];
    return x.name == y.name && x.is_input == y.is_input && shape == y.shape;
  });
}

/// Asks a runtime for the tensors of every file. Without one nothing is known, and `untold` says why.
Result<void> ask(const ModelSpec& spec, const Opened& files, Adopted& adopted, std::string& input) {
  const std::string_view device = adopted.target == kSim ? kNeuronSim : kNeuron;
  if (!runs_target(device, adopted.target, product_name())) {
    adopted.untold = fmt::format("this machine ({}) does not run {}", product_name(), adopted.target);
    return {};
  }
  for (const auto& [batch, file] : files) {
    const auto about = [path = file->path().string()](const Error& error) {
      return Error{error.code, fmt::format("{}: {}", path, error.message)};
    };
    auto tensors = tensors_of(*file, device);
    if (!tensors && tensors.error().code != Errc::kModel) {
      adopted.untold = tensors.error().message;
      return {};
    }
    if (!tensors) return tensors.error();
    const auto name = input_of(spec, batch, *tensors);
    if (!name) return about(name.error());
    if (adopted.tensors.empty()) {
      adopted.tensors = std::move(*tensors);
      input = *name;
    } else if (!are_alike(adopted.tensors, *tensors)) {
      return about({Errc::kModel, fmt::format("its tensors are not those of {}: is it the same network?",
                                              files.begin()->second->path().string())});
    }
  }
  return {};
}

}  // namespace

Result<Adopted> adopt_neffs(const ModelSpec& spec, const AdoptOptions& options, const std::filesystem::path& folder) {
  const auto files = open_all(options);
  if (!files) return files.error();
  auto target = target_of(*files, options.target);
  if (!target) return target.error();
  const auto said = said_names(spec, options.said);
  if (!said) return said.error();

  Adopted adopted;
  adopted.target = std::move(*target);
  std::string input(kTracedInput);
  if (auto asked = ask(spec, *files, adopted, input); !asked) return asked.error();
  auto outputs = adopted.tensors.empty() ? assumed_names(spec, *said) : matched_names(spec, *said, adopted.tensors);
  if (!outputs) {
    return Error{outputs.error().code,
                 fmt::format("{}: {}", files->begin()->second->path().string(), outputs.error().message)};
  }
  adopted.outputs = std::move(*outputs);

  auto to = CompiledFiles::in(folder);
  if (!to) return to.error();
  for (const auto& [batch, file] : *files) {
    const auto bytes = file->bytes();
    const std::string_view content(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const std::string name = fmt::format("{}-{}-b{}.neff", spec.name, adopted.target, batch);
    if (auto done = to->add(name, batch, content); !done) return done.error();
  }
  auto descriptor = to->commit(spec, {adopted.target, "f32", input, adopted.outputs});
  if (!descriptor) return descriptor.error();
  adopted.descriptor = std::move(*descriptor);
  return adopted;
}

}  // namespace posecam
