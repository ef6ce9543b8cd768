// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.
//
// Reads lines as they appear in a file (inotify) or on standard input, and notes how long after its
// sending each message was readable there.
//
//   follow MESSAGES FILE      FILE may not be there yet
//   follow MESSAGES -
//
// On standard output: one line of JSON.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int compare(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: follow MESSAGES FILE|-\n");
    return 64;
  }
  long wanted = atol(argv[1]), messages = 0;
  int64_t *delays = malloc((size_t)wanted * sizeof *delays);
  int is_file = strcmp(argv[2], "-") != 0, fd = 0, watch = -1;
  if (is_file) {
    while ((fd = open(argv[2], O_RDONLY)) < 0) usleep(1000);
    watch = inotify_init1(IN_CLOEXEC);
    if (watch < 0 || inotify_add_watch(watch, argv[2], IN_MODIFY | IN_CLOSE_WRITE) < 0) return 1;
  }
  size_t room = 8 << 20, count = 0;
  char *buffer = malloc(room);
  int64_t silent = now();
  while (messages < wanted && now() - silent < 20000000000LL) {
    ssize_t n = read(fd, buffer + count, room - count);
    if (n < 0) return 1;
    if (n == 0) {
      if (!is_file) break;
      struct pollfd p = {watch, POLLIN, 0};
      char events[4096];
      if (poll(&p, 1, 1000) > 0 && read(watch, events, sizeof events) < 0) return 1;
      continue;
    }
    int64_t time = silent = now();
    count += (size_t)n;
    char *line = buffer, *end;
    while ((end = memchr(line, '\n', count - (size_t)(line - buffer)))) {
      // The message stands in the line as a JSON string, so its quotes are escaped.
      char *stamp = memmem(line, (size_t)(end - line), "7762\\\":\\\"", 9);
      if (stamp && messages < wanted) delays[messages++] = time - strtoll(stamp + 9, NULL, 10);
      line = end + 1;
    }
    count -= (size_t)(line - buffer);
    memmove(buffer, line, count);
  }
  // Who still writes must not find the pipe closed.
  while (!is_file && read(fd, buffer, room) > 0) {}
  if (!messages) return 1;
  qsort(delays, (size_t)messages, sizeof *delays, compare);
#define AT(share) ((double)delays[(long)((double)(messages - 1) * (share))] / 1e3)
  printf("{\"messages\":%ld,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f}\n", messages,
         AT(0.5), AT(0.99), AT(0.999), AT(1.0));
  return 0;
}
