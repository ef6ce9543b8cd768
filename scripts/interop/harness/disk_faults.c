// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.
//
// A disk that fails for real, for a program that knows nothing of it: preloaded, it stands between
// the program and the C library. It concerns files below $FAULTY_DISK only, and looks into the
// folder $DISK_FAULTS for what is wrong at the moment:
//   eio-write, eio-sync  the next write, or sync, fails with EIO; the file is removed
//   stall                the next write takes two seconds; the file is removed
//   read-only            as long as it is there, nothing can be changed

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int concerns(int descriptor) {
  const char *disk = getenv("FAULTY_DISK");
  char link[64], target[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, target, sizeof target - 1);
  if (!disk || length < 0) return 0;
  target[length] = 0;
  return strncmp(target, disk, strlen(disk)) == 0;
}

static const char *fault(const char *name, char *path, size_t size) {
  const char *folder = getenv("DISK_FAULTS");
  snprintf(path, size, "%s/%s", folder ? folder : "/nonexistent", name);
  return path;
}

static int is_read_only(int descriptor) {
  char path[4096];
  return concerns(descriptor) && access(fault("read-only", path, sizeof path), F_OK) == 0;
}

static int happens(const char *name) {
  char path[4096];
  return REAL(unlinkat)(AT_FDCWD, fault(name, path, sizeof path), 0) == 0;
}

#define REFUSE_IF_READ_ONLY(descriptor) \
  if (is_read_only(descriptor)) { errno = EROFS; return -1; }

ssize_t write(int descriptor, const void *bytes, size_t count) {
  if (concerns(descriptor)) {
    REFUSE_IF_READ_ONLY(descriptor)
    if (happens("eio-write")) { errno = EIO; return -1; }
    if (happens("stall")) {
      struct timespec two = {2, 0};
      nanosleep(&two, NULL);
    }
  }
  return REAL(write)(descriptor, bytes, count);
}

static int failing_sync(int descriptor) {
  if (!concerns(descriptor)) return 0;
  if (is_read_only(descriptor)) { errno = EROFS; return -1; }
  if (happens("eio-sync")) { errno = EIO; return -1; }
  return 0;
}

int fdatasync(int descriptor) {
  return failing_sync(descriptor) ? -1 : REAL(fdatasync)(descriptor);
}

int fsync(int descriptor) { return failing_sync(descriptor) ? -1 : REAL(fsync)(descriptor); }

int ftruncate(int descriptor, off_t length) {
  REFUSE_IF_READ_ONLY(descriptor)
  return REAL(ftruncate)(descriptor, length);
}

int mkdirat(int folder, const char *path, mode_t mode) {
  REFUSE_IF_READ_ONLY(folder)
  return REAL(mkdirat)(folder, path, mode);
}

int renameat(int folder, const char *path, int other, const char *name) {
  REFUSE_IF_READ_ONLY(folder)
  return REAL(renameat)(folder, path, other, name);
}

int unlinkat(int folder, const char *path, int flags) {
  REFUSE_IF_READ_ONLY(folder)
  return REAL(unlinkat)(folder, path, flags);
}

int openat(int folder, const char *path, int flags, ...) {
  mode_t mode = 0;
  if (flags & O_CREAT) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    va_end(rest);
  }
  if ((flags & O_ACCMODE) != O_RDONLY) REFUSE_IF_READ_ONLY(folder)
  return REAL(openat)(folder, path, flags, mode);
}
