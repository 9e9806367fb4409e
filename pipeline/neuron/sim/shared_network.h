#pragma once
// One network however many cores run it, in the words of a compiled program's tensors; and the rows that timed mode
// shows again and again.

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "pipeline/neuron/sim/network/network.h"
#include "pipeline/neuron/sim/storage.h"

namespace posecam::sim {

/// The outputs of one row, in the order of the program. Immutable, shared by everybody who shows them.
using RowResult = std::vector<SharedRow>;

/// Thread-safe.
class SharedNetwork {
 public:
  /// The one of this process for that network and those tensors (batch aside), made if there is none. kModel.
  static Result<std::shared_ptr<SharedNetwork>> get(const SimNetwork& network, const SimProgram& program, bool bf16);

  /// Computes one row: `inputs` holds the row's bytes of each input, in the program's types. kDevice.
  Result<RowResult> compute(std::span<const RowBytes> inputs);

  /// Where timed mode gets rows: the bytes of one row, only if they are needed.
  class RowSource {
   public:
    virtual ~RowSource() = default;
    virtual std::vector<RowBytes> row() = 0;  ///< one for each input
  };
  /// Computes the first `distinct` rows that are not constant (as a warm-up's are), then repeats those in turn.
  Result<RowResult> replay(RowSource& source, std::uint32_t distinct);

  /// For SharedNetwork::get().
  SharedNetwork(std::unique_ptr<Network> network, SimProgram program, bool bf16);

 private:
  class Computing;
  RowResult next();  ///< with the lock held

  std::unique_ptr<Network> network_;
  SimProgram program_;
  bool bf16_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<RowResult> ready_;
  std::uint32_t computing_ = 0;
  std::uint64_t shown_ = 0;
};

}  // namespace posecam::sim
