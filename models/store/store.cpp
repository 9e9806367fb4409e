#include "models/store/store.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/core/paths.h"
#include "models/core/sha256.h"
#include "models/core/text.h"
#include "models/make/made.h"
#include "models/store/address.h"
#include "models/store/download.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;

/// Sets state and problem of a report whose file and path are known.
void inspect(FileReport& report) {
  std::error_code error;
  const auto size = fs::file_size(report.path, error);
  if (error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory) {
    report.state = FileState::kMissing;
    report.problem = "missing";
    return;
  }
  if (error) {
    report.state = FileState::kUnreadable;
    report.problem = error.message();
    return;
  }
  if (report.file.bytes != 0 && size != report.file.bytes) {
    report.state = FileState::kWrongSize;
    report.problem = fmt::format("has {}, the descriptor says {}", counted(size, "byte", "bytes"), report.file.bytes);
    return;
  }
  const auto sha256 = sha256_of(report.path);  // which also shows that it can be read
  if (!sha256) {
    report.state = FileState::kUnreadable;
    report.problem = sha256.error().message;
  } else if (!report.file.sha256.empty() && *sha256 != report.file.sha256) {
    report.state = FileState::kWrongContent;
    constexpr std::size_t kShown = 12;  // of 64 digits: two sums that differ do so here
    report.problem =
        fmt::format("sha256 is {:.{}}..., the descriptor says {:.{}}...", *sha256, kShown, report.file.sha256, kShown);
  } else {
    report.state = FileState::kGood;
    report.problem.clear();
  }
}

bool sizes_fit(const fs::path& folder, const BackendWeights& weights) {
  return std::all_of(weights.files.begin(), weights.files.end(), [&](const WeightFile& file) {
    std::error_code error;
    const auto size = fs::file_size(folder / file.name, error);
    return !error && (file.bytes == 0 || size == file.bytes);
  });
}

bool any_file(const fs::path& folder, const BackendWeights& weights) {
  return std::any_of(weights.files.begin(), weights.files.end(), [&](const WeightFile& file) {
    std::error_code error;
    return fs::exists(folder / file.name, error);
  });
}

/// Whether something lies there under that name that is not the file, as far as can be told unread.
bool is_spoiled(const fs::path& path, std::uint64_t bytes) {
  std::error_code error;
  const auto status = fs::symlink_status(path, error);
  if (status.type() == fs::file_type::not_found) return false;
  const auto size = fs::file_size(path, error);
  return error || (bytes != 0 && size != bytes);
}

/// A file that is not there although others of its backend are, and that a pull would bring, has been lost as well.
bool any_damage(const fs::path& folder, const BackendWeights& weights) {
  const bool begun = any_file(folder, weights);
  return std::ranges::any_of(weights.files, [&](const WeightFile& file) {
    std::error_code error;
    const bool lost = begun && !file.url.empty() && !fs::exists(folder / file.name, error);
    return lost || is_spoiled(folder / file.name, file.bytes);
  });
}

/// Holds the lock file of a model's folder, so that two pulls of one model take turns.
class FolderLock {
 public:
  FolderLock() = default;
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock() {
    if (fd_ >= 0) ::close(fd_);
  }

  Result<void> take(const fs::path& folder, const PullOptions& options) {
    const fs::path path = folder / ".lock";
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd_ < 0) return failure(path);
    if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return {};
    if (errno != EWOULDBLOCK) return failure(path);
    if (options.note) options.note("another process is pulling this model; waiting for it");
    while (::flock(fd_, LOCK_EX) != 0) {
      if (errno != EINTR) return failure(path);
      if (options.stop.stop_requested()) return Error{Errc::kCancelled, "stopped"};
    }
    return {};
  }

 private:
  static Error failure(const fs::path& path) {
    return {Errc::kModel, fmt::format("{}: cannot write: {}", path.native(),
                                      std::error_code(errno, std::generic_category()).message())};
  }

  int fd_ = -1;
};

/// The places to look for a file, best first.
std::vector<std::string> sources_of(const WeightFile& file, std::string_view mirror) {
  std::vector<std::string> sources;
  if (file.sha256.empty()) return sources;  // a local file
  constexpr std::string_view kFileScheme = "file://";
  if (mirror.starts_with(kFileScheme)) mirror.remove_prefix(kFileScheme.size());
  if (!mirror.empty()) {
    while (mirror.size() > 1 && mirror.ends_with('/')) mirror.remove_suffix(1);
    sources.push_back(fmt::format("{}/{}", mirror, file.mirror_path));
  }
  if (!file.url.empty()) sources.push_back(file.url);
  return sources;
}

