#include "pipeline/neuron/sim/shared_network.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "pipeline/neuron/sim/numbers.h"

namespace posecam::sim {
namespace {

struct Cache {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<SharedNetwork>> networks;
};

Cache& cache() {
  static Cache& instance = *new Cache;  // never destroyed: see network_openvino.cpp
  return instance;
}

std::string digest_of(std::span<const std::byte> bytes) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int length = 0;
  EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), &length, EVP_sha256(),
             nullptr);
  digest.resize(length);
  return digest;
}

std::string key_of(const SimNetwork& network, const SimProgram& program, bool bf16) {
  std::string key = digest_of(network.graph) + digest_of(network.constants);
  key += bf16 ? "b" : "f";
  for (const auto* tensors : {&program.inputs, &program.outputs}) {
    for (const SimTensorSpec& tensor : *tensors) {
      key += fmt::format("{}:{}:{};", tensor.name, to_string(tensor.dtype), to_string(row_shape(tensor)));
    }
    key += '|';
  }
  return key;
}

bool is_constant(const RowBytes& row, std::size_t element) {
  return row.size() <= element || std::memcmp(row.data(), row.data() + element, row.size() - element) == 0;
}

}  // namespace

Shape row_shape(const SimTensorSpec& tensor) {
  Shape shape = tensor.shape;
  shape[0] = 1;
  return shape;
}

Result<std::shared_ptr<SharedNetwork>> SharedNetwork::get(const SimNetwork& network, const SimProgram& program,
                                                          bool bf16) {
  const std::string key = key_of(network, program, bf16);
  Cache& all = cache();
  const std::lock_guard lock(all.mutex);  // the second core to load waits for the first to compile
  if (auto found = all.networks[key].lock()) return found;
  auto made = make_network(network, program);
  if (!made) return made.error();
  auto shared = std::make_shared<SharedNetwork>(std::move(*made), program, bf16);
  all.networks[key] = shared;
  return shared;
}

SharedNetwork::SharedNetwork(std::unique_ptr<Network> network, SimProgram program, bool bf16)
    : network_(std::move(network)), program_(std::move(program)), bf16_(bf16) {}

Result<RowResult> SharedNetwork::compute(std::span<const RowBytes> rows) {
  std::vector<std::vector<float>> floats;
  std::vector<std::span<const float>> inputs;
  std::vector<std::span<float>> outputs;
  floats.reserve(program_.inputs.size() + program_.outputs.size());
  for (std::size_t i = 0; i < program_.inputs.size(); ++i) {
    auto& values = floats.emplace_back(row_shape(program_.inputs[i]).elements());
    to_floats(rows[i], program_.inputs[i].dtype, values);
    if (bf16_) round_to_bf16(values);
    inputs.emplace_back(values);
  }
  for (const SimTensorSpec& output : program_.outputs) {
    outputs.emplace_back(floats.emplace_back(row_shape(output).elements()));
  }
  if (auto ran = network_->run(inputs, outputs); !ran) return ran.error();
  RowResult result;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (bf16_) round_to_bf16(outputs[i]);
    const DType dtype = program_.outputs[i].dtype;
    auto bytes = std::make_shared<RowBytes>(outputs[i].size() * size_of(dtype));
    from_floats(outputs[i], dtype, *bytes);
    result.push_back(std::move(bytes));
  }
  return result;
}

/// One more row in work, until it goes: also where computing throws. The lock is held before and after, not meanwhile.
class SharedNetwork::Computing {
 public:
  Computing(SharedNetwork& network, std::unique_lock<std::mutex>& lock) : network_(network), lock_(lock) {
    ++network_.computing_;
    lock_.unlock();
  }
  Computing(const Computing&) = delete;
  Computing& operator=(const Computing&) = delete;
  ~Computing() {
    if (!lock_.owns_lock()) lock_.lock();
    --network_.computing_;
    network_.changed_.notify_all();
  }

 private:
  SharedNetwork& network_;
  std::unique_lock<std::mutex>& lock_;
};

RowResult SharedNetwork::next() { return ready_[shown_++ % ready_.size()]; }

Result<RowResult> SharedNetwork::replay(RowSource& source, std::uint32_t distinct) {
  std::unique_lock lock(mutex_);
  if (ready_.size() >= distinct) return next();
  lock.unlock();
  const std::vector<RowBytes> row = source.row();
  bool constant = true;
  for (std::size_t i = 0; i < row.size(); ++i) {
    constant = constant && is_constant(row[i], size_of(program_.inputs[i].dtype));
  }
  lock.lock();
  if (constant) {
    if (!ready_.empty()) return ready_.front();
    RowResult zeros;
    for (const SimTensorSpec& output : program_.outputs) {
      zeros.push_back(std::make_shared<RowBytes>(row_shape(output).elements() * size_of(output.dtype)));
    }
    return zeros;
  }
  while (ready_.size() + computing_ >= distinct) {
    if (!ready_.empty()) return next();
    changed_.wait(lock);
  }
  const Computing mine(*this, lock);
  auto result = compute(row);
  lock.lock();
  if (result) ready_.push_back(*result);
  return result;
}

}  // namespace posecam::sim
