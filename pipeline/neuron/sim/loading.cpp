#include "pipeline/neuron/sim/loading.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <utility>

#include "pipeline/neuron/sim/log.h"

namespace posecam::sim {
namespace {

Loaded refuse(NRT_STATUS status, std::string_view why) {
  log(Level::kError, "nrt_load", "{}", why);
  return {status, nullptr};
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
  auto neff = read_sim_neff(bytes);
  if (!neff) return refuse(NRT_INVALID, neff.error().message);
  const auto timeout = read_exec_timeout([](const char* name) -> const char* { return std::getenv(name); });
  if (!timeout) return refuse(NRT_INVALID, timeout.error().message);
  auto network = SharedNetwork::get(neff->network, neff->program, session.config.bf16);
  if (!network) return refuse(NRT_INVALID, fmt::format("{}: {}", neff->program.network, network.error().message));

  auto model = std::make_shared<Model>();
  model->name = neff->header.name;
  model->program = std::move(neff->program);
  model->network = std::move(*network);
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
  if (!allocate(session, *model, neff->network.size())) return refuse(NRT_RESOURCE, "device memory is full");
  for (std::uint32_t i = 0; i < range->count; ++i) ++session.loads[range->first + i];
  return {NRT_SUCCESS, std::move(model)};
}

void unload_model(Session& session, Model& model) {
  session.faults.unloaded(session.on_instance(model.cores));
  const std::lock_guard lock(session.mutex);
  model.memory.clear();
  for (std::uint32_t i = 0; i < model.cores.count; ++i) --session.loads[model.cores.first + i];
}

}  // namespace posecam::sim