/// Tries the sources in turn. The error lists what each of them answered; kUsage if none has the file.
Result<void> fetch(const FileReport& report, const PullOptions& options, Maker maker) {
  const std::string made = maker ? maker() : std::string();
  const auto sources = maker ? std::vector<std::string>(1) : sources_of(report.file, options.mirror);
  std::vector<std::string> answers;
  Errc code = Errc::kUsage;
  for (const std::string& source : sources) {
    Download job{source, report.path, report.file.bytes, report.file.sha256, {}, options.stop};
    job.ca_file = options.ca_file;
    job.limits = options.limits;
    job.content = made;
    if (options.progress) job.progress = [&](std::uint64_t done) { options.progress(report.file, done); };
    auto done = download(job);
    if (done || done.error().code == Errc::kCancelled) return done;
    if (done.error().code == Errc::kMedia) return done;  // our disk: no other source can help
    if (done.error().code != Errc::kUsage) code = Errc::kModel;
    answers.push_back(fmt::format("{}: {}", maker ? "as made here" : shown_url(source), done.error().message));
    if (options.note && &source != &sources.back()) {
      options.note(fmt::format("{}; trying {}", answers.back(), shown_url(sources.back())));
    }
  }
  if (sources.empty()) answers.emplace_back("not published: needs --mirror");
  return Error{code, fmt::format("{}", fmt::join(answers, "; "))};
}

/// Brings one file unless it is good. A file that is published nowhere and that the mirror does not have is no failure
/// of the pull: the weights of the other backend may be all one needs. Nor is what only compilers read.
Result<void> bring(FileReport& report, const PullOptions& options, Maker maker) {
  inspect(report);
  if (report.state == FileState::kGood) return {};
  const auto done = fetch(report, options, maker);
  if (done) {
    report.pulled = true;
    report.state = FileState::kGood;
    report.problem.clear();
    return {};
  }
  const bool unpublished = done.error().code == Errc::kUsage && report.file.url.empty();
  const bool unreachable =
      report.backend == kCompileWeights && done.error().code != Errc::kCancelled && done.error().code != Errc::kMedia;
  if (unpublished || unreachable) {
    report.problem = done.error().message;
    return {};
  }
  return Error{done.error().code, fmt::format("{}: {}", report.file.name, done.error().message)};
}

bool any_backend_complete(const ModelSpec& spec, const std::vector<FileReport>& reports) {
  return std::any_of(spec.weights.begin(), spec.weights.end(), [&](const BackendWeights& weights) {
    return std::all_of(reports.begin(), reports.end(), [&](const FileReport& report) {
      return report.backend != weights.backend || report.state == FileState::kGood;
    });
  });
}

bool is_published(const BackendWeights& weights) {
  return std::ranges::all_of(weights.files, [](const WeightFile& file) { return !file.url.empty(); });
}

/// What brings a file that is not there, or not as the descriptor says. A pull only where it would.
std::string remedy(const ModelSpec& spec, const BackendWeights& weights, const WeightFile& file) {
  if (!weights.target.empty()) {
    return fmt::format("run: {}, or --neff BATCH=FILE", compile_command(spec, weights.target));
  }
  if (!file.url.empty() || find_maker(spec)) return "run: " + pull_command(spec);
  std::vector<std::string_view> others;
  for (const BackendWeights& other : spec.weights) {
    if (other.backend != kCompileWeights && is_published(other)) others.push_back(other.backend);
  }
  if (file.sha256.empty()) return fmt::format("copy {} there", file.name);
  const std::string instead =
      others.empty() ? "pull it with --mirror DIR|URL" : fmt::format("take device {}", fmt::join(others, " or "));
  return fmt::format("{} is published nowhere: copy it there, or {}", file.name, instead);
}

}  // namespace

std::string model_argument(const ModelSpec& spec) { return in_zoo(spec.path) ? spec.name : spec.path.native(); }

std::string pull_command(const ModelSpec& spec, std::string_view backend) {
  if (find_maker(spec)) return "posecam models make " + spec.name;
  const bool published = std::ranges::any_of(spec.weights, [&](const BackendWeights& weights) {
    return (backend.empty() || backend == weights.backend) && is_published(weights);
  });
  return fmt::format("posecam models pull {}{}", model_argument(spec), published ? "" : " --mirror DIR|URL");
}

std::string compile_command(const ModelSpec& spec, std::string_view target) {
  // The compiled descriptor lies in the store; its name is that of the model it was made from.
  return fmt::format("posecam compile {} --target {}", spec.weights_for("neuron") ? spec.name : model_argument(spec),
                     target);
}

std::string_view to_string(FileState state) {
  switch (state) {
    case FileState::kGood: return "ok";
    case FileState::kMissing: return "missing";
    case FileState::kWrongSize: return "wrong size";
    case FileState::kWrongContent: return "wrong sha256";
    case FileState::kUnreadable: return "unreadable";
  }
  return "?";
}

Result<ModelStore> ModelStore::open_default() {
  auto root = default_store_dir();
  if (!root) return std::move(root).error();
  return ModelStore(*std::move(root));
}

