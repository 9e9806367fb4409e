#include "models/core/sha256.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <openssl/evp.h>

namespace posecam {
namespace {

struct FileClose {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
struct DigestFree {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

}  // namespace

Result<std::string> sha256_of(const std::filesystem::path& path) {
  const auto failure = [&](int code) {
    return Error{Errc::kModel, fmt::format("{}: cannot read: {}", path.native(),
                                           std::error_code(code, std::generic_category()).message())};
  };
  const std::unique_ptr<std::FILE, FileClose> file(std::fopen(path.c_str(), "rbe"));
  if (!file) return failure(errno);
  const std::unique_ptr<EVP_MD_CTX, DigestFree> digest(EVP_MD_CTX_new());
  if (!digest || EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) != 1) {
    return Error{Errc::kModel, "libcrypto does not offer SHA-256"};
  }
  std::vector<unsigned char> buffer(std::size_t{1} << 17);
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    EVP_DigestUpdate(digest.get(), buffer.data(), n);
  }
  if (std::ferror(file.get())) return failure(errno);
  std::array<unsigned char, EVP_MAX_MD_SIZE> value{};
  unsigned int length = 0;
  EVP_DigestFinal_ex(digest.get(), value.data(), &length);
  std::string hex;
  for (unsigned int i = 0; i < length; ++i) hex += fmt::format("{:02x}", value[i]);
  return hex;
}

}  // namespace posecam
