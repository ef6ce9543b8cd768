// What Glibc's own Swift module leaves out: epoll, eventfd, signalfd; prctl, which is variadic; accept4.
#pragma once
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

/// Names the calling thread for debuggers and top; Linux keeps the first 15 bytes.
static inline void clinux_name_thread(const char *name) {
  prctl(PR_SET_NAME, name, 0, 0, 0);
}

// Declared by <sys/socket.h> only for _GNU_SOURCE, with which Swift does not read it.
extern int accept4(int listener, struct sockaddr *peer, socklen_t *length, int flags);

/// Takes a waiting connection; its descriptor neither blocks nor survives an exec.
static inline int clinux_accept(int listener) {
  return accept4(listener, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
