#include "pipeline/neuron/neff/neff.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "pipeline/neuron/neff/neff_archive.h"

namespace posecam {
namespace {

static_assert(std::endian::native == std::endian::little, "NEFF headers are little-endian");

constexpr std::uint64_t kSha256Package = 1;
constexpr std::uint64_t kMd5Package = 2;
constexpr std::size_t kAlwaysUnpacked = std::size_t{64} << 20;
constexpr std::size_t kMaxRatio = 200;  // weights hardly shrink; gzip alone could reach 1000
constexpr std::size_t kNeverUnpacked = std::size_t{4} << 30;

// Where each field begins.
constexpr std::size_t kPkgVersion = 0;
constexpr std::size_t kHeaderSize = 8;
constexpr std::size_t kDataSize = 16;
constexpr std::size_t kMajor = 24;
constexpr std::size_t kMinor = 32;
constexpr std::size_t kBuildVersion = 40;
constexpr std::size_t kBuildVersionBytes = 128;
constexpr std::size_t kNumTpb = 168;
constexpr std::size_t kHash = 172;
constexpr std::size_t kUuid = 204;
constexpr std::size_t kName = 220;
constexpr std::size_t kNameBytes = 256;
constexpr std::size_t kRequestedTpb = 476;
constexpr std::size_t kTpbPerNode = 480;
constexpr std::size_t kFeatureBits = 544;
constexpr std::size_t kLncSize = 552;

Error broken(std::string message) { return {Errc::kModel, "NEFF: " + std::move(message)}; }

template <class T>
T get(std::span<const std::byte> file, std::size_t at) {
  T value{};
  std::memcpy(&value, file.data() + at, sizeof value);
  return value;
}

template <class T>
void put(std::span<std::byte> file, std::size_t at, const T& value) {
  std::memcpy(file.data() + at, &value, sizeof value);
}

std::string get_text(std::span<const std::byte> file, std::size_t at, std::size_t bytes) {
  const auto* start = reinterpret_cast<const char*>(file.data() + at);
  std::string text(start, ::strnlen(start, bytes));
  // It goes to logs and terminals, whose lines and colours are not the file's to change.
  std::ranges::replace_if(
      text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

Result<std::array<std::uint8_t, 32>> sha256(std::span<const std::byte> data) {
  std::array<std::uint8_t, 32> hash{};
  unsigned int length = 0;
  if (EVP_Digest(data.data(), data.size(), hash.data(), &length, EVP_sha256(), nullptr) != 1) {
    return broken("libcrypto does not offer SHA-256");
  }
  return hash;
}

std::size_t most_unpacked(std::size_t payload) {
  return std::max(kAlwaysUnpacked, payload > kNeverUnpacked / kMaxRatio ? kNeverUnpacked : payload * kMaxRatio);
}

}  // namespace

const NeffMember* Neff::find(std::string_view name) const {
  const auto found = std::ranges::find(members, name, &NeffMember::name);
  return found == members.end() ? nullptr : &*found;
}

Result<NeffHeader> read_neff_header(std::span<const std::byte> file) {
  if (file.size() < kNeffHeaderBytes) {
    return broken(fmt::format("{} bytes are less than the header of {}", file.size(), kNeffHeaderBytes));
  }
  if (const auto size = get<std::uint64_t>(file, kHeaderSize); size != kNeffHeaderBytes) {
    return broken(fmt::format("the header says it has {} bytes, expected {}", size, kNeffHeaderBytes));
  }
  NeffHeader header;
  header.pkg_version = get<std::uint64_t>(file, kPkgVersion);
  header.data_size = get<std::uint64_t>(file, kDataSize);
  header.version_major = get<std::uint64_t>(file, kMajor);
  header.version_minor = get<std::uint64_t>(file, kMinor);
  header.build_version = get_text(file, kBuildVersion, kBuildVersionBytes);
  header.num_tpb = get<std::uint32_t>(file, kNumTpb);
  header.hash = get<decltype(header.hash)>(file, kHash);
  header.uuid = get<decltype(header.uuid)>(file, kUuid);
  header.name = get_text(file, kName, kNameBytes);
  header.requested_tpb_count = get<std::uint32_t>(file, kRequestedTpb);
  header.tpb_per_node = get<decltype(header.tpb_per_node)>(file, kTpbPerNode);
  header.feature_bits = get<std::uint64_t>(file, kFeatureBits);
  header.lnc_size = get<std::uint32_t>(file, kLncSize);
  if (header.pkg_version != kSha256Package && header.pkg_version != kMd5Package) {
    return broken(
        fmt::format("package version {}, known are {} and {}", header.pkg_version, kSha256Package, kMd5Package));
  }
  if (header.data_size != file.size() - kNeffHeaderBytes) {
    return broken(fmt::format("the header announces {} bytes of payload, the file has {}", header.data_size,
                              file.size() - kNeffHeaderBytes));
  }
  return header;
}

Result<Neff> read_neff(std::span<const std::byte> file, const NeffNames& wanted) {
  auto header = read_neff_header(file);
  if (!header) return header.error();
  const auto payload = file.subspan(kNeffHeaderBytes);
  if (header->pkg_version == kSha256Package) {
    const auto hash = sha256(payload);
    if (!hash) return hash.error();
    if (*hash != header->hash) return broken("the payload does not have the SHA-256 that the header gives");
  }
  auto members = read_neff_archive(payload, most_unpacked(payload.size()), wanted);
  if (!members) return members.error();
  return Neff{std::move(*header), std::move(*members)};
}

Result<std::vector<std::byte>> read_neff_member(std::span<const std::byte> file, std::string_view name) {
  if (file.size() < kNeffHeaderBytes) return broken("no payload");
  const auto payload = file.subspan(kNeffHeaderBytes);
  auto members = read_neff_archive(payload, most_unpacked(payload.size()), {name});
  if (!members) return members.error();
  if (members->empty()) return broken(fmt::format("no member '{}'", name));
  return std::move(members->front().data);
}

Result<std::vector<std::byte>> write_neff(NeffHeader header, std::span<const NeffMember> members) {
  if (header.build_version.size() >= kBuildVersionBytes || header.name.size() >= kNameBytes) {
    return broken(fmt::format("names of at most {} bytes and build versions of at most {} fit", kNameBytes - 1,
                              kBuildVersionBytes - 1));
  }
  if (header.pkg_version != kSha256Package) return broken("only package version 1 is written");
  const auto payload = write_neff_archive(members);
  if (!payload) return payload.error();
  const auto hash = sha256(*payload);
  if (!hash) return hash.error();
  std::copy_n(hash->begin(), header.uuid.size(), header.uuid.begin());
  std::vector<std::byte> file(kNeffHeaderBytes);
  put<std::uint64_t>(file, kPkgVersion, header.pkg_version);
  put<std::uint64_t>(file, kHeaderSize, kNeffHeaderBytes);
  put<std::uint64_t>(file, kDataSize, payload->size());
  put(file, kMajor, header.version_major);
  put(file, kMinor, header.version_minor);
  std::memcpy(file.data() + kBuildVersion, header.build_version.data(), header.build_version.size());
  put(file, kNumTpb, header.num_tpb);
  put(file, kHash, *hash);
  put(file, kUuid, header.uuid);
  std::memcpy(file.data() + kName, header.name.data(), header.name.size());
  put(file, kRequestedTpb, header.requested_tpb_count);
  put(file, kTpbPerNode, header.tpb_per_node);
  put(file, kFeatureBits, header.feature_bits);
  put(file, kLncSize, header.lnc_size);
  file.insert(file.end(), payload->begin(), payload->end());
  return file;
}

}  // namespace posecam
