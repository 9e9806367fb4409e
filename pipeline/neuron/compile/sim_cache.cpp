#include "pipeline/neuron/compile/sim_cache.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "models/core/file.h"
#include "models/core/log.h"
#include "models/core/sha256.h"
#include "models/store/store.h"
#include "pipeline/neuron/compile/compile_sim.h"
#include "pipeline/neuron/machine/own_folder.h"
#include "pipeline/neuron/nrt/neuron_library.h"
#include "postprocess/decode/decoders.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDescriptor = "neuron-sim.json";
constexpr std::string_view kFormat = "1";  // to be changed when compile_for_sim() writes something else
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;

/// The descriptor has the sums of the weights. Kept in a name of its own: people look into caches.
Result<std::string> folder_name(const ModelSpec& spec) {
  const auto text = read_file(spec.path, kMostDescriptorBytes, Readable::kFile);
  if (!text) return Error{Errc::kModel, fmt::format("{}: {}", spec.path.string(), text.error().message)};
  const std::string shape = fmt::format("{}x{}x{}", spec.input.size.width, spec.input.size.height, spec.input.batch);
  return fmt::format("{}-{}-{:.16}", spec.name, shape, sha256_of({kFormat, "\n", shape, "\n", *text}));
}

/// What lies there, if it is what was put there.
Result<ModelSpec> read_whole(const fs::path& folder) {
  auto model = ModelSpec::load(folder / kDescriptor, decoders());
  if (!model) return model;
  const BackendWeights* const weights = model->weights_for(kNeuron);
  const Error damaged{Errc::kModel, fmt::format("{}: was damaged", folder.string())};
  if (!weights) return damaged;
  for (const WeightFile& file : weights->files) {
    const auto sum = sha256_of(folder / file.name);
    if (!sum || *sum != file.sha256) return damaged;
  }
  return model;
}

/// The folders, or what is left of some, that were not used for the longest time go; not `keep`.
void trim(const fs::path& cache, const fs::path& keep) {
  struct Kept {
    fs::file_time_type used;
    std::uint64_t bytes = 0;
    fs::path folder;
  };
  std::vector<Kept> all;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(cache, ec)) {
    Kept& kept = all.emplace_back(Kept{entry.last_write_time(ec), 0, entry.path()});
    for (const auto& file : fs::directory_iterator(entry.path(), ec)) kept.bytes += file.file_size(ec);
  }
  std::ranges::sort(all, std::ranges::greater(), &Kept::used);
  std::uint64_t bytes = 0;
  for (const Kept& kept : all) {
    bytes += kept.bytes;
    if (bytes > kMostBytes && kept.folder != keep) fs::remove_all(kept.folder, ec);
  }
}

/// Gives a complete folder its name, in one step. Another process may have been faster: then what it made stays, unless
/// it is damaged, and this one goes.
Result<ModelSpec> put_in_place(const fs::path& made, const fs::path& folder) {
  int failed = ::rename(made.c_str(), folder.c_str());
  if (failed != 0) {
    auto theirs = read_whole(folder);
    if (!theirs) failed = ::renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, folder.c_str(), RENAME_EXCHANGE);
    const int code = errno;
    std::error_code ec;
    fs::remove_all(made, ec);
    if (theirs) return theirs;
    if (failed != 0) {
      return Error{Errc::kOutput,
                   fmt::format("{}: cannot be written: {}", folder.string(), std::generic_category().message(code))};
    }
  }
  return read_whole(folder);
}

}  // namespace

Result<ModelSpec> compiled_in_cache(const ModelSpec& spec, const fs::path& cache, std::string& note) {
  if (cache.empty()) {
    return Error{Errc::kModel, fmt::format("model '{}' is not compiled for device {}, and neither HOME nor "
                                           "XDG_CACHE_HOME says where that could be kept: set one, or run: {}",
                                           spec.name, kNeuronSim, compile_command(spec, "sim"))};
  }
  const auto name = folder_name(spec);
  if (!name) return name.error();
  if (const auto own = OwnFolder::make(cache); !own) return Error{Errc::kModel, own.error().message};
  const fs::path folder = cache / *name;
  if (auto model = read_whole(folder)) {
    std::error_code ec;
    fs::last_write_time(folder, fs::file_time_type::clock::now(), ec);  // used
    return model;
  }
  note = fmt::format("model {}: not compiled for device {} yet: compiling it at {}x{} for batch {} into {}", spec.name,
                     kNeuronSim, spec.input.size.width, spec.input.size.height, spec.input.batch, folder.string());
  logger().info("{}", note);
  std::string made = (cache / "XXXXXX").string();
  if (!::mkdtemp(made.data())) {
    return Error{Errc::kOutput,
                 fmt::format("{}: cannot be written: {}", cache.string(), std::generic_category().message(errno))};
  }
  const auto compiled = compile_for_sim(spec, {.batches = {static_cast<std::uint32_t>(spec.input.batch)}}, made);
  if (!compiled) {
    std::error_code ec;
    fs::remove_all(made, ec);
    return compiled.error();
  }
  auto model = put_in_place(made, folder);
  trim(cache, folder);
  return model;
}

}  // namespace posecam
