#include "models/scratch_folder.h"

#include <cstdlib>
#include <string>
#include <system_error>

namespace posecam {

Result<ScratchFolder> ScratchFolder::make() {
  std::error_code error;
  std::string name = std::filesystem::temp_directory_path(error) / "posecam-XXXXXX";
  if (error || !::mkdtemp(name.data())) {
    return Error{Errc::kOutput, "no folder for temporary files can be made: set TMPDIR to one that can be written"};
  }
  ScratchFolder folder;
  folder.path_ = name;
  return folder;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace posecam
