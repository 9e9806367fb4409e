#pragma once
// Whom https is to trust.

namespace posecam {

/// From now on, in this process, the authorities of the file that SSL_CERT_FILE names (PEM) instead of the system's, as
/// OpenSSL and curl have it. False if it cannot be read: then nobody is trusted. Without that variable nothing changes.
bool trust_named_authorities();

}  // namespace posecam
