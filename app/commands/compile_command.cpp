#include "app/commands/compile_command.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unistd.h>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/cli/console.h"
#include "app/cli/exit_code.h"
#include "app/commands/compile_neff.h"
#include "models/core/paths.h"
#include "models/store/store.h"
#include "pipeline/backend/device.h"
#include "pipeline/neuron/compile/compile_sim.h"
#include "pipeline/neuron/compile/source_weights.h"
#include "pipeline/neuron/nrt/neuron_library.h"
#include "postprocess/decode/decoders.h"

namespace posecam {
namespace {

struct Request {
  std::string model;
  NeffRequest own;
  std::string target;
  std::vector<std::uint32_t> batches{1};
  std::optional<std::uint32_t> cores_per_model;
  std::string cast;
  std::vector<std::string> no_fuse;
  std::string net_resolution;
  std::string time;
  std::string out;
  bool fast_switch = false;
  bool dry_run = false;
};

Result<std::filesystem::path> out_folder(const Request& request, const ModelSpec& spec) {
  if (!request.out.empty()) return std::filesystem::path(request.out);
  const auto store = ModelStore::open_default();
  if (!store) return store.error();
  return store->folder(spec);
}

Result<void> compile_sim(const Request& request, const ModelSpec& spec, const std::filesystem::path& folder) {
  if (!request.no_fuse.empty()) {
    return Error{Errc::kUsage, "--no-fuse is for the compilers of real devices: the simulator leaves nothing out"};
  }
  SimCompileOptions options;
  if (!request.time.empty()) {
    auto time = parse_device_time(request.time);
    if (!time) return Error{Errc::kUsage, "--time " + time.error().message};
    options.time = std::move(*time);
  }
  options.batches = request.batches;
  options.cores_per_model = request.cores_per_model.value_or(1);
  options.dtype = request.cast == "bf16" ? DType::kBf16 : DType::kF32;
  if (request.dry_run) {
    put("{} at {}x{} for the simulator: a NEFF for each batch of {} and neuron-sim.json in {}\n", spec.name,
        spec.input.size.width, spec.input.size.height, fmt::join(options.batches, ", "), folder.string());
    return {};
  }
  const auto descriptor = compile_for_sim(spec, options, folder);
  if (!descriptor) return descriptor.error();
  put("{}\nRun it: posecam run CLIP --model {} --device {}\n", descriptor->string(),
      request.out.empty() ? model_argument(spec) : descriptor->string(), kNeuronSim);
  return {};
}

/// What the Python tool starts from: for inf1 best a frozen graph, which its compiler takes as it is.
Result<SourceWeights> network_of(const ModelSpec& spec, const std::string& target) {
  std::vector<std::string_view> endings(std::begin(kNetworkEndings), std::end(kNetworkEndings));
  if (target == "inf1") std::rotate(endings.begin(), endings.end() - 1, endings.end());
  return source_weights(spec, endings);
}

/// Becomes the Python tool of models/compile, which drives the vendor's compilers; returns only if it cannot.
Result<void> become_compile_tool(const Request& request, const ModelSpec& spec, const std::filesystem::path& folder) {
  if (!request.time.empty()) return Error{Errc::kUsage, "--time is for --target sim: real devices take their own"};
  const auto network = network_of(spec, request.target);
  if (!network) return network.error();
  const auto share = share_dir();
  if (!share) return share.error();
  const char* python = std::getenv("POSECAM_PYTHON");
  std::vector<std::string> args{python ? python : "python3",
                                (*share / "python/compile/start.py").string(),
                                "--descriptor",
                                spec.path.string(),
                                "--weights",
                                network->file.string(),
                                "--target",
                                request.target,
                                "--batch",
                                fmt::format("{}", fmt::join(request.batches, ",")),
                                "--out",
                                folder.string()};
  if (request.cores_per_model) {
    args.insert(args.end(), {"--cores-per-model", std::to_string(*request.cores_per_model)});
  }
  if (!request.cast.empty()) args.insert(args.end(), {"--cast", request.cast});
  for (const std::string& op : request.no_fuse) args.insert(args.end(), {"--no-fuse", op});
  if (!request.net_resolution.empty()) {
    args.insert(args.end(), {"--net-resolution", fmt::format("{}x{}", spec.input.size.width, spec.input.size.height)});
  }
  if (request.fast_switch) args.emplace_back("--enable-fast-context-switch");
  if (request.dry_run) args.emplace_back("--dry-run");
  std::vector<char*> argv;
  argv.reserve(args.size() + 1);
  for (std::string& arg : args) argv.push_back(arg.data());
  argv.push_back(nullptr);
  std::signal(SIGPIPE, SIG_DFL);  // as the tool expects it
  ::execvp(argv.front(), argv.data());
  return Error{Errc::kDevice,
               fmt::format("{}: {}; POSECAM_PYTHON names the Python that has what {} lists", args.front(),
                           std::strerror(errno), (*share / "python/compile/requirements.txt").string())};
}

/// The model to compile: what may be compiled of it already, and for which device, is no matter.
Result<ModelSpec> find_original(const Request& request) {
  auto original = find_model(request.model);
  if (!original || request.net_resolution.empty()) return original;
  const auto resolution = parse_net_resolution(request.net_resolution);
  if (!resolution) return resolution.error();
  return as_wished(*original, {.resolution = *resolution});
}

Result<void> check(const Request& request) {
  if (request.target.empty() && request.own.neffs.empty()) {
    return Error{Errc::kUsage, "--target is required: inf1, inf2, trn1, trn2 or sim"};
  }
  const bool switches = request.batches.size() > 1 && request.target != "inf1" && request.target != "sim";
  if (request.fast_switch && !switches) {
    return Error{Errc::kUsage,
                 "--enable-fast-context-switch is for several batches compiled for inf2, trn1 or trn2: one NEFF for a "
                 "core is not switched"};
  }
  return {};
}

Result<void> compile(Request request) {
  const std::set<std::uint32_t> sizes(request.batches.begin(), request.batches.end());
  request.batches.assign(sizes.begin(), sizes.end());
  if (auto sound = check(request); !sound) return sound;
  const auto spec = find_original(request);
  if (!spec) return spec.error();
  const auto folder = out_folder(request, *spec);
  if (!folder) return folder.error();
  if (!request.own.neffs.empty()) {
    request.own.target = request.target;
    return compile_neffs(*spec, request.own, *folder, request.out.empty());
  }
  return request.target == "sim" ? compile_sim(request, *spec, *folder) : become_compile_tool(request, *spec, *folder);
}

int run(const Request& request) {
  const auto done = compile(request);
  if (done) return 0;
  tell("posecam: {}\n", done.error().message);
  return exit_code(done.error().code);
}

}  // namespace

namespace {

/// What is said to a compiler, and to none where there is a NEFF already.
void add_compiler_options(CLI::App& command, Request& request, CLI::Option* neff) {
  const std::vector<CLI::Option*> options{
      command.add_option("--batch", request.batches, "Batch sizes, such as 1,4,16: one NEFF each")
          ->delimiter(',')
          ->check(CLI::Range(1U, 1024U))
          ->capture_default_str(),
      command
          .add_option("--cores-per-model", request.cores_per_model,
                      "NeuronCores that one copy runs on, as a pipeline; default: 1, on trn2 the compiler's own")
          ->check(CLI::Range(1U, 64U)),
      command.add_option("--cast", request.cast, "Type of float networks on the device; default: the compiler's own")
          ->check(CLI::IsMember({"bf16", "none"})),
      command.add_option("--no-fuse", request.no_fuse, "Operators (by name) that are left to the CPU"),
      command.add_option("--time", request.time,
                         "sim: how long a core takes: openpose, resnet50 or coordinates (published figures), or A+B: A "
                         "ms and B ms for each frame; default: as long as the CPU calculates"),
      command.add_flag("--enable-fast-context-switch", request.fast_switch,
                       "inf2, trn1, trn2 with several batches: switch faster between their NEFFs, run each slower"),
      command.add_flag("--dry-run", request.dry_run, "Say what would be done")};
  for (CLI::Option* const option : options) option->excludes(neff);
}

}  // namespace

void add_compile_command(CLI::App& app, int& code) {
  auto request = std::make_shared<Request>();
  CLI::App* command = app.add_subcommand("compile", "Compile a model for Neuron devices, or for their simulator");
  command->add_option("model", request->model, "Name from `posecam models list`, or path of a descriptor (.json)")
      ->required();
  command->add_option("--target", request->target, "What to compile for; with --neff: what they were compiled for")
      ->check(CLI::IsMember({"inf1", "inf2", "trn1", "trn2", "sim"}));
  CLI::Option* const neff =
      command
          ->add_option("--neff", request->own.neffs,
                       "NEFFs that were compiled elsewhere, such as 1=graph.neff,4=graph4.neff by batch: taken in with "
                       "a descriptor, nothing is compiled")
          ->delimiter(',')
          ->allow_extra_args(false);
  command
      ->add_option("--map", request->own.map,
                   "What outputs of the --neff are, such as output0=heatmaps,output1=pafs; default: by name or shape")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->needs(neff);
  command->add_option("--net-resolution", request->net_resolution,
                      "Network input as WIDTHxHEIGHT; default: the model's own");
  command->add_option("--out", request->out, "Folder for the NEFFs and their descriptor; default: the model's store");
  add_compiler_options(*command, *request, neff);
  command->callback([request, &code] { code = run(*request); });
}

}  // namespace posecam
