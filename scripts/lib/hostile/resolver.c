// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.
//
// A name server that misbehaves, preloaded in front of the system's getaddrinfo. RESOLVER holds what
// becomes of the questions for IPv6 and for IPv4 addresses: "silent" (no answer, ever), "again",
// "none", or the address that is the answer.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int resolve(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **result) {
  char six[64] = "none", four[64] = "none";
  const char *rules = getenv("RESOLVER");
  if (rules) sscanf(rules, "%63s %63s", six, four);
  const char *rule = hints && hints->ai_family == AF_INET6 ? six : four;
  if (!strcmp(rule, "silent")) for (;;) pause();
  if (!strcmp(rule, "again")) return EAI_AGAIN;
  if (!strcmp(rule, "none")) return EAI_NONAME;
  return ((resolve *)dlsym(RTLD_NEXT, "getaddrinfo"))(rule, service, hints, result);
}
