// Hostile input against the live user agent: it stays up and answers the next OPTIONS. Under the
// asan preset the program runs with its sanitizers, and a leak fails its exit.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/endpoint.h"
#include "engine/base/rng.h"
#include "engine/transport/hub.h"
#include "tools/child_process.h"
#include "tools/live_probe.h"

namespace sipassay::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view source_folder = SIPASSAY_SOURCE_DIR;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string invite(std::string_view more = {}) {
  const std::string sdp =
      "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
      "m=audio 9 RTP/AVP 0\r\n";
  return "INVITE sip:ring@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP "
         "127.0.0.1:9;branch=z9hG4bKh;rport\r\n"
         "From: \"A\" <sip:a@127.0.0.1:9>;tag=h\r\nTo: <sip:ring@127.0.0.1>\r\nCall-ID: hostile\r\n"
         "CSeq: 1 INVITE\r\nContact: <sip:a@127.0.0.1:9>\r\nMax-Forwards: 70\r\n"
         "Supported: 100rel\r\n" +
         std::string(more) +
         "Content-Type: application/sdp\r\nContent-Length: " + std::to_string(sdp.size()) +
         "\r\n\r\n" + sdp;
}

// One socket a piece of input: a peer that comes, says one thing and goes.
void send_once(const Endpoint& to, std::string_view octets) {
  const bool is_stream = to.transport == Transport::Tcp;
  const int handle = ::socket(AF_INET, is_stream ? SOCK_STREAM : SOCK_DGRAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(to.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(handle, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  if (!is_stream) {
    ::send(handle, octets.data(), std::min<std::size_t>(octets.size(), 65'507), MSG_NOSIGNAL);
  } else {
    while (!octets.empty()) {  // until the other end has had enough
      const ssize_t sent = ::send(handle, octets.data(), octets.size(), MSG_NOSIGNAL);
      if (sent <= 0) break;
      octets.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  ::close(handle);
}

class Hostile : public ::testing::TestWithParam<Transport> {
 protected:
  Hostile() : agent_({SIPASSAY_PROGRAM, "ua", "--listen", "udp:127.0.0.1:0", "--t1", "50ms"}) {
    // "ready: udp:127.0.0.1:40001 tcp:127.0.0.1:40001 (seed 1)"
    const std::string line = agent_.line();
    const std::string word = " " + std::string(to_string(GetParam())) + ":";
    const std::size_t start = line.find(word);
    if (start == std::string::npos) return;
    const auto where = endpoint_from(line.substr(start + 1, line.find(' ', start + 1) - start - 1));
    if (where) where_ = *where;
  }
  void SetUp() override { ASSERT_FALSE(where_.host.empty()) << "the agent is not ready"; }
  void TearDown() override {
    EXPECT_EQ(agent_.end(SIGTERM), 0) << "the agent died, or its sanitizer complained";
  }

  void hit(std::string_view octets) { send_once(where_, octets); }
  // Alive, and it answers.
  bool answers() {
    transport::Hub hub;
    Probe probe(hub, {.sut = where_, .near = {where_.transport, "127.0.0.1", 0}, .tries = 40},
                Rng(++probes_));
    while (!probe.is_over() && agent_.is_running()) {
      hub.wait(probe.deadline());
      while (const auto event = hub.poll()) probe.take(*event);
      probe.advance();
    }
    return probe.is_answered();
  }

  Endpoint where_{Transport::Udp, "", 0};
  Background agent_;
  std::uint64_t probes_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Over, Hostile, ::testing::Values(Transport::Udp, Transport::Tcp),
                         [](const auto& param) { return std::string(to_string(param.param)); });

TEST_P(Hostile, TortureMessagesAndCallFlows) {
  int count = 0;
  for (const std::string_view folder :
       {"scenarios/rfc4475", "scenarios/rfc5118", "engine/message/testdata/rfc3665"}) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(fs::path(source_folder) / folder))
      if (entry.is_regular_file() && entry.path().extension() == ".dat")
        files.push_back(entry.path());
    std::ranges::sort(files);
    for (const fs::path& file : files) {
      hit(read_file(file));
      ++count;
      const bool is_torture = folder.starts_with("scenarios");
      ASSERT_TRUE(!is_torture || answers()) << file;
    }
  }
  EXPECT_GE(count, 49 + 12 + 178);
  EXPECT_TRUE(answers());
}

TEST_P(Hostile, NothingAtAllAndKeepAlives) {
  for (const std::string_view octets : {"", "\r\n", "\r\n\r\n", "\r", "\n", "\n\n\n\n", "\0"}) {
    hit(octets);
    ASSERT_TRUE(answers());
  }
}

TEST_P(Hostile, AMessageCutAtEveryOctet) {
  const std::string whole = invite();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    hit(std::string_view(whole).substr(0, length));
    ASSERT_TRUE(length % 100 != 0 || answers()) << length;
  }
  EXPECT_TRUE(answers());
}

TEST_P(Hostile, AMegabyteOfHeader) {
  hit(invite("X-Long: " + std::string(1U << 20U, 'x') + "\r\n"));
  EXPECT_TRUE(answers());
  hit(invite("X-Long: " + std::string(60'000, 'x') + "\r\n"));
  EXPECT_TRUE(answers());
  hit(std::string(1U << 20U, 'x'));
  EXPECT_TRUE(answers());
}

TEST_P(Hostile, TenThousandHeaders) {
  std::string headers;
  for (int i = 0; i < 10'000; ++i) headers += "X: 1\r\n";
  hit(invite(headers));
  EXPECT_TRUE(answers());
  headers.clear();
  for (int i = 0; i < 2'000; ++i) headers += "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n";
  hit(invite(headers));
  EXPECT_TRUE(answers());
}

TEST_P(Hostile, BinaryNoise) {
  Rng rng(4711);
  for (int i = 0; i < 300; ++i) {
    std::string noise(rng.between(1, 3000), '\0');
    for (char& octet : noise) octet = static_cast<char>(rng.next());
    hit(noise);
  }
  EXPECT_TRUE(answers());
}

TEST_P(Hostile, MessagesWithOctetsChanged) {
  Rng rng(815);
  const std::string whole = invite();
  for (int i = 0; i < 1000; ++i) {
    std::string changed = whole;
    for (std::uint64_t n = rng.between(1, 4); n > 0; --n)
      changed[rng.between(0, changed.size() - 1)] = static_cast<char>(rng.next());
    hit(changed);
    ASSERT_TRUE(i % 200 != 0 || answers()) << i;
  }
  EXPECT_TRUE(answers());
}

TEST_P(Hostile, NumbersThatDoNotFitAndDeepNesting) {
  const std::string big = "99999999999999999999999999";
  for (const std::string& header : std::vector<std::string>{
           "Max-Forwards: " + big, "Expires: " + big, "RSeq: " + big, "RAck: " + big + " 1 INVITE",
           "Session-Expires: " + big, "Content-Length: " + big, "Content-Length: -1",
           "Accept: " + std::string(5'000, ','), "Route: " + std::string(5'000, '<'),
           "Contact: " + std::string(5'000, '"'), "Subject: " + std::string(5'000, '('),
           "Proxy-Authorization: Digest " + std::string(5'000, '=')}) {
    hit(invite(header + "\r\n"));
    ASSERT_TRUE(answers()) << header.substr(0, 40);
  }
}

}  // namespace
}  // namespace sipassay::tools
