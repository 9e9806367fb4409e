#include "pipeline/backend/noted_backend.h"

#include <utility>

namespace posecam {
namespace {

class NotedBackend final : public InferenceBackend {
 public:
  NotedBackend(std::unique_ptr<InferenceBackend> backend, std::string note)
      : backend_(std::move(backend)), note_(std::move(note)) {}

  std::string_view name() const override { return backend_->name(); }
  std::vector<CoreId> cores() const override { return backend_->cores(); }
  std::string note() const override {
    const std::string own = backend_->note();
    return own.empty() ? note_ : note_ + "; " + own;
  }
  Result<std::unique_ptr<Slot>> make_slot(const ModelSpec& spec, CoreId core) override {
    return backend_->make_slot(spec, core);
  }
  Result<void> restore(CoreId core) override { return backend_->restore(core); }

 private:
  const std::unique_ptr<InferenceBackend> backend_;
  const std::string note_;
};

}  // namespace

std::unique_ptr<InferenceBackend> with_note(std::unique_ptr<InferenceBackend> backend, std::string note) {
  if (note.empty()) return backend;
  return std::make_unique<NotedBackend>(std::move(backend), std::move(note));
}

}  // namespace posecam
