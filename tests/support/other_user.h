#pragma once
// What another user of the machine does, for tests that root runs.

#include <functional>
#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace posecam::test {

/// Does that in a process of the user `nobody` and waits for its end. False if this user may not become another one:
/// skip the test then.
inline bool as_other_user(const std::function<void()>& act) {
  constexpr id_t kNobody = 65534;
  if (::geteuid() != 0) return false;
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgroups(0, nullptr) != 0 || ::setgid(kNobody) != 0 || ::setuid(kNobody) != 0) ::_exit(1);
    act();
    ::_exit(0);
  }
  int status = 1;
  return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

}  // namespace posecam::test
