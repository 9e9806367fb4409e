#pragma once
// The user's weights on disk: one folder per model, every file checked against its descriptor before it is used.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "models/core/result.h"
#include "models/spec/model_spec.h"
#include "models/store/download.h"

namespace posecam {

/// How a file compares with its descriptor.
enum class FileState : std::uint8_t { kGood, kMissing, kWrongSize, kWrongContent, kUnreadable };

/// "ok", "missing", "wrong size", "wrong sha256", "unreadable".
std::string_view to_string(FileState state);

/// What verify() or pull() found out about one file of a backend's weights.
struct FileReport {
  std::string backend;         ///< "openvino", ...
  WeightFile file;             ///< as the descriptor has it
  std::filesystem::path path;  ///< where it is or would be
  FileState state = FileState::kMissing;
  bool pulled = false;  ///< by this call; false: it was there already
  std::string problem;  ///< empty when good
};

/// How pull() goes about it. Both functions are called from its thread and may be empty.
struct PullOptions {
  std::string mirror;  ///< directory or http(s) URL looked at before the published URL; empty: none
  /// Bytes of the file there so far.
  std::function<void(const WeightFile& file, std::uint64_t done)> progress;
  /// One line for people: waits for another pull, falls back to the published URL.
  std::function<void(const std::string& line)> note;
  std::stop_token stop;   ///< pull() then ends with kCancelled
  bool make = false;      ///< files are made (made.h) instead of looked for anywhere
  std::string ca_file{};  ///< as in Download
  DownloadLimits limits{};
};

/// How commands name the model: by its name if it is of the zoo, else by the path of its descriptor.
std::string model_argument(const ModelSpec& spec);

/// What a user types to get the model (pull, or make). With a mirror where the weights of `backend` (empty: of all
/// backends) are not published.
std::string pull_command(const ModelSpec& spec, std::string_view backend = {});

/// What a user types to compile the model for a Neuron target.
std::string compile_command(const ModelSpec& spec, std::string_view target);

/// Stateless but for its root; any number of processes may use one folder.
class ModelStore {
 public:
  /// Its folder need not exist yet.
  explicit ModelStore(std::filesystem::path root) : root_(std::move(root)) {}
  /// The store of this user (default_store_dir).
  static Result<ModelStore> open_default();

  const std::filesystem::path& root() const { return root_; }  ///< where the folders of all models are
  /// Where the weights of the model go; need not exist.
  std::filesystem::path folder(const ModelSpec& spec) const { return root_ / spec.name; }

  /// Path of the first file of the weights for `backend`, after the size and sha256 of all of them were checked (10 ms
  /// for 16 MB: cheap enough to do at every start, so a swapped file never becomes a model). Looks in the store, then
  /// beside the descriptor, then in the folder there that has the model's name. kModel; nothing there: the message is
  /// the command to run.
  Result<std::filesystem::path> weights(const ModelSpec& spec, std::string_view backend) const;

  /// Whether all files of the backend are there with their sizes, unread: for lists.
  bool has(const ModelSpec& spec, std::string_view backend) const;
  /// The same, or files are there that are damaged: of another size, unreadable, or alone without the others that a
  /// pull would bring. weights() then says so.
  bool has_begun(const ModelSpec& spec, std::string_view backend) const;

  /// Reads every file of the model and compares it with the descriptor.
  std::vector<FileReport> verify(const ModelSpec& spec) const;

  /// Brings every file of the model that is not there or not good; blocks, and waits while another process pulls the
  /// same model. A backend whose files are published nowhere and not in the mirror is reported as missing; the pull
  /// fails if a file cannot be had from where it should be (after it has tried the others), or if no backend is
  /// complete at the end.
  /// With `make` kUsage for models whose weights are not made.
  Result<std::vector<FileReport>> pull(const ModelSpec& spec, const PullOptions& options) const;

 private:
  std::vector<std::filesystem::path> places(const ModelSpec& spec, const BackendWeights& weights) const;
  std::optional<std::filesystem::path> find_folder(const ModelSpec& spec, const BackendWeights& weights) const;
  std::optional<std::filesystem::path> find_damaged(const ModelSpec& spec, const BackendWeights& weights) const;

  std::filesystem::path root_;
};

}  // namespace posecam
