#include "app/session/graph/authorities.h"

#include <cstdlib>

#include <gio/gio.h>

namespace posecam {

bool trust_named_authorities() {
  const char* file = std::getenv("SSL_CERT_FILE");
  if (file == nullptr || *file == '\0') return true;
  // Of the process and not of an element: those that fetch the segments of a playlist are made by others.
  GTlsDatabase* named = g_tls_file_database_new(file, nullptr);
  if (named == nullptr) return false;
  g_tls_backend_set_default_database(g_tls_backend_get_default(), named);
  g_object_unref(named);
  return true;
}

}  // namespace posecam
