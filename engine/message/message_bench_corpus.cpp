#include "engine/message/message_bench_corpus.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include "engine/base/rng.h"
#include "engine/message/message.h"

namespace sipassay::bench {

namespace {

constexpr std::size_t generated_count = 600;

template <std::size_t N>
std::string_view pick(Rng& rng, const std::array<std::string_view, N>& from) {
  return from.at(rng.between(0, N - 1));
}

constexpr std::array<std::string_view, 8> names{
    "Alice", "Bob",     "\"Mr. Watson\"",    "\"J. \\\"Jo\\\" Doe\"",
    "",      "Carol J", "\"B\xc3\xbcro 3\"", "Operator"};
constexpr std::array<std::string_view, 8> users{
    "alice", "bob", "+13035551212", "1002", "carol.j", "sales%20desk", "u-7f3a", "anonymous"};
constexpr std::array<std::string_view, 8> domains{
    "atlanta.example.com", "biloxi.example.com",       "192.0.2.17", "[2001:db8::10]",
    "sip.example.org",     "pbx.internal.example.net", "10.1.2.3",   "example.com"};
constexpr std::array<std::string_view, 4> transports{"UDP", "TCP", "TLS", "WS"};
constexpr std::array<std::string_view, 6> agents{"Softphone Beta1.5",
                                                 "Example-PBX/16.2.1 (linux x86_64)",
                                                 "baresip v2.0",
                                                 "ua/1.0",
                                                 "Desk-Phone/9.3.0.1 (a 00:15:65:aa:bb:cc)",
                                                 "Gateway-Core 4.8"};
constexpr std::array<std::string_view, 5> option_lists{
    "100rel, timer, replaces", "replaces", "outbound, path, gruu",
    "100rel,timer,replaces,norefersub,histinfo", "timer"};
constexpr std::array<std::string_view, 4> allow_lists{
    "INVITE, ACK, CANCEL, BYE, OPTIONS",
    "INVITE,ACK,BYE,CANCEL,OPTIONS,PRACK,REFER,NOTIFY,SUBSCRIBE,INFO,UPDATE,MESSAGE",
    "INVITE, ACK, BYE, CANCEL, REGISTER, SUBSCRIBE, NOTIFY, REFER, OPTIONS, INFO, PUBLISH, UPDATE, "
    "PRACK",
    "INVITE, ACK, BYE"};

std::string uri(Rng& rng, std::string_view scheme = "sip:") {
  std::string out = fmt::format("{}{}@{}", scheme, pick(rng, users), pick(rng, domains));
  if (rng.percent(40)) out += fmt::format(":{}", rng.between(1024, 65535));
  if (rng.percent(30)) out += ";transport=tcp";
  if (rng.percent(10)) out += ";user=phone";
  return out;
}

std::string address(Rng& rng, bool has_tag) {
  const std::string_view name = pick(rng, names);
  std::string out = fmt::format("{}{}<{}>", name, name.empty() ? "" : " ", uri(rng));
  if (has_tag) out += ";tag=" + rng.token(rng.between(6, 24));
  return out;
}

std::string sdp(Rng& rng) {
  const auto host = fmt::format("192.0.2.{}", rng.between(1, 254));
  std::string out = fmt::format("v=0\r\no=- {} {} IN IP4 {}\r\ns=-\r\nc=IN IP4 {}\r\nt=0 0\r\n",
                                rng.between(1, 1'000'000'000), rng.between(1, 99), host, host);
  const auto streams = rng.between(1, 3);
  for (std::uint64_t i = 0; i < streams; ++i) {
    out += fmt::format("m={} {} RTP/AVP 0 8 18 101\r\n", i == 0 ? "audio" : "video",
                       rng.between(1024, 65000) & ~1ULL);
    for (auto line = rng.between(2, 12); line != 0; --line)
      out += fmt::format("a=rtpmap:{} codec-{}/8000\r\n", 95 + line, rng.token(4));
    out += "a=sendrecv\r\n";
  }
  return out;
}

// One message in the making: lines in the order a real stack writes them.
class Draft {
 public:
  explicit Draft(Rng& rng) : rng_(rng) {}

  std::string make() {
    const bool is_request = rng_.percent(50);
    method_ =
        pick(rng_, std::array<std::string_view, 14>{
                       "INVITE", "INVITE", "INVITE", "ACK", "BYE", "CANCEL", "REGISTER", "OPTIONS",
                       "SUBSCRIBE", "NOTIFY", "PRACK", "REFER", "MESSAGE", "UPDATE"});
    status_ = is_request ? 0 : pick_status();
    is_small_ = rng_.percent(20);
    text_ = is_request ? fmt::format("{} {} SIP/2.0\r\n", method_, uri(rng_))
                       : fmt::format("SIP/2.0 {} {}\r\n", status_, default_reason(status_));
    add_routing();
    add_identity();
    add_purpose();
    if (!is_small_) add_capabilities();
    add_body();
    return std::move(text_);
  }

 private:
  int pick_status() {
    constexpr std::array statuses{100, 180, 183, 200, 200, 200, 202,
                                  302, 401, 404, 407, 486, 487, 503};
    return statuses.at(rng_.between(0, statuses.size() - 1));
  }
  void line(std::string_view name, std::string_view value) {
    text_ += fmt::format("{}: {}\r\n", name, value);
  }
  // Compact form one time in ten.
  void line(std::string_view name, std::string_view compact, std::string_view value) {
    line(rng_.percent(10) ? compact : name, value);
  }

  void add_routing() {
    const auto hops = is_small_ ? 1 : rng_.between(1, 5);
    for (std::uint64_t i = 0; i < hops; ++i) {
      std::string via = fmt::format("SIP/2.0/{} {}", pick(rng_, transports), pick(rng_, domains));
      if (rng_.percent(70)) via += fmt::format(":{}", rng_.between(1024, 65535));
      via += ";branch=z9hG4bK" + rng_.token(rng_.between(8, 28));
      if (rng_.percent(40)) via += ";rport";
      if (rng_.percent(30)) via += fmt::format(";received=192.0.2.{}", rng_.between(1, 254));
      line("Via", "v", via);
    }
    if (is_small_) return;
    const bool is_request = status_ == 0;
    for (auto i = rng_.between(0, 2); i != 0; --i)
      line(is_request && rng_.percent(50) ? "Route" : "Record-Route",
           fmt::format("<sip:{};lr>", pick(rng_, domains)));
    if (rng_.percent(20))
      line("Record-Route", fmt::format("<sip:{};lr>, <sip:{};transport=tcp;lr>",
                                       pick(rng_, domains), pick(rng_, domains)));
  }

  void add_identity() {
    if (status_ == 0) line("Max-Forwards", fmt::format("{}", rng_.between(1, 70)));
    line("From", "f", address(rng_, true));
    line("To", "t", address(rng_, status_ > 100 || rng_.percent(40)));
    line("Call-ID", "i",
         fmt::format("{}@{}", rng_.token(rng_.between(10, 32)), "host.example.com"));
    line("CSeq", fmt::format("{} {}", rng_.between(1, 1'000'000), method_));
  }

  void add_purpose() {
    if (method_ == "PRACK" && status_ == 0)
      line("RAck", fmt::format("{} {} INVITE", rng_.between(1, 100000), rng_.between(1, 1000)));
    if (method_ == "REFER" && status_ == 0) {
      line("Refer-To", "r", fmt::format("<{}>", uri(rng_)));
      line("Referred-By", "b", fmt::format("<{}>", uri(rng_)));
    }
    if (method_ == "SUBSCRIBE" || method_ == "NOTIFY")
      line("Event", "o", fmt::format("dialog;id={}", rng_.token(4)));
    if (method_ == "NOTIFY" && status_ == 0)
      line("Subscription-State", fmt::format("active;expires={}", rng_.between(1, 3600)));
    if (method_ == "REGISTER" || method_ == "SUBSCRIBE")
      line("Expires", fmt::format("{}", rng_.between(0, 7200)));
    if (status_ == 401) line("WWW-Authenticate", challenge());
    if (status_ == 407) line("Proxy-Authenticate", challenge());
    if (status_ == 503) line("Retry-After", fmt::format("{}", rng_.between(1, 600)));
    if (status_ == 183) {
      line("Require", "100rel");
      line("RSeq", fmt::format("{}", rng_.between(1, 1'000'000)));
    }
    if (status_ == 0 && rng_.percent(25)) line("Authorization", credentials());
    if (method_ == "INVITE" || method_ == "REGISTER" || method_ == "SUBSCRIBE") {
      std::string contact = fmt::format("<{}>", uri(rng_));
      if (method_ == "REGISTER")
        contact += fmt::format(";expires={};q=0.{}", rng_.between(60, 7200), rng_.between(1, 9));
      line("Contact", "m", contact);
    }
  }

  std::string challenge() {
    return fmt::format(
        "Digest realm=\"{}\", nonce=\"{}\", opaque=\"{}\", algorithm=MD5, qop=\"auth\"",
        pick(rng_, domains), rng_.token(32), rng_.token(16));
  }
  std::string credentials() {
    return fmt::format(
        "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{}\", response=\"{}\", "
        "algorithm=MD5, cnonce=\"{}\", qop=auth, nc=00000001",
        pick(rng_, users), pick(rng_, domains), rng_.token(32), uri(rng_), rng_.token(32),
        rng_.token(12));
  }

  void add_capabilities() {
    if (rng_.percent(80)) line(status_ == 0 ? "User-Agent" : "Server", pick(rng_, agents));
    if (rng_.percent(60)) line("Allow", pick(rng_, allow_lists));
    if (rng_.percent(60)) line("Supported", "k", pick(rng_, option_lists));
    if (rng_.percent(20)) line("Allow-Events", "u", "presence, dialog, refer, message-summary");
    if (rng_.percent(25)) line("Accept", "application/sdp, application/dtmf-relay;q=0.5");
    if (rng_.percent(15)) line("Session-Expires", "x", "1800;refresher=uac");
    if (rng_.percent(15)) line("Min-SE", "90");
    if (rng_.percent(10)) line("Date", "Sat, 13 Nov 2010 23:29:00 GMT");
    if (rng_.percent(10)) line("Subject", "s", "Project meeting about the harness");
    if (rng_.percent(10)) line("Recv-Info", "g.sipassay.test");
    if (rng_.percent(10)) line("Reason", "SIP;cause=200;text=\"Call completed elsewhere\"");
    if (rng_.percent(10))
      line("Call-Info", "<http://www.example.com/alice/photo.jpg>;purpose=icon");
    if (rng_.percent(20)) line("P-Asserted-Identity", fmt::format("<{}>", uri(rng_)));
    if (rng_.percent(10)) line("X-Correlation", rng_.token(rng_.between(16, 300)));
  }

  void add_body() {
    const bool has_sdp = !is_small_ && (method_ == "INVITE" || method_ == "UPDATE") &&
                         (status_ == 0 || status_ == 183 || status_ == 200);
    const bool has_text = !is_small_ && method_ == "MESSAGE" && status_ == 0;
    std::string body;
    if (has_sdp) {
      body = sdp(rng_);
      line("Content-Type", "c", "application/sdp");
      if (rng_.percent(20)) line("Content-Disposition", "session;handling=required");
    } else if (has_text) {
      body = rng_.token(rng_.between(10, 400));
      line("Content-Type", "c", "text/plain;charset=UTF-8");
    }
    line("Content-Length", "l", fmt::format("{}", body.size()));
    text_ += "\r\n";
    text_ += body;
  }

  Rng& rng_;
  std::string text_;
  std::string_view method_;
  int status_ = 0;
  bool is_small_ = false;
};

std::string read_octets(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::vector<std::string> own_mix() {
  Rng rng(1);
  std::vector<std::string> out;
  while (out.size() < generated_count) out.push_back(Draft(rng).make());
  const auto folder =
      std::filesystem::path(SIPASSAY_SOURCE_DIR) / "engine/message/testdata/rfc3665";
  std::vector<std::filesystem::path> flows;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    // The two that RFC 3665 misprints stay out.
    if (entry.path().extension() == ".dat" && entry.path().stem() != "2.1-F03" &&
        entry.path().stem() != "3.10-F04")
      flows.push_back(entry.path());
  std::ranges::sort(flows);
  for (const auto& path : flows) out.push_back(read_octets(path));
  // A fixed shuffle: neighbours differ in kind.
  for (std::size_t i = out.size(); i > 1; --i) std::swap(out[i - 1], out[rng.between(0, i - 1)]);
  return out;
}

std::vector<std::string> read_directory(const std::string& path) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path, error))
    if (entry.is_regular_file() && entry.path().extension() != ".tsv" &&
        entry.path().extension() != ".md")
      files.push_back(entry.path());
  std::ranges::sort(files);
  std::vector<std::string> out;
  for (const auto& file : files) out.push_back(read_octets(file));
  return out;
}

}  // namespace sipassay::bench
