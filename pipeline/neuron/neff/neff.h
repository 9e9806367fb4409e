#pragma once
// NEFF, the file of a compiled Neuron network: a header of 1024 bytes, then a tar compressed with gzip. Offsets and
// meanings are those that AWS's packager guide and Apache-licensed readers of it show.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/core/result.h"

namespace posecam {

constexpr std::size_t kNeffHeaderBytes = 1024;  ///< before the payload
/// Bits that runtimes are known to accept; others make a file too new for them.
constexpr std::uint64_t kNeffKnownFeatures = 0x80000000000000FFU;
constexpr std::uint64_t kNeffNewestMajor = 2;  ///< version_major of the newest files that runtimes take

/// The fields of a header that are known.
struct NeffHeader {
  std::uint64_t pkg_version = 1;                ///< 1: hash is SHA-256 of the payload; 2: MD5, in its first 16 bytes
  std::uint64_t data_size = 0;                  ///< bytes of the payload; write_neff() sets it
  std::uint64_t version_major = 1;              ///< of the format
  std::uint64_t version_minor = 0;              ///< of the format
  std::string build_version;                    ///< at most 127 bytes; read as printable ASCII, "?" for what is not
  std::uint32_t num_tpb = 1;                    ///< physical cores; see cores_of()
  std::array<std::uint8_t, 32> hash{};          ///< of the payload; write_neff() sets it
  std::array<std::uint8_t, 16> uuid{};          ///< write_neff() takes it from the hash
  std::string name;                             ///< at most 255 bytes; read as build_version is
  std::uint32_t requested_tpb_count = 1;        ///< as asked of the compiler
  std::array<std::uint8_t, 64> tpb_per_node{};  ///< cores by node
  std::uint64_t feature_bits = 0;               ///< what a runtime must know to run it
  std::uint32_t lnc_size = 1;                   ///< physical cores in a logical one

  /// False: a runtime says NRT_UNSUPPORTED_NEFF_VERSION.
  bool supported() const { return version_major <= kNeffNewestMajor && (feature_bits & ~kNeffKnownFeatures) == 0; }
};

/// Neighbouring NeuronCores that one copy of the network occupies, as processes count cores. On Inf1, and in the
/// simulator, the header says so; later compilers have all that num_tpb counts run on one logical core.
inline std::uint32_t cores_of(const NeffHeader& header, std::string_view target) {
  return target == "inf1" || target == "sim" ? std::max(1U, header.num_tpb) : 1;
}

/// A file in the archive.
struct NeffMember {
  std::string name;             ///< relative, plain: "sg00/def.json"
  std::vector<std::byte> data;  ///< its whole content
};

/// A whole file, unpacked.
struct Neff {
  NeffHeader header;
  std::vector<NeffMember> members{};  ///< the regular files that were asked for, in the order of the archive

  /// Null if there is none of that name.
  const NeffMember* find(std::string_view name) const;
};

/// Names of members; empty: all.
using NeffNames = std::vector<std::string_view>;

/// The first 1024 bytes, and that the file is as long as they say. kModel.
Result<NeffHeader> read_neff_header(std::span<const std::byte> file);

/// The whole file: header, hash (of pkg_version 1; MD5 is not checked) and members. Takes bounded memory whatever the
/// file holds: at most 64 MiB, or 200 times its own size, and 4 GiB in any case. With `wanted` only the members of
/// those names take any. kModel.
Result<Neff> read_neff(std::span<const std::byte> file, const NeffNames& wanted = {});
/// One member more of a file that read_neff() took. kModel, also if it has none of that name.
Result<std::vector<std::byte>> read_neff_member(std::span<const std::byte> file, std::string_view name);

/// The same input gives the same bytes, anywhere and at any time. kModel for names or sizes that do not fit.
Result<std::vector<std::byte>> write_neff(NeffHeader header, std::span<const NeffMember> members);

}  // namespace posecam
