#include "models/core/file_handle.h"

#include <cstdlib>
#include <fstream>
#include <string>
#include <sys/stat.h>

namespace posecam {

bool is_own_file(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_nlink <= 1 && info.st_uid == ::geteuid();
}

mode_t usual_mode() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "Umask:" && status >> word) return 0666 & ~static_cast<mode_t>(std::strtoul(word.c_str(), nullptr, 8));
  }
  return 0644;
}

}  // namespace posecam
