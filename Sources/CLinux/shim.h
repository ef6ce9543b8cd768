// What Glibc's own Swift module leaves out: epoll, eventfd, signalfd; and prctl, which is variadic.
#pragma once
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>

/// Names the calling thread for debuggers and top; Linux keeps the first 15 bytes.
static inline void clinux_name_thread(const char *name) {
  prctl(PR_SET_NAME, name, 0, 0, 0);
}
