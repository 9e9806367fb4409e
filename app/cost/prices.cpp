#include "app/cost/prices.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "app/cli/text_file.h"
#include "app/cli/toml/toml_json.h"
#include "models/core/paths.h"
#include "models/spec/json_reader.h"

namespace posecam {
namespace {

constexpr std::string_view kOnDemand = "on-demand";
constexpr double kLeastPrice = 0.0001;
constexpr double kMostPrice = 100'000;
constexpr std::size_t kMostRows = 10'000;
constexpr std::size_t kMostText = 400;

std::string read_date(const JsonNode& node) {
  constexpr std::string_view kForm = "0000-00-00";
  std::string date = node.text(1, 40);
  for (char& c : date) c = c >= '0' && c <= '9' ? '0' : c;
  if (date != kForm) node.mismatch("a date as 2026-07-20");
  return node.text(1, 40);
}

/// What the prices of one list have in common.
struct List {
  std::string rate;
  std::string region;
  std::string date;
  std::string source;
};

InstancePrice read_instance(const JsonNode& node, const List& list) {
  node.expect_keys({"instance", "accelerator", "cores", "vcpu", "memory_gib", "usd_per_hour"});
  InstancePrice price;
  price.instance = node.at("instance").text(1, 100);
  price.accelerator = node.at("accelerator").text(1, 40);
  price.cores = static_cast<std::uint32_t>(node.at("cores").integer(0, 4096));
  price.vcpu = static_cast<std::uint32_t>(node.at("vcpu").integer(1, 4096));
  price.memory_gib = node.at("memory_gib").real(0.1, 1e6);
  price.usd_per_hour = node.at("usd_per_hour").real(kLeastPrice, kMostPrice);
  price.region = list.region;
  price.rate = list.rate;
  price.date = list.date;
  price.source = list.source;
  if ((price.accelerator == "none") != (price.cores == 0)) {
    node.problem("\"cores\" is 0 for the accelerator \"none\", and above 0 for others");
  }
  return price;
}

InstanceRate read_rate(const JsonNode& node, const List& list) {
  node.expect_keys({"instance", "usd_per_hour"});
  return {
      list.rate, list.region, node.at("instance").text(1, 100), node.at("usd_per_hour").real(kLeastPrice, kMostPrice),
      list.date, list.source};
}

/// Reads lists one after the other, and knows what the earlier ones had.
class Reader {
 public:
  void read(const JsonNode& node) {
    node.expect_keys({"rate", "region", "date", "source", "instances"});
    List list{node.at("rate").text(1, 40), node.at("region").text(1, 40), read_date(node.at("date")),
              node.at("source").text(1, kMostText)};
    for (const JsonNode& item : node.at("instances").items(1, kMostRows)) {
      std::string instance;
      if (list.rate == kOnDemand) {
        table.on_demand.push_back(read_instance(item, list));
        instance = table.on_demand.back().instance;
      } else {
        table.rates.push_back(read_rate(item, list));
        instance = table.rates.back().instance;
      }
      if (seen_.emplace(list.rate, list.region, instance).second) continue;
      item.problem(fmt::format("{} has two prices {} in {}", instance, list.rate, list.region));
    }
  }

  PriceTable table;

 private:
  std::set<std::tuple<std::string, std::string, std::string>> seen_;
};

template <class Row>
std::set<std::string> distinct(const std::vector<Row>& rows, std::string Row::*member) {
  std::set<std::string> all;
  for (const Row& row : rows) all.insert(row.*member);
  return all;
}

}  // namespace

bool InstancePrice::neuron() const { return accelerator == "inf1" || accelerator == "inf2" || accelerator == "trn1"; }

Result<std::vector<InstancePrice>> PriceTable::select(const std::string& region, const PriceRate& rate) const {
  std::vector<InstancePrice> prices;
  std::ranges::copy_if(on_demand, std::back_inserter(prices), [&](const auto& p) { return p.region == region; });
  if (prices.empty()) {
    return Error{Errc::kUsage, fmt::format("no prices of the region '{}': there are those of {}", region,
                                           fmt::join(distinct(on_demand, &InstancePrice::region), ", "))};
  }
  if (rate.factor) {
    for (InstancePrice& price : prices) {
      price.usd_per_hour *= *rate.factor;
      price.rate = fmt::format("{} x {}", *rate.factor, price.rate);
    }
  }
  if (rate.factor || rate.name.empty() || rate.name == kOnDemand) return prices;
  std::erase_if(prices, [&](InstancePrice& price) {
    const auto found = std::ranges::find_if(rates, [&](const InstanceRate& r) {
      return r.rate == rate.name && r.region == region && r.instance == price.instance;
    });
    if (found == rates.end()) return true;
    price.usd_per_hour = found->usd_per_hour;
    price.rate = found->rate;
    price.date = found->date;
    price.source = found->source;
    return false;
  });
  if (!prices.empty()) return prices;
  return Error{Errc::kUsage,
               fmt::format("no prices '{}' in {}: there are {}; or give a factor of the on-demand price, as 0.6",
                           rate.name, region,
                           rates.empty() ? "none but on-demand"
                                         : fmt::format("{}", fmt::join(distinct(rates, &InstanceRate::rate), ", ")))};
}

Result<PriceTable> parse_prices(std::string_view text, const std::string& where) {
  const auto document = parse_toml(text, where);
  if (!document) return document.error();
  JsonProblems problems(where);
  const JsonNode root(*document, problems);
  root.expect_keys({"list"});
  Reader reader;
  for (const JsonNode& list : root.at("list").items(1, kMostRows)) reader.read(list);
  if (problems.first()) return *problems.first();
  for (const InstanceRate& rate : reader.table.rates) {
    const bool known = std::ranges::any_of(reader.table.on_demand, [&](const InstancePrice& price) {
      return price.instance == rate.instance && price.region == rate.region;
    });
    if (known) continue;
    return Error{Errc::kModel, fmt::format("{}: {} has a price {} in {}, but none on demand: add it, with its cores",
                                           where, rate.instance, rate.rate, rate.region)};
  }
  return std::move(reader.table);
}

Result<PriceTable> load_prices(const std::filesystem::path& path) {
  const auto text = read_text_file(path, "the prices");
  if (!text) return text.error();
  return parse_prices(*text, path.native());
}

Result<std::filesystem::path> default_prices() {
  auto share = share_dir();
  if (!share) return share;
  return *share / "configs" / "prices.toml";
}

}  // namespace posecam
