#include "pipeline/engine/engine.h"

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

/// Loading a network on a core is mostly waiting for the core: all of them at once.
Result<void> Engine::Impl::make_slots(const EngineOptions& options) {
  const std::vector<CoreId> cores = backend->cores();
  if (cores.empty()) return Error{Errc::kDevice, fmt::format("device {} has no cores", backend->name())};
  std::vector<std::vector<std::unique_ptr<Slot>>> made(cores.size());
  std::vector<Result<void>> outcomes(cores.size());
  const auto make_all_of = [&](std::size_t core) {
    for (std::uint32_t s = 0; s < options.slots_per_core; ++s) {
      auto slot = make_slot(cores[core]);
      if (!slot) {
        outcomes[core] = slot.error();
        return;
      }
      made[core].push_back(std::move(*slot));
    }
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t core = 1; core < cores.size(); ++core) others.emplace_back([&, core] { make_all_of(core); });
    make_all_of(0);
  }
  for (const auto& outcome : outcomes) {
    if (!outcome) return outcome;
  }
  for (std::uint32_t s = 0; s < options.slots_per_core; ++s) {
    for (std::size_t core = 0; core < cores.size(); ++core) {
      auto post = model->decoder->make(*model, options.decode);
      if (!post) return post.error();
      if (auto fits = check_outputs(*made[core][s], **post); !fits) return fits;
      scheduler.add(std::move(made[core][s]), core);
      decodings.push_back({std::move(*post), std::vector<TensorView>(model->outputs.size())});
    }
  }
  return {};
}

void Engine::Impl::start_workers() {
  workers.reserve(decodings.size());
  for (std::uint32_t i = 0; i < decodings.size(); ++i) {
    workers.emplace_back([this, i](std::stop_token stop) {
      Batch& batch = scheduler.batch(i);
      pthread_setname_np(pthread_self(), fmt::format("core {} #{}", batch.core->id, i).substr(0, 15).c_str());
      work(stop, batch, decodings[i]);
    });
  }
}

Result<std::shared_ptr<Engine>> Engine::create(std::unique_ptr<InferenceBackend> backend,
                                               std::shared_ptr<const ModelSpec> model, const EngineOptions& options) {
  if (options.slots_per_core < 1) return Error{Errc::kUsage, "slots per core must be at least 1"};
  auto impl = std::make_unique<Impl>(std::move(backend), std::move(model), options);
  if (auto made = impl->make_slots(options); !made) return made.error();
  impl->start_workers();
  return std::shared_ptr<Engine>(new Engine(std::move(impl)));
}

std::string Engine::take_note() { return impl_->note_taken.exchange(true) ? std::string() : impl_->backend->note(); }

std::string Engine::first_refusal() const {
  std::lock_guard lock(impl_->refusal_mutex);
  return impl_->first_refusal;
}

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() {
  for (auto& worker : impl_->workers) worker.request_stop();
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
