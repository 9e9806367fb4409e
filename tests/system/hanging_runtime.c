// A runtime of a device that hangs while it is loaded, as one does whose driver is stuck.
#include <unistd.h>

__attribute__((constructor)) static void hang(void) {
  (void)!write(STDERR_FILENO, "hanging\n", 8);
  for (;;) pause();
}
