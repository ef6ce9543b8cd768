// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.
//
// Boost.Beast as its synchronous example uses it: counts messages until the close frame.
// On standard output: one line of JSON.

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <sys/resource.h>

namespace asio = boost::asio;
namespace beast = boost::beast;

static double spent(const timeval &before, const timeval &after) {
  return double(after.tv_sec - before.tv_sec) + double(after.tv_usec - before.tv_usec) / 1e6;
}

int main(int argc, char **argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: beast PORT [FILE]\n");
    return 64;
  }
  asio::io_context context;
  asio::ssl::context tls(asio::ssl::context::tlsv13_client);
  beast::websocket::stream<beast::ssl_stream<asio::ip::tcp::socket>> socket(context, tls);
  asio::ip::tcp::endpoint endpoint(asio::ip::address_v4::loopback(), static_cast<unsigned short>(std::stoi(argv[1])));
  beast::get_lowest_layer(socket).connect(endpoint);
  socket.next_layer().handshake(asio::ssl::stream_base::client);
  socket.read_message_max(64 << 20);
  socket.handshake("localhost", "/load");
  std::ofstream file;
  if (argc > 2) file.open(argv[2], std::ios::binary);

  rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  auto start = std::chrono::steady_clock::now();
  beast::flat_buffer buffer;
  beast::error_code error;
  long messages = 0, bytes = 0;
  for (;;) {
    buffer.clear();
    socket.read(buffer, error);
    if (error) break;
    messages++;
    bytes += long(buffer.size());
    if (file.is_open()) {
      file.write(static_cast<const char *>(buffer.data().data()), std::streamsize(buffer.size()));
      file.put('\n');
    }
  }
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (file.is_open()) file.close();
  getrusage(RUSAGE_SELF, &after);
  std::printf("{\"messages\":%ld,\"bytes\":%ld,\"seconds\":%.6f,\"cpu_user\":%.6f,\"cpu_system\":%.6f,\"rss\":%.1f}\n",
              messages, bytes, seconds, spent(before.ru_utime, after.ru_utime),
              spent(before.ru_stime, after.ru_stime), double(after.ru_maxrss) / 1024);
  if (error == beast::websocket::error::closed) return 0;
  std::fprintf(stderr, "beast: %s\n", error.message().c_str());
  return 1;
}
