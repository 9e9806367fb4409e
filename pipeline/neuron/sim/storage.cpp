#include "pipeline/neuron/sim/storage.h"

#include <algorithm>
#include <cstring>

namespace posecam::sim {

std::byte* Storage::real() {
  if (attached_) return attached_;
  if (bytes_.size() != size_) bytes_.resize(size_);
  std::size_t at = 0;
  for (const SharedRow& row : shown_) {
    std::memcpy(bytes_.data() + at, row->data(), row->size());
    at += row->size();
  }
  shown_.clear();
  return bytes_.data();
}

void Storage::read(std::size_t offset, std::span<std::byte> out) {
  if (out.empty()) return;
  const std::lock_guard lock(mutex_);
  if (shown_.empty()) {
    if (!attached_ && bytes_.empty()) {
      std::memset(out.data(), 0, out.size());
    } else {
      std::memcpy(out.data(), real() + offset, out.size());
    }
    return;
  }
  const std::size_t row_bytes = shown_.front()->size();
  while (!out.empty()) {
    const std::size_t in_row = offset % row_bytes;
    const std::size_t n = std::min(out.size(), row_bytes - in_row);
    std::memcpy(out.data(), shown_[offset / row_bytes]->data() + in_row, n);
    out = out.subspan(n);
    offset += n;
  }
}

void Storage::write(std::size_t offset, std::span<const std::byte> data) {
  if (data.empty()) return;
  const std::lock_guard lock(mutex_);
  if (data.size() == size_) shown_.clear();
  std::memcpy(real() + offset, data.data(), data.size());
}

void Storage::fill(std::size_t offset, std::byte value, std::size_t size) {
  if (size == 0) return;
  const std::lock_guard lock(mutex_);
  std::memset(real() + offset, std::to_integer<int>(value), size);
}

void Storage::show(std::size_t offset, const std::vector<SharedRow>& rows) {
  if (rows.empty()) return;
  const std::lock_guard lock(mutex_);
  const std::size_t row_bytes = rows.front()->size();
  if (!attached_ && bytes_.empty() && rows.size() * row_bytes == size_) {
    shown_ = rows;
    return;
  }
  for (const SharedRow& row : rows) {
    std::memcpy(real() + offset, row->data(), row_bytes);
    offset += row_bytes;
  }
}

std::byte* Storage::address() {
  const std::lock_guard lock(mutex_);
  return real();
}

}  // namespace posecam::sim
