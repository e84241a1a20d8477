// Bodies (RFC 9112 6 and 7.1). See http_body.h.
#include "control/door/http_body.h"

#include <algorithm>
#include <charconv>

namespace maclane::door {
namespace {

constexpr size_t kLongestChunkLine = 256;
constexpr size_t kMostTrailers = 4096;

int read_exactly(HttpStream& stream, size_t size, std::string& body) {
  const size_t begin = body.size();
  body.resize(begin + size);
  for (size_t got = 0; got < size;) {
    const ssize_t n = stream.read(body.data() + begin + got, size - got);
    if (n <= 0) return stream.trouble() == 408 ? 408 : 400;
    got += static_cast<size_t>(n);
  }
  return 0;
}

/// A line without its end; CRLF it must be.
int read_line(HttpStream& stream, std::string& line) {
  line.clear();
  for (char c = 0; line.size() <= kLongestChunkLine;) {
    if (stream.read(&c, 1) != 1) return stream.trouble() == 408 ? 408 : 400;
    if (c == '\n') {
      if (line.empty() || line.back() != '\r') return 400;
      line.pop_back();
      return 0;
    }
    line.push_back(c);
  }
  return 400;
}

int read_chunks(HttpStream& stream, std::string& body) {
  stream.begin_body(HttpStream::kMaxBody * 2 + kMostTrailers);
  std::string line;
  for (;;) {
    if (const int status = read_line(stream, line); status != 0) return status;
    const size_t end = std::min(line.find(';'), line.size());
    size_t size = 0;
    const auto [at, error] = std::from_chars(line.data(), line.data() + end, size, 16);
    if (error != std::errc{} || at == line.data()) return 400;
    if (line.find_first_not_of(" \t", static_cast<size_t>(at - line.data())) < end) return 400;
    if (size == 0) break;
    if (size > HttpStream::kMaxBody - body.size()) return 413;
    if (const int status = read_exactly(stream, size, body); status != 0) return status;
    if (const int status = read_line(stream, line); status != 0) return status;
    if (!line.empty()) return 400;
  }
  for (size_t trailers = 0; trailers < kMostTrailers; trailers += line.size() + 2) {
    if (const int status = read_line(stream, line); status != 0) return status;
    if (line.empty()) return 0;
  }
  return 431;
}

}  // namespace

int read_body(HttpStream& stream, const httplib::Request& request, std::string& body) {
  const size_t lengths = request.get_header_value_count("Content-Length");
  const std::string encoding = request.get_header_value("Transfer-Encoding");
  if (!encoding.empty()) {
    // Both together is how requests are smuggled.
    if (lengths != 0 || strcasecmp(encoding.c_str(), "chunked") != 0) return 400;
    return read_chunks(stream, body);
  }
  if (lengths == 0) return 0;
  const std::string text = request.get_header_value("Content-Length");
  size_t size = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error == std::errc::result_out_of_range) return 413;
  if (lengths > 1 || error != std::errc{} || at != text.data() + text.size()) return 400;
  if (size > HttpStream::kMaxBody) return 413;
  stream.begin_body(size + 1);
  return read_exactly(stream, size, body);
}

}  // namespace maclane::door
