// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.
//
// The load server of scripts/bench: a gateway that is never the bottleneck. At full speed the whole
// stream of messages is framed and encrypted before its first byte is sent, so that sending costs
// one copy; with --rate each message is encrypted when its time has come, and carries that time.
//
// On standard output: "listening PORT"; for each stream "subscribed TIME", when a gateway's client has
// asked for the first instrument, and a line of JSON, when the ping behind the last message has been
// answered.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

static long messages = 1000000, instruments = 1, rate = 0, size_wanted = 0;
static int deflating = 0;

static void die(const char *what) {
  fprintf(stderr, "load_server: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int64_t now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

// A buffer that grows.
struct bytes {
  unsigned char *data;
  size_t count, capacity;
};

static unsigned char *reserve(struct bytes *b, size_t extra) {
  if (b->count + extra > b->capacity) {
    b->capacity = (b->count + extra) * 3 / 2 + 4096;
    b->data = realloc(b->data, b->capacity);
    if (!b->data) die("memory");
  }
  return b->data + b->count;
}

static void append(struct bytes *b, const void *data, size_t count) {
  memcpy(reserve(b, count), data, count);
  b->count += count;
}

static void append_text(struct bytes *b, const char *text) { append(b, text, strlen(text)); }

// One frame from the server: not masked (RFC 6455 section 5.2).
static void append_frame(struct bytes *b, int first, const void *payload, size_t count) {
  unsigned char head[10] = {(unsigned char)first};
  size_t length = 2;
  if (count < 126) {
    head[1] = (unsigned char)count;
  } else if (count < 65536) {
    head[1] = 126, head[2] = (unsigned char)(count >> 8), head[3] = (unsigned char)count, length = 4;
  } else {
    head[1] = 127;
    for (int i = 0; i < 8; i++) head[2 + i] = (unsigned char)((uint64_t)count >> (56 - 8 * i));
    length = 10;
  }
  append(b, head, length);
  append(b, payload, count);
}

enum { FINAL = 0x80, COMPRESSED = 0x40, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

static const int conid_base = 265598;

// A message of market data as IBKR sends it, with all that a tick changes: 290 bytes on the average.
// `stamp` is the monotonic time at which it is sent, in ns; 0 leaves it out.
static size_t message(char *out, size_t room, long number, int64_t updated, int64_t stamp) {
  long instrument = number % instruments, conid = conid_base + instrument;
  unsigned noise = (unsigned)(number * 2654435761u) >> 8;
  long cents = 27155 + noise % 97;
  int n;
  if (size_wanted && size_wanted < 200) {
    n = snprintf(out, room, "{\"topic\":\"smd+%ld\",\"31\":\"%ld.%02ld\",\"_updated\":%lld}", conid,
                 cents / 100, cents % 100, (long long)updated);
  } else {
    n = snprintf(out, room,
                 "{\"server_id\":\"q%ld\",\"conidEx\":\"%ld\",\"conid\":%ld,\"_updated\":%lld,\"6119\":\"q%ld\","
                 "\"31\":\"%ld.%02ld\",\"84\":\"%ld.%02ld\",\"86\":\"%ld.%02ld\",\"88\":\"%u\",\"85\":\"%u\","
                 "\"7059\":\"%u\",\"87\":\"%u.%uM\",\"87_raw\":%u.0,\"70\":\"273.10\",\"71\":\"268.95\","
                 "\"83\":%u.%02u,\"6509\":\"RpB\",\"7741\":\"271.10\"",
                 instrument, conid, conid, (long long)updated, instrument, cents / 100, cents % 100,
                 (cents - 1) / 100, (cents - 1) % 100, (cents + 1) / 100, (cents + 1) % 100,
                 100 + noise % 900, 100 + noise % 700, 1 + noise % 300, 12 + noise % 9, noise % 10,
                 12000000 + noise % 90000, noise % 3, noise % 100);
    if (stamp) n += snprintf(out + n, room - (size_t)n, ",\"7762\":\"%lld\"", (long long)stamp);
    n += snprintf(out + n, room - (size_t)n, ",\"topic\":\"smd+%ld\"", conid);
    // Long ones are padded inside a string, so that they stay JSON.
    long missing = size_wanted - n - 9;
    if (missing > 0) {
      n += sprintf(out + n, ",\"6508\":\"");
      for (long i = 0; i < missing - 1; i++) out[n++] = (char)('a' + (i + number) % 26);
      out[n++] = '"';
    }
    out[n++] = '}';
  }
  return (size_t)n;
}

static const char greeting[] =
    "{\"topic\":\"system\",\"success\":\"loaduser1\",\"isFT\":false,\"isPaper\":true}\0"
    "{\"topic\":\"act\",\"args\":{\"accounts\":[\"DU0000001\"],\"selectedAccount\":\"DU0000001\",\"isPaper\":true}}\0"
    "{\"topic\":\"sts\",\"args\":{\"connected\":true,\"authenticated\":true,\"established\":true,"
    "\"competing\":false,\"message\":\"\",\"fail\":\"\"}}\0";

static void deflate_message(z_stream *z, struct bytes *out, const char *in, size_t count) {
  size_t start = out->count;
  z->next_in = (unsigned char *)in, z->avail_in = (unsigned)count;
  do {
    z->next_out = reserve(out, 4096), z->avail_out = 4096;
    if (deflate(z, Z_SYNC_FLUSH) != Z_OK) die("deflate");
    out->count += 4096 - z->avail_out;
  } while (z->avail_out == 0);
  // The last four bytes, 00 00 ff ff, are left away (RFC 7692 section 7.2.1).
  if (out->count - start >= 4) out->count -= 4;
}

static void append_messages(struct bytes *out, long from, long count) {
  static z_stream z;
  static int begun;
  char *text = malloc((size_t)size_wanted + 4096);
  struct bytes packed = {0};
  int64_t updated = now(CLOCK_REALTIME) / 1000000;
  if (deflating && !begun) {
    begun = 1;
    if (deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) die("deflateInit2");
  }
  for (long i = from; i < from + count; i++) {
    size_t n = message(text, (size_t)size_wanted + 4096, i, updated + i / 100, 0);
    if (deflating) {
      packed.count = 0;
      deflate_message(&z, &packed, text, n);
      append_frame(out, FINAL | COMPRESSED | TEXT, packed.data, packed.count);
    } else {
      append_frame(out, FINAL | TEXT, text, n);
    }
  }
  free(packed.data);
  free(text);
}

// One client: TLS over memory BIOs, so that bytes can be encrypted before they are sent.
struct client {
  int fd;
  SSL *ssl;
  BIO *in, *out;
  struct bytes received;  // decrypted and not looked at yet
};

static void send_all(int fd, const unsigned char *data, size_t count) {
  while (count) {
    ssize_t n = send(fd, data, count, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) exit(0);  // the client has left
    data += n, count -= (size_t)n;
  }
}

static void flush(struct client *c) {
  char *data;
  long count = BIO_get_mem_data(c->out, &data);
  if (count > 0) send_all(c->fd, (unsigned char *)data, (size_t)count);
  (void)BIO_reset(c->out);
}

// Encrypts into `to` without sending.
static void encrypt(struct client *c, const struct bytes *plain, struct bytes *to) {
  for (size_t at = 0; at < plain->count;) {
    size_t part = plain->count - at < 16384 ? plain->count - at : 16384;
    if (SSL_write(c->ssl, plain->data + at, (int)part) != (int)part) die("SSL_write");
    char *data;
    long count = BIO_get_mem_data(c->out, &data);
    append(to, data, (size_t)count);
    (void)BIO_reset(c->out);
    at += part;
  }
}

static void say(struct client *c, const struct bytes *plain) {
  struct bytes cipher = {0};
  encrypt(c, plain, &cipher);
  send_all(c->fd, cipher.data, cipher.count);
  free(cipher.data);
}

// Reads what there is, waiting for it at most so long; returns 0 at the end of the stream.
static int receive(struct client *c, int milliseconds) {
  struct pollfd p = {c->fd, POLLIN, 0};
  if (poll(&p, 1, milliseconds) <= 0) return 1;
  unsigned char buffer[65536];
  ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
  if (n <= 0) return 0;
  BIO_write(c->in, buffer, (int)n);
  if (!SSL_is_init_finished(c->ssl)) {
    int done = SSL_accept(c->ssl);
    flush(c);
    if (done != 1) return SSL_get_error(c->ssl, done) == SSL_ERROR_WANT_READ;
  }
  int got;
  while ((got = SSL_read(c->ssl, buffer, sizeof buffer)) > 0) append(&c->received, buffer, (size_t)got);
  return SSL_get_error(c->ssl, got) == SSL_ERROR_WANT_READ;
}

// The next frame of the client, unmasked; -1 when there is none yet.
static int next_frame(struct client *c, char *text, size_t room) {
  unsigned char *d = c->received.data;
  size_t count = c->received.count, head = 6, length;
  if (count < 6) return -1;
  length = d[1] & 127;
  if (length == 126) {
    if (count < 8) return -1;
    length = (size_t)d[2] << 8 | d[3], head = 8;
  } else if (length == 127) {
    exit(1);
  }
  if (count < head + length) return -1;
  int opcode = d[0] & 15;
  size_t kept = length < room - 1 ? length : room - 1;
  for (size_t i = 0; i < kept; i++) text[i] = (char)(d[head + i] ^ d[head - 4 + i % 4]);
  text[kept] = 0;
  c->received.count -= head + length;
  memmove(d, d + head + length, c->received.count);
  return opcode;
}

static void answer(struct client *c, const char *status, const char *body) {
  struct bytes out = {0};
  char head[256];
  snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
           status, strlen(body));
  append_text(&out, head);
  append_text(&out, body);
  say(c, &out);
  free(out.data);
}

#define STATUS                                                                                  \
  "{\"authenticated\":true,\"established\":true,\"competing\":false,\"connected\":true,"        \
  "\"message\":\"\",\"fail\":\"\",\"serverInfo\":{\"serverName\":\"load\",\"serverVersion\":\"1\"}}"

static void answer_request(struct client *c, const char *path) {
  if (!strcmp(path, "tickle"))
    answer(c, "200 OK", "{\"session\":\"e5af95a05fe55041a403680abb434efa\",\"ssoExpires\":460311,"
                        "\"collission\":false,\"userId\":1,\"iserver\":{\"authStatus\":" STATUS "}}");
  else if (!strcmp(path, "iserver/auth/status"))
    answer(c, "200 OK", STATUS);
  else if (!strcmp(path, "iserver/accounts"))
    answer(c, "200 OK", "{\"accounts\":[\"DU0000001\"],\"aliases\":{},\"selectedAccount\":\"DU0000001\"}");
  else
    answer(c, "404 Not Found", "{\"error\":\"not served here\"}");
}

static void upgrade(const char *request, struct bytes *out) {
  const char *key = strcasestr(request, "sec-websocket-key:");
  char accepted[128], joined[128];
  unsigned char digest[20];
  if (!key) exit(1);
  key += 18;
  while (*key == ' ') key++;
  snprintf(joined, sizeof joined, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
  EVP_Digest(joined, strlen(joined), digest, NULL, EVP_sha1(), NULL);
  EVP_EncodeBlock((unsigned char *)accepted, digest, 20);
  append_text(out, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
  if (deflating && strcasestr(request, "permessage-deflate"))
    append_text(out, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  else
    deflating = 0;
  append_text(out, "Sec-WebSocket-Accept: ");
  append_text(out, accepted);
  append_text(out, "\r\n\r\n");
}

static void answer_frame(struct client *c, int opcode, const void *payload, size_t count) {
  struct bytes out = {0};
  append_frame(&out, FINAL | opcode, payload, count);
  say(c, &out);
  free(out.data);
}

// Takes what the client has said; returns how many subscriptions were among it.
static long attend(struct client *c) {
  char text[4096];
  long seen = 0;
  int opcode;
  while ((opcode = next_frame(c, text, sizeof text)) >= 0) {
    if (opcode == TEXT) seen += !strncmp(text, "smd+", 4);
    if (opcode == PING) answer_frame(c, PONG, text, strlen(text));
    if (opcode == CLOSE) exit(0);
  }
  return seen;
}

// Reads until `wanted` subscriptions have been asked for, which takes a minute for a thousand: it says
// meanwhile that it is alive, as a gateway does.
static void await_subscriptions(struct client *c, long wanted) {
  static const char heartbeat[] = "{\"topic\":\"system\",\"hb\":1}";
  int64_t said = now(CLOCK_MONOTONIC);
  long seen = attend(c);
  while (seen < wanted) {
    if (now(CLOCK_MONOTONIC) - said >= 10000000000LL) {
      answer_frame(c, TEXT, heartbeat, sizeof heartbeat - 1);
      said = now(CLOCK_MONOTONIC);
    }
    if (!receive(c, 1000)) exit(0);
    long more = attend(c);
    if (!seen && more) {
      printf("subscribed %lld\n", (long long)now(CLOCK_MONOTONIC));
      fflush(stdout);
    }
    seen += more;
  }
}

// Reads until the ping behind everything has been answered.
static void await_proof(struct client *c) {
  char text[4096];
  for (;;) {
    int opcode = next_frame(c, text, sizeof text);
    if (opcode == PONG && !strcmp(text, "end")) return;
    if (opcode == CLOSE) exit(0);
    if (opcode < 0 && !receive(c, 1000)) exit(0);
  }
}

// Sends `rate` messages a second, each with the time at which it was handed over.
static void pace(struct client *c) {
  char *text = malloc((size_t)size_wanted + 4096);
  struct bytes frame = {0};
  int64_t start = now(CLOCK_MONOTONIC) + 1000000;
  for (long i = 0; i < messages; i++) {
    int64_t due = start + i * 1000000000LL / rate, left;
    while ((left = due - now(CLOCK_MONOTONIC)) > 0) {
      struct timespec t = {left / 1000000000, left % 1000000000};
      // Sleeping ends some 60 µs late; what is due within that comes at once.
      if (left > 60000) clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
    }
    frame.count = 0;
    int64_t stamp = now(CLOCK_MONOTONIC);
    size_t n = message(text, (size_t)size_wanted + 4096, i, now(CLOCK_REALTIME) / 1000000, stamp);
    append_frame(&frame, FINAL | TEXT, text, n);
    say(c, &frame);
    if (i % 1000 == 0) {
      if (!receive(c, 0)) exit(0);
      attend(c);
    }
  }
  free(frame.data);
  free(text);
}

static void stream(struct client *c, const char *request, int is_gateway) {
  struct bytes head = {0}, plain = {0}, cipher = {0}, end = {0};
  upgrade(request, &head);
  if (is_gateway)
    for (const char *g = greeting; *g; g += strlen(g) + 1) append_frame(&head, FINAL | BINARY, g, strlen(g));
  append_frame(&end, FINAL | PING, "end", 3);
  if (is_gateway || rate) {
    say(c, &head);
    if (is_gateway) await_subscriptions(c, instruments);
  } else {
    encrypt(c, &head, &cipher);
  }
  // In parts, so that the plain text is never there as a whole.
  for (long i = 0; !rate && i < messages; i += 10000) {
    plain.count = 0;
    append_messages(&plain, i, messages - i < 10000 ? messages - i : 10000);
    encrypt(c, &plain, &cipher);
  }
  if (!rate) encrypt(c, &end, &cipher);
  int64_t start = now(CLOCK_MONOTONIC);
  if (rate) {
    pace(c);
    say(c, &end);
  } else {
    send_all(c->fd, cipher.data, cipher.count);
  }
  int64_t sent = now(CLOCK_MONOTONIC);
  await_proof(c);
  int64_t done = now(CLOCK_MONOTONIC);
  printf("{\"messages\":%ld,\"bytes\":%zu,\"sending\":%.6f,\"seconds\":%.6f}\n", messages, cipher.count,
         (double)(sent - start) / 1e9, (double)(done - start) / 1e9);
  fflush(stdout);
  // A gateway goes on; a client that only counts is told that this was all.
  if (!is_gateway) answer_frame(c, CLOSE, "\x03\xe8", 2);
  for (;;) {
    char text[4096];
    int opcode;
    while ((opcode = next_frame(c, text, sizeof text)) >= 0) {
      if (opcode == PING) answer_frame(c, PONG, text, strlen(text));
      if (opcode != CLOSE) continue;
      if (is_gateway) answer_frame(c, CLOSE, "\x03\xe8", 2);
      SSL_shutdown(c->ssl);
      flush(c);
      exit(0);
    }
    if (!receive(c, 1000)) exit(0);
  }
}

static void serve(int fd, SSL_CTX *context) {
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct client c = {fd, SSL_new(context), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()), {0}};
  BIO_set_mem_eof_return(c.in, -1);
  SSL_set_bio(c.ssl, c.in, c.out);
  SSL_set_accept_state(c.ssl);
  for (;;) {
    append(&c.received, "", 1);
    c.received.count -= 1;  // a zero behind the text, for the functions that look for one
    char *head = (char *)c.received.data, *end = strstr(head, "\r\n\r\n");
    if (!end) {
      if (!receive(&c, 60000)) exit(0);
      continue;
    }
    const char *length = strcasestr(head, "content-length:");
    size_t body = length && length < end ? (size_t)atol(length + 15) : 0;
    size_t whole = (size_t)(end + 4 - head) + body;
    if (c.received.count < whole) {
      if (!receive(&c, 60000)) exit(0);
      continue;
    }
    char *path = strchr(head, ' '), *rest = path ? strpbrk(path + 1, " ?") : NULL;
    if (!rest) exit(1);
    char target[256];
    snprintf(target, sizeof target, "%.*s", (int)(rest - path - 1), path + 1);
    char *request = strndup(head, whole);
    c.received.count -= whole;
    memmove(c.received.data, c.received.data + whole, c.received.count);
    const char *name = !strncmp(target, "/v1/api/", 8) ? target + 8 : target;
    if (!strcmp(target, "/load") || !strcmp(name, "ws"))
      stream(&c, request, !strcmp(name, "ws"));
    else
      answer_request(&c, name);
    free(request);
  }
}

int main(int argc, char **argv) {
  const char *certificate = NULL;
  for (int i = 1; i < argc; i++) {
    const char *name = argv[i];
    if (!strcmp(name, "--deflate")) {
      deflating = 1;
      continue;
    }
    if (i + 1 >= argc) {
      fprintf(stderr, "load_server: %s needs a value\n", name);
      return 64;
    }
    const char *value = argv[++i];
    if (!strcmp(name, "--certificate")) certificate = value;
    else if (!strcmp(name, "--messages")) messages = atol(value);
    else if (!strcmp(name, "--instruments")) instruments = atol(value);
    else if (!strcmp(name, "--rate")) rate = atol(value);
    else if (!strcmp(name, "--size")) size_wanted = atol(value);
    else {
      fprintf(stderr, "load_server: unknown option %s\n", name);
      return 64;
    }
  }
  if (!certificate || messages < 1 || instruments < 1) {
    fprintf(stderr, "usage: load_server --certificate PEM [--messages N] [--instruments N] [--rate N] "
                    "[--size BYTES] [--deflate]\n");
    return 64;
  }
  signal(SIGPIPE, SIG_IGN);
  signal(SIGCHLD, SIG_IGN);
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, certificate, SSL_FILETYPE_PEM) != 1)
    die("certificate");
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) || listen(listener, 16) ||
      getsockname(listener, (struct sockaddr *)&address, &length))
    die("listen");
  printf("listening %d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) {
      if (errno == EINTR) continue;
      die("accept");
    }
    if (fork() == 0) {
      close(listener);
      serve(fd, context);
      exit(0);
    }
    close(fd);
  }
}
