// One request on its thread: read, handed over, waited for, written. See http_server.h.
#include <sys/eventfd.h>
#include <unistd.h>

#include "control/door/http_body.h"
#include "control/door/http_server.h"

namespace maclane::door {
namespace {

constexpr std::chrono::milliseconds kLookAgain{500};

void write_answer(const RestAnswer& answer, httplib::Response& response) {
  response.status = answer.status;
  if (answer.status == 401) response.set_header("WWW-Authenticate", "Basic realm=\"Maclane\"");
  response.set_header("Cache-Control", "no-store");
  if (answer.no_body) return;
  response.set_content(rest_body(answer), "application/json");
}

}  // namespace

void HttpServer::answer(HttpStream& stream, const httplib::Request& request,
                        httplib::Response& response) {
  std::string body;
  if (const int status = read_body(stream, request, body); status != 0) {
    write_answer(rest_error(status, status == 413   ? "the body is longer than 4 MiB"
                                    : status == 408 ? "the request took too long"
                                                    : "the body is not in form"),
                 response);
    // Where the next request begins is not known.
    response.set_header("Connection", "close");
    stream.interrupt_after_answer();
    return;
  }
  const auto who = basic_auth(request.get_header_value("Authorization"));
  if (!who) {
    write_answer(rest_error(401, ""), response);
    return;
  }
  const auto exchange = std::make_shared<Exchange>();
  exchange->who = who;
  exchange->address = stream.guest().address;
  exchange->tls = stream.is_tls();
  exchange->asked = rest_call(request.method, request.target, body);
  {
    const std::lock_guard lock(mutex_);
    if (stop_) return write_answer(rest_error(503, "the router ends"), response);
    exchanges_.push_back(exchange);
  }
  const uint64_t one = 1;
  (void)!write(event_fd_, &one, sizeof one);
  std::unique_lock lock(exchange->mutex_);
  while (!exchange->wake_.wait_for(lock, kLookAgain, [&] { return exchange->done_; })) {
    if (!stream.is_gone()) continue;
    exchange->abandoned_.store(true, std::memory_order_relaxed);
    response.status = 408;
    return;
  }
  const RestAnswer answer = std::move(exchange->answer_);
  lock.unlock();
  stream.set_known(answer.status != 401);
  write_answer(answer, response);
}

}  // namespace maclane::door
