// OpenSSL 3 for Swift: the headers, and the macros that Swift cannot import as functions.
#pragma once
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/dh.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// Key generation is a macro over a variadic function.
static inline EVP_PKEY *copenssl_generate_p256(void) { return EVP_EC_gen("P-256"); }
static inline EVP_PKEY *copenssl_generate_rsa(unsigned int bits) { return EVP_RSA_gen(bits); }

// --- TLS ---

#include <errno.h>
#include <sys/socket.h>

// SNI and the two context settings below are macros.
static inline int copenssl_set_server_name(SSL *ssl, const char *name) {
  return (int)SSL_set_tlsext_host_name(ssl, name);
}
static inline int copenssl_set_minimum_version_1_2(SSL_CTX *context) {
  return (int)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
}
static inline void copenssl_set_maximum_version_1_2(SSL_CTX *context) {
  SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
}
static inline void copenssl_set_modes(SSL_CTX *context) {
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
}
static inline void copenssl_set_client_session_cache(SSL_CTX *context) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
}
static inline int copenssl_add_chain_certificate(SSL_CTX *context, X509 *certificate) {
  return (int)SSL_CTX_add1_chain_cert(context, certificate);
}

// The flags are macros with casts. Bytes above 127 are printed as they are: names are UTF-8.
static inline int copenssl_print_name(BIO *bio, const X509_NAME *name) {
  return X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
}

// Which library an error of the queue comes from, and why: macros over bit fields.
static inline int copenssl_error_reason(unsigned long error) { return ERR_GET_REASON(error); }
static inline int copenssl_error_is_tls(unsigned long error) {
  return ERR_GET_LIB(error) == ERR_LIB_SSL;
}

// A BIO over a connected, non-blocking socket. OpenSSL's own writes with write(2), which raises
// SIGPIPE in the whole process when the peer has gone; a library may not do that to its host.
typedef struct {
  int descriptor;
  int error;  // errno of the last call that failed for good, 0 if none has
  int ended;  // the peer has sent its FIN
} copenssl_socket;

static int copenssl_socket_create(BIO *bio) {
  BIO_set_data(bio, OPENSSL_zalloc(sizeof(copenssl_socket)));
  BIO_set_init(bio, 1);
  return BIO_get_data(bio) != NULL;
}

static int copenssl_socket_destroy(BIO *bio) {
  if (bio == NULL) return 0;
  OPENSSL_free(BIO_get_data(bio));
  BIO_set_data(bio, NULL);
  return 1;
}

static int copenssl_socket_read(BIO *bio, char *bytes, int count) {
  copenssl_socket *state = (copenssl_socket *)BIO_get_data(bio);
  ssize_t result;
  do result = recv(state->descriptor, bytes, (size_t)count, 0);
  while (result < 0 && errno == EINTR);
  BIO_clear_retry_flags(bio);
  if (result < 0) {
    if (errno == EAGAIN) BIO_set_retry_read(bio);
    else state->error = errno;
  } else if (result == 0) {
    state->ended = 1;
  }
  return (int)result;
}

static int copenssl_socket_write(BIO *bio, const char *bytes, int count) {
  copenssl_socket *state = (copenssl_socket *)BIO_get_data(bio);
  ssize_t result;
  do result = send(state->descriptor, bytes, (size_t)count, MSG_NOSIGNAL);
  while (result < 0 && errno == EINTR);
  BIO_clear_retry_flags(bio);
  if (result < 0) {
    if (errno == EAGAIN) BIO_set_retry_write(bio);
    else state->error = errno;
  }
  return (int)result;
}

static long copenssl_socket_control(BIO *bio, int command, long number, void *pointer) {
  (void)number;
  (void)pointer;
  switch (command) {
    case BIO_CTRL_FLUSH: return 1;
    case BIO_CTRL_EOF: return ((copenssl_socket *)BIO_get_data(bio))->ended;
    default: return 0;
  }
}

// The method table; made once by the caller and kept for the life of the process.
static inline BIO_METHOD *copenssl_socket_method(void) {
  BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket, no SIGPIPE");
  if (method == NULL) return NULL;
  BIO_meth_set_create(method, copenssl_socket_create);
  BIO_meth_set_destroy(method, copenssl_socket_destroy);
  BIO_meth_set_read(method, copenssl_socket_read);
  BIO_meth_set_write(method, copenssl_socket_write);
  BIO_meth_set_ctrl(method, copenssl_socket_control);
  return method;
}

static inline BIO *copenssl_socket_new(const BIO_METHOD *method, int descriptor) {
  BIO *bio = BIO_new(method);
  if (bio != NULL) ((copenssl_socket *)BIO_get_data(bio))->descriptor = descriptor;
  return bio;
}

static inline int copenssl_socket_error(BIO *bio) {
  return ((copenssl_socket *)BIO_get_data(bio))->error;
}
