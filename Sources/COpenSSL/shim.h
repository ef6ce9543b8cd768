// OpenSSL 3 for Swift: the headers, and the macros that Swift cannot import as functions.
#pragma once
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
