#include "pipeline/engine/engine.h"

#include <algorithm>
#include <cstring>
#include <pthread.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "pipeline/engine/engine_impl.h"
#include "postprocess/decode/decoder.h"

namespace posecam {

// --- rows -------------------------------------------------------------------------------------------------------

Engine::Row::Row(Row&& other) noexcept
    : engine_(std::exchange(other.engine_, nullptr)), batch_(other.batch_), index_(other.index_) {}

Engine::Row::~Row() {
  if (engine_) engine_->scheduler.settle({batch_, index_}, {});
}

MutableTensorView Engine::Row::input() const { return engine_->scheduler.batch(batch_).slot->input().row(index_); }

void Engine::Row::commit(std::shared_ptr<RowClient> client, Ticket ticket, const Letterbox& letterbox,
                         float preprocess_ms) {
  std::exchange(engine_, nullptr)
      ->scheduler.settle({batch_, index_},
                         {std::move(client), ticket, letterbox, preprocess_ms, std::chrono::steady_clock::now()});
}

// --- set-up -----------------------------------------------------------------------------------------------------

/// With an input of zeros: the padding of a short batch holds these or an earlier frame, and nobody reads its outputs.
Result<std::unique_ptr<Slot>> Engine::Impl::make_slot(CoreId core) {
  try {
    auto slot = backend->make_slot(*model, core);
    if (slot) {
      const MutableTensorView input = (*slot)->input();
      std::memset(input.data, 0, input.bytes());
    }
    return slot;
  } catch (const std::exception& e) {
    return Error{Errc::kDevice, fmt::format("device {}: {}", backend->name(), e.what())};
  }
}

/// What the network gives must fit the decoder: to be said before any frame comes.
Result<void> Engine::Impl::check_outputs(const Slot& slot, const Postprocessor& post) const {
  std::vector<TensorView> outputs;
  for (std::size_t i = 0; i < model->outputs.size(); ++i) outputs.push_back(slot.output(i).row(0));
  auto fits = post.check(outputs);
  if (!fits) return Error{fits.error().code, fmt::format("model {}: {}", model->name, fits.error().message)};
  return {};
}

/// Loading a network on a core is mostly waiting for the core: all of them at once. What failed, by core.
std::vector<Result<void>> Engine::Impl::load(std::uint32_t slots_per_core, std::vector<Slots>& made) {
  const std::vector<CoreId> cores = backend->cores();
  std::vector<Result<void>> outcomes(cores.size());
  made.resize(cores.size());
  const auto make_all_of = [&](std::size_t core) {
    for (std::uint32_t s = 0; s < slots_per_core && outcomes[core]; ++s) {
      auto slot = make_slot(cores[core]);
      if (slot) {
        made[core].push_back(std::move(*slot));
      } else {
        outcomes[core] = slot.error();
      }
    }
    if (!outcomes[core]) made[core].clear();
  };
  std::vector<std::jthread> others;
  for (std::size_t core = 1; core < cores.size(); ++core) others.emplace_back([&, core] { make_all_of(core); });
  make_all_of(0);
  others.clear();
  return outcomes;
}

Result<void> Engine::Impl::make_slots(const EngineOptions& options) {
  const std::vector<CoreId> cores = backend->cores();
  if (cores.empty()) return Error{Errc::kDevice, fmt::format("device {} has no cores", backend->name())};
  std::vector<Slots> made;
  const std::vector<Result<void>> outcomes = load(options.slots_per_core, made);
  const auto works = [](const Result<void>& outcome) { return static_cast<bool>(outcome); };
  const auto failed = std::ranges::find_if_not(outcomes, works);
  if (failed != outcomes.end() && (options.require_all_cores || std::ranges::none_of(outcomes, works))) return *failed;
  for (std::uint32_t s = 0; s < options.slots_per_core; ++s) {
    for (std::size_t core = 0; core < cores.size(); ++core) {
      auto post = model->decoder->make(*model, options.decode);
      if (!post) return post.error();
      std::unique_ptr<Slot> slot = outcomes[core] ? std::move(made[core][s]) : nullptr;
      if (slot) {
        if (auto fits = check_outputs(*slot, **post); !fits) return fits;
      }
      scheduler.add(std::move(slot), core);
      decodings.push_back({std::move(*post), std::vector<TensorView>(model->outputs.size())});
    }
  }
  for (std::uint32_t core = 0; core < cores.size(); ++core) {
    if (!outcomes[core]) retire(scheduler.batch(core), outcomes[core].error());
  }
  return {};
}

void Engine::Impl::start_threads() {
  threads.reserve(decodings.size() + 1);
  for (std::uint32_t i = 0; i < decodings.size(); ++i) {
    threads.emplace_back([this, i](std::stop_token stop) {
      Batch& batch = scheduler.batch(i);
      pthread_setname_np(pthread_self(), fmt::format("core {} #{}", batch.core->id, i).substr(0, 15).c_str());
      work(stop, batch, decodings[i]);
    });
  }
  if (scheduler.restores_cores()) threads.emplace_back([this](std::stop_token stop) { restore_cores(stop); });
}

Result<std::shared_ptr<Engine>> Engine::create(std::unique_ptr<InferenceBackend> backend,
                                               std::shared_ptr<const ModelSpec> model, const EngineOptions& options) {
  if (options.slots_per_core < 1) return Error{Errc::kUsage, "slots per core must be at least 1"};
  auto impl = std::make_unique<Impl>(std::move(backend), std::move(model), options);
  if (auto made = impl->make_slots(options); !made) return made.error();
  impl->start_threads();
  return std::shared_ptr<Engine>(new Engine(std::move(impl)));
}

std::string Engine::take_note() { return impl_->note_taken.exchange(true) ? std::string() : impl_->backend->note(); }

const EngineNotes& Engine::notes() const { return impl_->notes; }

std::string Engine::first_refusal() const {
  std::lock_guard lock(impl_->refusal_mutex);
  return impl_->first_refusal;
}

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() {
  for (auto& thread : impl_->threads) thread.request_stop();
}

Result<Engine::Row> Engine::reserve(std::stop_token stop) {
  const auto place = impl_->scheduler.reserve(std::move(stop));
  if (!place) return place.error();
  return Row(impl_.get(), place->batch, place->row);
}

void Engine::drain() { impl_->scheduler.drain(); }

std::shared_ptr<FrameResult> Engine::empty_result(FrameStatus status) {
  auto result = impl_->results.take();
  result->status = status;
  result->model = impl_->model;
  return result;
}

const ModelSpec& Engine::model() const { return *impl_->model; }
std::string_view Engine::backend_name() const { return impl_->backend->name(); }
std::size_t Engine::max_in_flight() const {
  return impl_->scheduler.batch_count() * static_cast<std::size_t>(impl_->model->input.batch);
}
EngineStats Engine::stats() const {
  return {impl_->batches_run, impl_->rows_run, impl_->scheduler.living_cores(), impl_->scheduler.losses()};
}

}  // namespace posecam
