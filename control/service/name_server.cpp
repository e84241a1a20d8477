#include "control/service/name_server.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "control/observe/log.h"
#include "control/service/open_questions.h"

namespace maclane {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTopics = "dns";

/// The way of each question, what SIGUSR1 brings beside the table, and files read anew: not for
/// people. A line of the table with such a name has more than one blank after it.
bool is_note(std::string_view words) {
  static constexpr std::array<std::string_view, 25> kNotes = {
      "query[",        "query ",   "forwarded ", "reply ",       "cached ",
      "config ",       "host ",    "time ",      "cache size ",  "queries ",
      "DNSSEC per",    "pool mem", "child proc", "server ",      "started, ",
      "compile time ", "using ",   "cleared ",   "exiting on r", "listening ",
      "cached-stale ", "reading ", "read /run",  "inotify: ",    "no servers found in /run"};
  return std::ranges::any_of(kNotes, [&](std::string_view note) {
    return words.starts_with(note) && words.size() > note.size() && words[note.size()] != ' ';
  });
}

uint64_t clock_s() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(
                                   std::chrono::system_clock::now().time_since_epoch())
                                   .count());
}

/// The names of a hosts file with one a line.
std::set<std::string_view> names_of(std::string_view hosts) {
  std::set<std::string_view> out;
  while (!hosts.empty()) {
    const std::string_view line = hosts.substr(0, hosts.find('\n'));
    hosts.remove_prefix(std::min(line.size() + 1, hosts.size()));
    out.insert(line.substr(std::min(line.find(' '), line.size() - 1) + 1));
  }
  return out;
}

/// Where two listen beside each other: the library for it; "": it is not there.
const std::string& shared_port() {
  static const std::string found = preloaded("maclane-shared-port.so");
  return found;
}

}  // namespace

NameServer::NameServer(const std::string& state_folder, Resolver& resolver)
    : folder_(fmt::format("/run/maclane-dns-{:016x}",
                          std::hash<std::string>()(fs::absolute(state_folder).string()))),
      file_(folder_ + "/dnsmasq.conf"),
      state_folder_(state_folder),
      child_(made_child()),
      forwarder_(folder_, state_folder, resolver) {}

std::unique_ptr<Child> NameServer::made_child() {
  auto out =
      std::make_unique<Child>("dnsmasq", std::string(kTopics), state_folder_ + "/dnsmasq.pid");
  out->on_line([this](std::string_view line) { return hear(line); });
  out->preload(shared_port());
  return out;
}

