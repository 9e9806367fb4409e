#include "pipeline/neuron/sim/loading.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include <openssl/evp.h>

#include "pipeline/neuron/sim/log.h"

namespace posecam::sim {
namespace {

Loaded refuse(NRT_STATUS status, std::string_view why) {
  log(Level::kError, "nrt_load", "{}", why);
  return {status, nullptr};
}

/// What a file comes to, without its bytes. Models keep it.
struct Unpacked {
  std::string name;
  SimProgram program;
  std::shared_ptr<SharedNetwork> network;
  std::size_t weight_bytes = 0;
};

struct UnpackedFiles {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<const Unpacked>> files;
};

/// Unpacks a file once, however many cores load it.
Result<std::shared_ptr<const Unpacked>> unpack(std::span<const std::byte> file, bool bf16) {
  static auto& all = *new UnpackedFiles;  // never destroyed: threads may be inside at exit
  std::string key(EVP_MAX_MD_SIZE, '\0');
  EVP_Digest(file.data(), file.size(), reinterpret_cast<unsigned char*>(key.data()), nullptr, EVP_sha256(), nullptr);
  key += bf16 ? 'b' : 'f';
  const std::lock_guard lock(all.mutex);
  if (auto found = all.files[key].lock()) return found;
  auto neff = read_sim_neff(file);
  if (!neff) return neff.error();
  auto network = SharedNetwork::get(neff->network(), neff->program, bf16);
  if (!network) {
    return Error{Errc::kModel, fmt::format("{}: {}", neff->program.network, network.error().message)};
  }
  auto made = std::make_shared<const Unpacked>(Unpacked{
      neff->header.name, std::move(neff->program), std::move(*network), neff->graph.size() + neff->constants.size()});
  all.files[key] = made;
  return made;
}

/// Where `count` cores have the fewest models, the lowest first.
CoreRange quietest(const Session& session, std::uint32_t count) {
  CoreRange best{0, count};
  std::uint32_t fewest = UINT32_MAX;
  for (std::uint32_t first = 0; first + count <= session.cores.size(); ++first) {
    const auto at = session.loads.begin() + first;
    const std::uint32_t models = std::accumulate(at, at + count, 0U);
    if (models < fewest) {
      fewest = models;
      best.first = first;
    }
  }
  return best;
}

/// Nothing, and a status, if the request does not fit.
std::optional<CoreRange> place(const Session& session, std::uint32_t need, std::int32_t vnc, std::int32_t count,
                               NRT_STATUS& status) {
  const std::int64_t cores = count == -1 ? need : count;
  if (vnc < -1 || cores < 1 || cores % need != 0) {
    status = NRT_INVALID;
  } else if (std::max(vnc, 0) + cores > static_cast<std::int64_t>(session.cores.size())) {
    status = NRT_LOAD_NOT_ENOUGH_NC;
  } else {
    const auto n = static_cast<std::uint32_t>(cores);
    return vnc == -1 ? quietest(session, n) : CoreRange{static_cast<std::uint32_t>(vnc), n};
  }
  return std::nullopt;
}

/// The weights on every core. False if one has no room.
bool allocate(Session& session, Model& model, std::uint64_t bytes) {
  for (std::uint32_t i = 0; i < model.cores.count; ++i) {
    auto memory = DeviceMemory::take(session.cores[model.cores.first + i], bytes);
    if (!memory) return false;
    model.memory.push_back(std::move(memory));
  }
  return true;
}

}  // namespace

Loaded load_model(Session& session, std::span<const std::byte> bytes, std::int32_t vnc, std::int32_t count) {
  const auto header = read_neff_header(bytes);
  if (!header) return refuse(NRT_INVALID, header.error().message);
  if (!header->supported()) {
    return refuse(NRT_UNSUPPORTED_NEFF_VERSION,
                  fmt::format("NEFF version mismatch supported: {}.0 received: {}.{}, features: {:#x}",
                              kNeffNewestMajor, header->version_major, header->version_minor, header->feature_bits));
  }
  const auto file = unpack(bytes, session.config.bf16);
  if (!file) return refuse(NRT_INVALID, file.error().message);
  const auto timeout = read_exec_timeout([](const char* name) -> const char* { return std::getenv(name); });
  if (!timeout) return refuse(NRT_INVALID, timeout.error().message);

  auto model = std::make_shared<Model>();
  model->file = *file;
  model->name = (*file)->name;
  model->program = (*file)->program;
  model->network = (*file)->network;
  model->need = model->program.cores;
  model->timeout = static_cast<Nanos>(*timeout * kNanosPerSecond);
  const auto& time = session.config.time ? session.config.time : model->program.time;
  if (time) model->device_time = static_cast<Nanos>(time->ms(model->program.batch) * kNanosPerMs);
  if (!time && session.config.mode == Mode::kTimed) {
    return refuse(NRT_INVALID,
                  fmt::format("{}: timed mode needs a time, in sim.json or NEURON_SIM_CONFIG", model->name));
  }
  const std::lock_guard lock(session.mutex);
  NRT_STATUS status = NRT_SUCCESS;
  const auto range = place(session, model->need, vnc, count, status);
  if (!range) {
    return refuse(status, fmt::format("{}: needs {} cores, start {} and count {} do not fit {} cores", model->name,
                                      model->need, vnc, count, session.cores.size()));
  }
  model->cores = *range;
  if (!allocate(session, *model, (*file)->weight_bytes)) return refuse(NRT_RESOURCE, "device memory is full");
  for (std::uint32_t i = 0; i < range->count; ++i) ++session.loads[range->first + i];
  return {NRT_SUCCESS, std::move(model)};
}

void unload_model(Session& session, Model& model) {
  const std::lock_guard lock(session.mutex);
  model.memory.clear();
  for (std::uint32_t i = 0; i < model.cores.count; ++i) --session.loads[model.cores.first + i];
}

}  // namespace posecam::sim
