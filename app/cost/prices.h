#pragma once
// What instances cost: configs/prices.toml, or a file of the user's own in the same form. Every price has its date and
// its source there.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/core/result.h"

namespace posecam {

/// One type of instance in one region.
struct InstancePrice {
  std::string instance;     ///< "inf1.xlarge"; any name will do
  std::string region;       ///< "us-east-1"
  std::string accelerator;  ///< "inf1", "inf2", "trn1", "t4", ...; "none": the CPU works alone
  std::uint32_t cores = 0;  ///< NeuronCores or GPUs of one instance; 0 without an accelerator
  std::uint32_t vcpu = 0;   ///< 1 to 4096
  double memory_gib = 0;    ///< above 0
  double usd_per_hour = 0;  ///< 0.0001 to 100000; of the rate below
  std::string rate;         ///< how it is paid: "on-demand", "ri-effective", "0.6 x on-demand"
  std::string date;         ///< YYYY-MM-DD, when the price was this
  std::string source;       ///< where the price was published

  /// Its cores are NeuronCores.
  bool neuron() const;
};

/// A price of one instance at another rate than on demand. Texts as in InstancePrice.
struct InstanceRate {
  std::string rate;
  std::string region;
  std::string instance;
  double usd_per_hour = 0;  ///< 0.0001 to 100000
  std::string date;
  std::string source;
};

/// How instances are paid.
struct PriceRate {
  std::optional<double> factor;  ///< of the on-demand price, above 0 and up to 1
  std::string name{};            ///< or a rate of the file; both empty: on demand
};

/// A whole file of prices.
struct PriceTable {
  std::vector<InstancePrice> on_demand;  ///< each instance once in a region
  std::vector<InstanceRate> rates;       ///< other rates; empty: there is none

  /// The instances of a region with their prices at that rate; those that have none at it are left out. An unknown
  /// region or rate: kUsage, naming those there are.
  Result<std::vector<InstancePrice>> select(const std::string& region, const PriceRate& rate) const;
};

/// Text as in configs/prices.toml. `where` names it in messages. Not TOML, keys that are unknown or missing, wrong
/// types, numbers out of range, the same price twice, a rate of an instance that has no on-demand price: kModel.
Result<PriceTable> parse_prices(std::string_view text, const std::string& where);

/// A file of at most a megabyte; cannot be read: kModel.
Result<PriceTable> load_prices(const std::filesystem::path& path);

/// share/posecam/configs/prices.toml of the installation or build tree.
Result<std::filesystem::path> default_prices();

}  // namespace posecam