NameServer::~NameServer() {
  former_.reset();
  child_->stop();
  forwarder_.configure({}, Netns::here(), 0);
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

bool NameServer::write(const std::string& path, const std::string& text) const {
  // It may look at any moment: it finds the old one or the new one.
  const std::string part = folder_ + "/part";
  std::ofstream file(part, std::ios::trunc);
  file << text;
  file.close();
  std::error_code why;
  if (file) fs::permissions(part, fs::perms(0644), why);
  if (file && !why) fs::rename(part, path, why);
  if (file && !why) return true;
  log::write(log::Level::kError, "dns,error", "{} cannot be written: no name server", path);
  return false;
}

bool NameServer::write_all() {
  return write(file_, files_.config) && write_servers() && write_domains() && write_hosts();
}

bool NameServer::write_servers() {
  std::string text;
  for (size_t at = 0, end = 0; at < files_.servers.size(); at = end + 1) {
    end = std::min(files_.servers.find('\n', at), files_.servers.size());
    const std::string line = files_.servers.substr(at, end - at);
    if (!left_out_.contains(line.substr(line.find(' ') + 1))) text += line + "\n";
  }
  return write(folder_ + "/servers", text);
}

void NameServer::leave_silent_servers(uint64_t now_ms) {
  constexpr uint64_t kLeftOutMs = 20'000;
  if (files_.patience_ms == 0) return;
  const bool back =
      std::erase_if(left_out_, [&](const auto& one) { return one.second <= now_ms; }) != 0;
  const std::string silent = watch_.silent(now_ms, files_.patience_ms);
  const auto all = static_cast<size_t>(std::ranges::count(files_.servers, '\n'));
  const bool ours = files_.servers.find("nameserver " + silent + "\n") != std::string::npos;
  const bool left = !silent.empty() && ours && left_out_.size() + 1 < all &&
                    left_out_.emplace(silent, now_ms + kLeftOutMs).second;
  if (left) {
    log::write(log::Level::kWarning, "dns,warning",
               "name server {} does not answer: the others are asked", silent);
  }
  if (left || back) (void)write_servers();
}

/// One file, so that a name or address that stands in both parts is that of the first.
bool NameServer::write_hosts() {
  const std::string hosts = files_.hosts + lease_hosts_;
  const std::set<std::string_view> before = names_of(hosts_);
  bool known = false;
  for (const std::string_view name : names_of(hosts))
    known = known || (!before.contains(name) && asked_.contains(name));
  if (!write(folder_ + "/hosts/names", hosts)) return false;
  hosts_ = hosts;
  if (known) flush();
  return true;
}

void NameServer::set_lease_names(std::string hosts) {
  if (hosts == lease_hosts_) return;
  lease_hosts_ = std::move(hosts);
  if (child_->is_wanted()) (void)write_hosts();
}

/// The forwarder may have moved to its other port.
bool NameServer::write_domains() {
  forwarder_port_ = forwarder_.port();
  const std::string usual = fmt::format("{}#{}", NameForwarder::kAddress, NameForwarder::kPort);
  const std::string now = fmt::format("{}#{}", NameForwarder::kAddress, forwarder_port_);
  std::string text = files_.domains;
  for (size_t at = 0; (at = text.find(usual, at)) != std::string::npos; at += now.size())
    text.replace(at, usual.size(), now);
  return write(folder_ + "/domains", text);
}

/// Whether it would start with these files; says so if not.
bool NameServer::takes(const NameFiles& files, const Netns& where) {
  constexpr int kMostMs = 2000;
  std::error_code why;
  fs::create_directories(folder_ + "/hosts", why);
  for (const std::string& folder : {folder_, folder_ + "/hosts"}) {
    if (!why) fs::permissions(folder, fs::perms(0755), why);
  }
  if (why) {
    log::write(log::Level::kError, "dns,error", "{} cannot be made: {}; no name server", folder_,
               why.message());
    refused_ = folder_ + " cannot be made";
    return false;
  }
  const std::string next = folder_ + "/next.conf";
  if (!write(next, files.config + files.domains)) {
    refused_ = next + " cannot be written";
    return false;
  }
  Ran ran = run_to_end({"dnsmasq", "--test", "--conf-file=" + next}, where, kMostMs);
  if (ran.ok) return true;
  for (char& c : ran.said) c = c == '\n' ? ' ' : c;
  refused_ = std::string(without_blanks(ran.said));
  log::write(log::Level::kError, "dns,error", "dnsmasq refuses what /ip/dns has become: {}; {}",
             refused_, child_->is_wanted() ? "it goes on with what it had" : "it is not started");
  return false;
}

void NameServer::configure(const NameFiles& files, const Netns& where, uint64_t now_ms) {
  if (files == wanted_) return;
  if (where_ == nullptr) Child("dnsmasq", std::string(kTopics), former_pid()).end_predecessor();
  wanted_ = files;
  where_ = &where;
  apply(now_ms);
}

void NameServer::apply(uint64_t now_ms) {
  late_ = false;
  if (wanted_.config.empty()) {
    former_.reset();
    child_->stop();
    forwarder_.configure({}, *where_, now_ms);
    files_ = wanted_;
    refused_.clear();
    taken_.clear();
    return;
  }
  NameFiles next = wanted_;
  bool other = !child_->is_wanted() || next.config != files_.config;
  if (other && former_ && listens()) {  // the rest of it has time
    late_ = true;
    other = false;
    next.config = files_.config;
  }
  if ((other || next.domains != files_.domains) && !takes(next, *where_)) return;
  refused_.clear();
  const NameFiles before = std::exchange(files_, std::move(next));
  forwarder_.configure(files_.forwarder, *where_, now_ms);
  if (other) return replace(now_ms);
  if (files_.servers != before.servers) {
    left_out_.clear();
    (void)write_servers();
  }
  if (files_.hosts != before.hosts) (void)write_hosts();
  if (files_.domains != before.domains && write_domains()) flush();
}

/// Another one, beside the one that runs if that can be.
void NameServer::replace(uint64_t now_ms) {
  asked_.clear();
  watch_.clear();
  left_out_.clear();
  if (!write_all()) {
    former_.reset();
    child_->stop();
    forwarder_.configure({}, *where_, now_ms);
    return;
  }
  if (listens() && !shared_port().empty()) {
    former_ = std::exchange(child_, made_child());
    former_->on_line([this](std::string_view line) {
      (void)hear_answer(line);
      return true;
    });
    former_->retire(former_pid());
  }
  started_ms_ = now_ms;
  child_->run({"dnsmasq", "--keep-in-foreground", "--conf-file=" + file_, "--log-facility=-",
               "--log-queries=extra", "--pid-file", "--user=nobody", "--no-hosts",
               "--resolv-file=" + folder_ + "/servers", "--servers-file=" + folder_ + "/domains",
               "--hostsdir=" + folder_ + "/hosts"},
              *where_, now_ms);
}

void NameServer::end_former(uint64_t now_ms) {
  // Who asks waits five seconds, then asks again: the new one. What came by TCP before that one
  // listened is taken up at once.
  constexpr uint64_t kSoonestMs = 100, kLatestMs = 6000;
  former_->tick(now_ms);
  if (former_->is_running()) {
    if (!listens()) started_ms_ = now_ms;  // nobody else answers
    const uint64_t since = now_ms - started_ms_;
    if (since < kSoonestMs || (since < kLatestMs && has_open_questions(former_->pid()))) return;
  }
  former_.reset();
  if (late_) apply(now_ms);
}

void NameServer::tick(uint64_t now_ms) {
  now_ms_ = now_ms;
  child_->tick(now_ms);
  if (child_->is_wanted()) leave_silent_servers(now_ms);
  if (former_ && now_ms >= look_ms_) {
    look_ms_ = now_ms + Child::kLookMs;
    end_former(now_ms);
  }
  forwarder_.tick(now_ms);
  if (child_->is_wanted() && forwarder_.port() != forwarder_port_ && write_domains()) flush();
  if (where_ != nullptr && probe_.is_hung(child_->pid(), *where_, now_ms, version_question))
    child_->kill_hung();
}

/// "127.0.0.1: Address already in use". It is tried again; said once.
bool NameServer::hear_taken(std::string_view where_and_why) {
  const size_t colon = where_and_why.find(": ");
  const std::string_view where = where_and_why.substr(0, colon);
  const std::string_view why =
      colon == std::string_view::npos ? "refused" : where_and_why.substr(colon + 2);
  const std::string before = std::exchange(
      taken_,
      why == "Address already in use"
          ? fmt::format("another program has port 53 of {} in the host plane's namespace", where)
          : fmt::format("port 53 of {} cannot be had: {}", where, why));
  if (taken_ != before) {
    log::write(log::Level::kError, "dns,error",
               "dnsmasq cannot serve names: {}; the router asks its name servers itself, without "
               "a cache and without the rows of /ip/dns/static, until it can",
               taken_);
  }
  return true;
}

void NameServer::look() {
  child_->listen([] { return true; }, 0);
  if (former_) former_->listen([] { return true; }, 0);
}

/// The words of a line: "dnsmasq[123]: words", or "dnsmasq[123]: 45 192.0.2.9/4242 words".
std::string_view NameServer::hear_answer(std::string_view line) {
  const size_t colon = line.find(": ");
  const std::string_view words =
      HeardAnswers::words_of(colon == std::string_view::npos ? line : line.substr(colon + 2));
  watch_.hear(line.substr(0, line.size() - words.size()), words, now_ms_);
  HeardAnswer answer;
  if (answered_ && answers_.hear(line, words, answer)) answered_(answer);
  return words;
}

bool NameServer::hear(std::string_view line) {
  const std::string_view words = hear_answer(line);
  if (words.starts_with("started, ")) {
    listener_ = child_->pid();
    taken_.clear();
    if (flushes_) flush();
  }
  constexpr std::string_view kTaken = "failed to create listening socket for ";
  if (words.starts_with(kTaken)) return hear_taken(words.substr(kTaken.size()));
  if (is_note(words)) {
    if (words.starts_with("time ")) ++dumps_;  // the first line at SIGUSR1; the table is the last
    if (words.starts_with("reply ")) {
      const std::string_view rest = words.substr(sizeof("reply ") - 1);
      long_names_.learn(rest.substr(0, rest.find(' ')));
      asked_.learn(rest.substr(0, rest.find(' ')));
    }
    return true;
  }
  if (is_cache_head(words)) {
    in_table_ = true;
    return true;
  }
  if (in_table_ && words.starts_with("-----")) return true;
  if (in_table_ && words.size() > kCachedFlagsAt) {
    CachedName one;
    if (dumps_ == 1 && read_cache_line(words, clock_s(), one)) cache_.push_back(std::move(one));
    return true;
  }
  return words.starts_with(folder_);
}

std::vector<CachedName> NameServer::cache() {
  if (!listens()) return {};  // a signal would end it
  // Nothing says that the table is whole but the beginning of another one.
  constexpr int kMostMs = 250;
  child_->listen([] { return true; }, 0);  // what it wrote before
  cache_.clear();
  in_table_ = false;
  dumps_ = 0;
  child_->signal(SIGUSR1);
  child_->listen([this] { return in_table_; }, kMostMs);
  if (in_table_) child_->signal(SIGUSR1);
  child_->listen([this] { return dumps_ > 1; }, kMostMs);
  dumps_ = 2;
  for (CachedName& one : cache_) {
    if (one.name.size() == kCachedNameWidth) one.name = long_names_.whole(one.name);
    if (one.data.size() == kCachedDataWidth && one.type == "CNAME")
      one.data = long_names_.whole(one.data);
  }
  return std::exchange(cache_, {});
}

void NameServer::flush() {
  asked_.clear();
  flushes_ = !listens();  // a signal would end it
  if (!flushes_) child_->signal(SIGHUP);
}

std::string NameServer::state() const {
  const std::string refused =
      refused_.empty() ? "" : "dnsmasq refuses what /ip/dns has become: " + refused_;
  if (!child_->is_wanted()) return refused.empty() ? "stopped" : "stopped: " + refused;
  if (!taken_.empty()) return fmt::format("not running: {}; it is tried again", taken_);
  if (!child_->is_running()) return "starting again";
  if (!refused.empty()) return "running with what it had before: " + refused;
  if (probe_.is_silent()) return "running, but it does not answer";
  const std::string trouble = forwarder_.trouble();
  if (!trouble.empty()) return "running, but " + trouble;
  const bool asks = !files_.servers.empty() || !files_.forwarder.servers.empty() ||
                    !files_.forwarder.doh.host.empty();
  return asks ? "running" : "running, but there is no server to ask";
}

}  // namespace maclane
