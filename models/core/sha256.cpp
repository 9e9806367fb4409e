#include "models/core/sha256.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <stdexcept>
#include <sys/stat.h>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "models/core/file.h"

namespace posecam {
namespace {

struct DigestFree {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new()) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) {
      throw std::runtime_error("libcrypto does not offer SHA-256");
    }
  }
  void add(const void* data, std::size_t size) { EVP_DigestUpdate(context_.get(), data, size); }
  /// Once.
  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> value{};
    unsigned int length = 0;
    EVP_DigestFinal_ex(context_.get(), value.data(), &length);
    std::string text;
    for (unsigned int i = 0; i < length; ++i) text += fmt::format("{:02x}", value[i]);
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, DigestFree> context_;
};

}  // namespace

Result<std::string> sha256_of(const std::filesystem::path& path) {
  const auto failure = [&](int code) {
    return Error{Errc::kModel, fmt::format("{}: cannot read: {}", path.native(),
                                           std::error_code(code, std::generic_category()).message())};
  };
  // Without O_NONBLOCK a pipe would be waited for.
  const FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0) return failure(errno);
  if (!S_ISREG(info.st_mode)) return Error{Errc::kModel, fmt::format("{}: not a file", path.native())};
  Digest digest;
  std::vector<unsigned char> buffer(std::size_t{1} << 17);
  for (;;) {
    const ssize_t n = ::read(file.get(), buffer.data(), buffer.size());
    if (n < 0 && errno != EINTR) return failure(errno);
    if (n == 0) break;
    if (n > 0) digest.add(buffer.data(), static_cast<std::size_t>(n));
  }
  return digest.hex();
}

std::string sha256_of(std::initializer_list<std::string_view> texts) {
  Digest digest;
  for (const std::string_view text : texts) digest.add(text.data(), text.size());
  return digest.hex();
}

}  // namespace posecam
