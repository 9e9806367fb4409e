#pragma once
// What a compilation leaves in a folder: NEFFs, and the descriptor that lists them.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "models/core/result.h"
#include "models/spec/model_spec.h"
#include "pipeline/output/result_file.h"

namespace posecam {

/// What the compiled network is, beyond its files.
struct CompiledAs {
  std::string target;                            ///< as BackendWeights::target
  std::string precision;                         ///< "f32", "bf16", "f16"
  std::string input{};                           ///< name of the tensor; empty: as the spec has it
  std::map<std::string, std::string> outputs{};  ///< names by those of the spec, for those that have others
};

/// Files that get their names together: until then what was there stays, and works. One thread.
class CompiledFiles {
 public:
  /// Makes the folder. kOutput.
  static Result<CompiledFiles> in(std::filesystem::path folder);
  CompiledFiles(CompiledFiles&&) = default;
  CompiledFiles& operator=(CompiledFiles&&) = delete;
  CompiledFiles(const CompiledFiles&) = delete;
  CompiledFiles& operator=(const CompiledFiles&) = delete;
  ~CompiledFiles();

  /// The NEFF of one batch size. kOutput.
  Result<void> add(const std::string& name, std::uint32_t batch, std::string_view neff);
  /// Writes neuron-TARGET.json, the spec's own descriptor with these NEFFs for weights and with the spec's input size,
  /// lets all files have their names, the descriptor last, and returns its path. kOutput.
  Result<std::filesystem::path> commit(const ModelSpec& spec, const CompiledAs& as);

 private:
  explicit CompiledFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Result<void> write(const std::filesystem::path& path, std::string_view bytes);

  std::filesystem::path folder_;
  std::vector<ResultFile> files_;
  std::vector<WeightFile> listed_;
};

}  // namespace posecam
