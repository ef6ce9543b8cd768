// What Glibc's own Swift module leaves out: epoll, eventfd, signalfd, accept4, the variadic prctl, and
// the figures of malloc.
#pragma once
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

/// Names the calling thread for debuggers and top; Linux keeps the first 15 bytes.
static inline void clinux_name_thread(const char *name) {
  prctl(PR_SET_NAME, name, 0, 0, 0);
}

/// Lets the calling thread stand back behind others: Linux keeps the priority of each thread.
static inline void clinux_nice_thread(int nice) {
  setpriority(PRIO_PROCESS, 0, nice);
}

// Glibc's module has <sys/socket.h> without accept4; including the header here a second time would
// make its types belong to either module.
struct sockaddr;
extern int accept4(int listener, struct sockaddr *peer, unsigned int *length, int flags);

/// Takes a waiting connection, with SOCK_ flags for its descriptor.
static inline int clinux_accept(int listener, int flags) {
  return accept4(listener, 0, 0, flags);
}

/// The bytes that the process has from malloc and has not given back, over all arenas.
static inline size_t clinux_heap_bytes(void) {
  struct mallinfo2 figures = mallinfo2();
  return figures.uordblks + figures.hblkhd;
}
