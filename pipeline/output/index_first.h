#pragma once
// An MP4 or MOV file with its index ("moov") in front of its frames, so that it plays while it is still fetched.

namespace posecam {

/// Copies a finished movie from `from` to the empty file `to`, its index first: boxes and samples are the same, and the
/// index tells where the samples are now (ISO/IEC 14496-12, 8.7.5). Memory: the index. False: the index is first
/// already, the file is none that it knows, an offset would no longer fit, or the system refused (a full disk); what is
/// in `to` is of no use then. `from` is only read. Any thread.
bool copy_with_index_first(int from, int to);

}  // namespace posecam
