#include "models/store/address.h"

#include <algorithm>
#include <cctype>

namespace posecam {
namespace {

constexpr std::string_view kScheme = "://";

/// "host:8554", "[::1]:80", "[::1]"; but a user and a password of digits look like that, too.
bool has_port_or_none(std::string_view authority) {
  const std::string_view port = authority.substr(std::min(authority.rfind(':'), authority.size()));
  return authority.ends_with(']') || std::ranges::all_of(port.substr(std::min<std::size_t>(1, port.size())),
                                                         [](unsigned char c) { return std::isdigit(c) != 0; });
}

/// Where the host begins in what follows "://".
std::size_t begin_of_host(std::string_view rest) {
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.find_first_of(":@") == authority.npos) return 0;  // "host/a@b"
  const std::size_t query = std::min(rest.find_first_of("?#"), rest.size());
  const std::size_t last = rest.rfind('@');
  std::size_t at = rest.substr(0, query).rfind('@');
  // "user:pass?word@host", but "host:80/x?mail=me@there" and "user:password@host/x?mail=me@there" are good addresses.
  const bool whole = at != rest.npos || has_port_or_none(authority);
  if (last != rest.npos && last > query && !(whole && rest.substr(query, last - query).find('=') != rest.npos))
    at = last;
  return at == rest.npos ? 0 : at + 1;
}

bool is_of_scheme(unsigned char c) { return std::isalnum(c) != 0 || c == '+' || c == '-' || c == '.'; }

}  // namespace

std::string shown_url(std::string_view url) {
  const auto scheme = url.find(kScheme);
  if (scheme == url.npos) return std::string(url);
  const std::string_view rest = url.substr(scheme + kScheme.size());
  const std::string_view host = rest.substr(begin_of_host(rest));
  return std::string(url.substr(0, scheme)) + std::string(kScheme) +
         std::string(host.substr(0, host.find_first_of("?#")));
}

std::string with_shown_urls(std::string_view text) {
  std::string shown;
  for (std::size_t scheme = text.find(kScheme); scheme != text.npos; scheme = text.find(kScheme)) {
    std::size_t begin = scheme;
    while (begin > 0 && is_of_scheme(static_cast<unsigned char>(text[begin - 1]))) --begin;
    const std::size_t end = std::min(text.find_first_of(" \t\r\n\"'<>", scheme), text.size());
    shown += text.substr(0, begin);
    shown += shown_url(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
  return shown.append(text);
}

}  // namespace posecam
