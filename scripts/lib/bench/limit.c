// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.
//
// The physical limit of scripts/bench: one thread that decrypts, walks the frames in place, and does
// as little more as the mode asks for. Its figures are what all others are measured by.
//
//   count          decrypt and split
//   append FILE    and append each message and a newline to a file
//   lines FILE     and write the lines of ch=raw instead: numbered, stamped, escaped
//   latency        and note how long after its sending each message was there
//
// On standard output: one line of JSON.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { READ_SPACE = 128 * 1024, WRITE_SPACE = 1 << 20 };

static void die(const char *what) {
  fprintf(stderr, "limit: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int64_t now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int output = -1;
static char *lines;
static size_t filled;

static void flush(void) {
  for (size_t at = 0; at < filled;) {
    ssize_t n = write(output, lines + at, filled - at);
    if (n < 0) die("write");
    at += (size_t)n;
  }
  filled = 0;
}

static void put(const void *data, size_t count) {
  memcpy(lines + filled, data, count);
  filled += count;
}

#define PUT(text) put(text, sizeof(text) - 1)

static void put_number(int64_t value) {
  char digits[20];
  int n = 20;
  do digits[--n] = (char)('0' + value % 10);
  while (value /= 10);
  put(digits + n, (size_t)(20 - n));
}

static unsigned char escaped[256];

static void put_string(const unsigned char *text, size_t count) {
  size_t from = 0;
  for (size_t i = 0; i < count; i++) {
    if (!escaped[text[i]]) continue;
    put(text + from, i - from);
    if (text[i] == '"' || text[i] == '\\') {
      PUT("\\");
      from = i;
    } else {
      char code[7];
      snprintf(code, sizeof code, "\\u%04x", text[i]);
      put(code, 6);
      from = i + 1;
    }
  }
  put(text + from, count - from);
}

// Where the value of a member begins.
static const unsigned char *value_of(const unsigned char *message, size_t count, const char *key) {
  const unsigned char *found = memmem(message, count, key, strlen(key));
  return found ? found + strlen(key) : NULL;
}

static void put_line(long seq, int64_t realtime, int64_t monotonic, const unsigned char *message, size_t count) {
  if (filled + 2 * count + 512 > WRITE_SPACE) flush();
  PUT("{\"v\":1,\"run\":\"01M85Q3EXHXZ9HP4FXDRCJTJQF\",\"seq\":");
  put_number(seq);
  PUT(",\"ts_recv\":");
  put_number(realtime);
  PUT(",\"ts_event\":");
  const unsigned char *updated = value_of(message, count, "\"_updated\":");
  if (updated) {
    put_number(strtoll((const char *)updated, NULL, 10) * 1000000);
  } else {
    PUT("null");
  }
  PUT(",\"mono\":");
  put_number(monotonic);
  PUT(",\"dir\":\"in\",\"op\":\"text\",\"topic\":\"");
  const unsigned char *topic = value_of(message, count, "\"topic\":\"");
  if (topic) put(topic, (size_t)((const unsigned char *)memchr(topic, '"', 64) - topic));
  PUT("\",\"msg\":\"");
  put_string(message, count);
  PUT("\",\"b64\":null,\"redacted\":false}\n");
}

static int compare(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: limit PORT count|append|lines|latency [FILE]\n");
    return 64;
  }
  const char *mode = argv[2];
  int appending = !strcmp(mode, "append"), lining = !strcmp(mode, "lines"), timing = !strcmp(mode, "latency");
  if (appending || lining) {
    if (argc < 4 || (output = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC, 0644)) < 0) die("open");
    lines = malloc(WRITE_SPACE + 65536);
  }
  for (int i = 0; i < 32; i++) escaped[i] = 1;
  escaped['"'] = escaped['\\'] = 1;
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(fd, (struct sockaddr *)&address, sizeof address)) die("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, READ_SPACE);
  SSL *ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  if (SSL_connect(ssl) != 1) die("TLS");
  static const char request[] =
      "GET /load HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  SSL_write(ssl, request, sizeof request - 1);

  unsigned char *buffer = malloc(READ_SPACE + 1);
  size_t begin = 0, end = 0;
  long messages = 0, bytes = 0, capacity = 0;
  int64_t *delays = NULL;
  int upgraded = 0, closed = 0;
  struct rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  int64_t start = now(CLOCK_MONOTONIC);
  while (!closed) {
    if (READ_SPACE - end < 16384) {
      memmove(buffer, buffer + begin, end - begin);
      end -= begin, begin = 0;
    }
    int n = SSL_read(ssl, buffer + end, (int)(READ_SPACE - end));
    if (n <= 0) break;
    end += (size_t)n;
    int64_t realtime = lining ? now(CLOCK_REALTIME) : 0;
    int64_t monotonic = lining || timing ? now(CLOCK_MONOTONIC) : 0;
    if (!upgraded) {
      unsigned char *head = memmem(buffer, end, "\r\n\r\n", 4);
      if (!head) continue;
      begin = (size_t)(head + 4 - buffer), upgraded = 1;
      // Not before: the server prepares the whole stream first.
      start = now(CLOCK_MONOTONIC);
    }
    while (end - begin >= 2) {
      const unsigned char *frame = buffer + begin;
      size_t head = 2, length = frame[1] & 127;
      if (length == 126) {
        if (end - begin < 4) break;
        length = (size_t)frame[2] << 8 | frame[3], head = 4;
      } else if (length == 127) {
        errno = EMSGSIZE;
        die("frame");
      }
      if (end - begin < head + length) break;
      const unsigned char *payload = frame + head;
      int opcode = frame[0] & 15;
      if (opcode < 8) {
        messages++, bytes += (long)length;
        if (appending) {
          if (filled + length + 1 > WRITE_SPACE) flush();
          put(payload, length);
          PUT("\n");
        } else if (lining) {
          put_line(messages, realtime, monotonic, payload, length);
        } else if (timing) {
          const unsigned char *stamp = value_of(payload, length, "\"7762\":\"");
          if (messages > capacity) delays = realloc(delays, (size_t)(capacity = capacity * 2 + 1024) * sizeof *delays);
          delays[messages - 1] = stamp ? monotonic - strtoll((const char *)stamp, NULL, 10) : 0;
        }
      } else if (opcode == 9) {
        unsigned char pong[6 + 125] = {0x8a, (unsigned char)(0x80 | length)};
        memcpy(pong + 6, payload, length);
        SSL_write(ssl, pong, (int)(6 + length));
      } else if (opcode == 8) {
        closed = 1;
      }
      begin += head + length;
    }
    if (begin == end) begin = end = 0;
  }
  if (output >= 0) flush();
  double seconds = (double)(now(CLOCK_MONOTONIC) - start) / 1e9;
  getrusage(RUSAGE_SELF, &after);
#define SPENT(which) \
  ((double)(after.which.tv_sec - before.which.tv_sec) + (double)(after.which.tv_usec - before.which.tv_usec) / 1e6)
  printf("{\"messages\":%ld,\"bytes\":%ld,\"seconds\":%.6f,\"cpu_user\":%.6f,\"cpu_system\":%.6f,\"rss\":%.1f",
         messages, bytes, seconds, SPENT(ru_utime), SPENT(ru_stime), (double)after.ru_maxrss / 1024);
  if (timing && messages) {
    qsort(delays, (size_t)messages, sizeof *delays, compare);
#define AT(share) ((double)delays[(long)((double)(messages - 1) * (share))] / 1e3)
    printf(",\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f", AT(0.5), AT(0.99), AT(0.999), AT(1.0));
  }
  printf("}\n");
  return closed ? 0 : 1;
}
