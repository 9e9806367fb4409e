#pragma once
// Addresses as people may see them: user names and passwords are for servers alone.

#include <string>
#include <string_view>

namespace posecam {

/// A URL without user, password, query and fragment; anything else as it is. Passwords that were not percent-encoded
/// may have any of "/@?#:" in them: where it cannot be told whether an "@" ends one, all before it is left out. Only
/// one behind "?" and "=" ends none, where the address is good without that.
std::string shown_url(std::string_view url);

/// A text of others, such as the error of a library, with each URL in it so.
std::string with_shown_urls(std::string_view text);

}  // namespace posecam