Result<fs::path> ModelStore::weights(const ModelSpec& spec, std::string_view backend) const {
  const BackendWeights* weights = spec.weights_for(backend);
  if (!weights) {
    std::vector<std::string_view> names;
    for (const BackendWeights& entry : spec.weights) names.push_back(entry.backend);
    return Error{Errc::kModel, fmt::format("model '{}' has no weights for {}; it has them for {}", spec.name, backend,
                                           fmt::join(names, ", "))};
  }
  const bool compiled = !weights->target.empty();
  const auto fallback = [&] { return compiled ? spec.path.parent_path() : folder(spec); };
  const auto complete = find_folder(spec, *weights);
  const fs::path where = complete ? *complete : find_damaged(spec, *weights).value_or(fallback());
  if (!any_file(where, *weights) && !any_damage(where, *weights)) {
    const auto lone = std::ranges::find_if(weights->files, [](const WeightFile& f) { return f.url.empty(); });
    const WeightFile& named = lone == weights->files.end() ? weights->files.front() : *lone;
    return Error{Errc::kModel, fmt::format("model '{}': its weights for {} are not in {}; {}", spec.name, backend,
                                           where.native(), remedy(spec, *weights, named))};
  }
  for (const WeightFile& file : weights->files) {
    FileReport report{weights->backend, file, where / file.name, FileState::kMissing, false, {}};
    inspect(report);
    if (report.state != FileState::kGood) {
      return Error{Errc::kModel, fmt::format("model '{}': {}: {}; {}", spec.name, report.path.native(), report.problem,
                                             remedy(spec, *weights, file))};
    }
  }
  return where / weights->files.front().name;
}

/// Compiled ones are beside the descriptor that lists them, or nowhere: other compilations of the model have files of
/// the same names.
std::vector<fs::path> ModelStore::places(const ModelSpec& spec, const BackendWeights& weights) const {
  const fs::path beside = spec.path.parent_path();
  if (!weights.target.empty()) return {beside};
  return {folder(spec), beside, beside / spec.name};
}

/// Where all files are, by their sizes.
std::optional<fs::path> ModelStore::find_folder(const ModelSpec& spec, const BackendWeights& weights) const {
  for (const fs::path& place : places(spec, weights)) {
    if (sizes_fit(place, weights)) return place;
  }
  return {};
}

std::optional<fs::path> ModelStore::find_damaged(const ModelSpec& spec, const BackendWeights& weights) const {
  for (const fs::path& place : places(spec, weights)) {
    if (any_damage(place, weights)) return place;
  }
  return {};
}

bool ModelStore::has(const ModelSpec& spec, std::string_view backend) const {
  const BackendWeights* weights = spec.weights_for(backend);
  return weights && find_folder(spec, *weights);
}

bool ModelStore::has_begun(const ModelSpec& spec, std::string_view backend) const {
  const BackendWeights* weights = spec.weights_for(backend);
  return weights && (find_folder(spec, *weights) || find_damaged(spec, *weights));
}

std::vector<FileReport> ModelStore::verify(const ModelSpec& spec) const {
  std::vector<FileReport> reports;
  for (const BackendWeights& weights : spec.weights) {
    const fs::path where = find_folder(spec, weights).value_or(folder(spec));
    for (const WeightFile& file : weights.files) {
      reports.push_back({weights.backend, file, where / file.name, FileState::kMissing, false, {}});
      inspect(reports.back());
    }
  }
  return reports;
}

Result<std::vector<FileReport>> ModelStore::pull(const ModelSpec& spec, const PullOptions& options) const {
  const Maker maker = options.make ? find_maker(spec) : nullptr;
  if (options.make && !maker) {
    return Error{Errc::kUsage,
                 fmt::format("model '{}' is not made but pulled; run: {}", spec.name, pull_command(spec))};
  }
  const auto present = verify(spec);
  const auto is_good = [](const FileReport& report) { return report.state == FileState::kGood; };
  if (std::ranges::all_of(present, is_good)) return present;  // pulled before, or come with the program

  std::error_code error;
  fs::create_directories(folder(spec), error);
  if (error) return Error{Errc::kModel, fmt::format("{}: cannot create: {}", folder(spec).native(), error.message())};
  FolderLock lock;
  if (const auto taken = lock.take(folder(spec), options); !taken) return taken.error();

  auto reports = present;
  for (FileReport& report : reports) report.path = folder(spec) / report.file.name;
  std::optional<Error> failure;  // one file that fails does not keep the others from coming
  for (FileReport& report : reports) {
    const auto done = bring(report, options, maker);
    if (done) continue;
    const Errc code = done.error().code;
    if (!failure) failure = Error{Errc::kModel, fmt::format("model '{}': {}", spec.name, done.error().message)};
    if (code == Errc::kCancelled) return done.error();
    if (code == Errc::kMedia) break;  // nor will the disk have room for the next file
  }
  if (failure) return *failure;
  if (any_backend_complete(spec, reports)) return reports;
  const std::string why = options.mirror.empty()
                              ? "its weights are not published"
                              : fmt::format("not published, and not in the mirror: {}", reports.front().problem);
  const char* const remedy = find_maker(spec) ? "run" : "run with a mirror that has them";
  return Error{Errc::kModel, fmt::format("model '{}': {}; {}: {}", spec.name, why, remedy, pull_command(spec))};
}

}  // namespace posecam
