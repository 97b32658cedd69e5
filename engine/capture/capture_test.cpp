#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/capture/decode.h"
#include "engine/capture/exchange.h"
#include "engine/capture/file.h"
#include "engine/capture/frames.h"
#include "engine/message/parse.h"

namespace sipassay::capture {
namespace {

using frames::ethernet;
using frames::ipv4;
using frames::ipv6;
using frames::number;
using frames::Part;
using frames::tcp;
using frames::tcp_fin;
using frames::tcp_syn;
using frames::udp;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr int link_ethernet = 1;
constexpr std::uint8_t protocol_udp = 17, protocol_tcp = 6;

std::string options(std::string_view branch = "z9hG4bK1", std::string_view body = "") {
  return fmt::format(
      "OPTIONS sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch={}\r\n"
      "Max-Forwards: 70\r\nFrom: <sip:a@192.0.2.1>;tag=1\r\nTo: <sip:bob@192.0.2.2>\r\n"
      "Call-ID: c1\r\nCSeq: 1 OPTIONS\r\nContent-Length: {}\r\n\r\n{}",
      branch, body.size(), body);
}

std::string ok(std::string_view branch = "z9hG4bK1") {
  return fmt::format(
      "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch={}\r\n"
      "From: <sip:a@192.0.2.1>;tag=1\r\nTo: <sip:bob@192.0.2.2>;tag=2\r\nCall-ID: c1\r\n"
      "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
      branch);
}

std::vector<std::string> texts(const Decoder& decoder) {
  std::vector<std::string> out;
  for (const Captured& one : decoder.messages())
    out.push_back(one.error ? "malformed" : one.message.to_string());
  return out;
}

std::size_t skipped(const Decoder& decoder, Skip why) {
  return decoder.counts().skipped[static_cast<std::size_t>(why)];
}

void feed(Decoder& decoder, std::string_view packet) {
  decoder.frame(link_ethernet, ethernet(packet), false, {});
}

TEST(Packet, EveryLinkLayerLeadsToTheSameDatagram) {
  const std::string packet = ipv4(protocol_udp, udp(5060, 5070, options()));
  const struct {
    int link_type;
    std::string frame;
  } rows[] = {
      {0, number(2, 4) + packet},
      {108, number(2, 4) + packet},
      {1, ethernet(packet)},
      {1, std::string(12, '\0') + number(0x81000001, 4) + number(0x0800, 2) + packet},
      {12, packet},
      {101, packet},
      {228, packet},
      {113, std::string(14, '\0') + number(0x0800, 2) + packet},
      {276, number(0x0800, 2) + std::string(18, '\0') + packet},
  };
  for (const auto& row : rows) {
    Decoder decoder;
    decoder.frame(row.link_type, row.frame, false, {});
    ASSERT_THAT(decoder.messages(), SizeIs(1)) << row.link_type;
    EXPECT_EQ(to_string(decoder.messages()[0].from), "udp:192.0.2.1:5060");
    EXPECT_EQ(to_string(decoder.messages()[0].to), "udp:192.0.2.2:5070");
    for (std::size_t size = 0; size < row.frame.size(); ++size) {  // never more than what is there
      Decoder cut;
      cut.frame(row.link_type, row.frame.substr(0, size), true, {});
      EXPECT_THAT(cut.messages(), IsEmpty());
      EXPECT_EQ(cut.counts().frames, 1u);
    }
  }
}

TEST(Packet, ReadsIpv6BehindExtensionHeadersUpToTheLimit) {
  const auto chain = [](std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i)
      out += number(i + 1 == count ? protocol_udp : 60, 1) + number(0, 1) + std::string(6, '\0');
    return out;
  };
  for (const std::size_t count : {std::size_t{0}, std::size_t{2}, extension_headers_max - 1}) {
    Decoder decoder;
    decoder.frame(101,
                  ipv6(count == 0 ? protocol_udp : 60, chain(count) + udp(5060, 5060, options())),
                  false, {});
    ASSERT_THAT(decoder.messages(), SizeIs(1)) << count;
    EXPECT_EQ(to_string(decoder.messages()[0].from), "udp:[2001:db8::1]:5060");
  }
  Decoder decoder;
  decoder.frame(101, ipv6(60, chain(extension_headers_max) + udp(5060, 5060, options())), false,
                {});
  EXPECT_EQ(skipped(decoder, Skip::Network), 1u);
}

TEST(Packet, PutsFragmentsTogetherInAnyOrder) {
  const std::string whole = udp(5060, 5060, options("z9hG4bKlong", std::string(2000, 'x')));
  const auto part = [&](std::size_t from, std::size_t to) {
    return ipv4(protocol_udp, std::string_view(whole).substr(from, to - from),
                {7, from, to != whole.size()});
  };
  const std::vector<std::string> parts{part(0, 800), part(800, 1600), part(1600, whole.size())};
  for (const auto& order : {std::array{0, 1, 2}, std::array{2, 1, 0}, std::array{1, 2, 0}}) {
    Decoder decoder;
    for (const int i : order) feed(decoder, parts[static_cast<std::size_t>(i)]);
    EXPECT_THAT(texts(decoder), ElementsAre(whole.substr(8)));
    EXPECT_EQ(skipped(decoder, Skip::Fragment), 2u);
  }
}

TEST(Packet, KeepsNoMoreHalfDatagramsThanTheLimit) {
  const std::string whole = udp(5060, 5060, options("z9hG4bKlong", std::string(2000, 'x')));
  const auto half = [&](std::uint32_t id, bool is_first) {
    return is_first ? ipv4(protocol_udp, std::string_view(whole).substr(0, 800), {id, 0, true})
                    : ipv4(protocol_udp, std::string_view(whole).substr(800), {id, 800, false});
  };
  Decoder decoder;
  for (std::uint32_t id = 0; id <= fragmented_datagrams_max; ++id) feed(decoder, half(id, true));
  feed(decoder, half(0, false));  // gave way
  EXPECT_THAT(decoder.messages(), IsEmpty());
  feed(decoder, half(fragmented_datagrams_max, false));
  EXPECT_THAT(decoder.messages(), SizeIs(1));
}

TEST(Packet, DropsAFragmentBehindTheEndOfAnyDatagram) {
  Decoder decoder;
  feed(decoder, ipv4(protocol_udp, std::string(16, 'x'), {1, 65'528, true}));
  EXPECT_EQ(skipped(decoder, Skip::Fragment), 1u);
}

TEST(Decode, TellsSipFromOther) {
  EXPECT_TRUE(looks_like_sip("SIP/2.0 200 OK\r\n"));
  EXPECT_TRUE(looks_like_sip("\r\n\r\nINVITE sip:a@b SIP/2.0\r\n"));
  EXPECT_TRUE(looks_like_sip("INVITE sip:a@b sip/7.0\r\n"));
  EXPECT_FALSE(looks_like_sip("GET /sip HTTP/1.1\r\n"));
  EXPECT_FALSE(looks_like_sip("GET /?SIP/2.0 HTTP/1.1\r\n"));
  EXPECT_FALSE(looks_like_sip("\r\n\r\n"));
  EXPECT_FALSE(looks_like_sip(std::string(20, '\0')));
  Decoder decoder;
  feed(decoder, ipv4(protocol_udp, udp(5060, 5060, "\r\n\r\n")));
  EXPECT_EQ(decoder.counts().other, 1u);
}

TEST(Decode, KeepsAMalformedDatagramWithItsError) {
  Decoder decoder;
  feed(decoder, ipv4(protocol_udp, udp(5060, 5060, "OPTIONS  SIP/2.0\r\nVia\r\n\r\n")));
  ASSERT_THAT(decoder.messages(), SizeIs(1));
  EXPECT_TRUE(decoder.messages()[0].error.has_value());
  EXPECT_EQ(decoder.messages()[0].octets, "OPTIONS  SIP/2.0\r\nVia\r\n\r\n");
}

// A connection from port 5060 to 5070 whose first octet has this sequence number.
struct Stream {
  Decoder decoder;
  std::uint32_t first;

  void send(std::size_t offset, std::string_view octets, std::uint8_t flags = 0x10) {
    feed(decoder,
         ipv4(protocol_tcp,
              tcp({5060, 5070, first + static_cast<std::uint32_t>(offset), flags}, octets)));
  }
};

TEST(Decode, PutsAStreamTogetherWhateverTheOrder) {
  const std::string two = options("z9hG4bKa", "body") + options("z9hG4bKb");
  for (const std::uint32_t first : {1000U, 0xFFFFFFF0U}) {  // the numbers wrap
    Stream stream{{}, first};
    stream.send(static_cast<std::size_t>(-1), "", tcp_syn);
    stream.send(0, std::string_view(two).substr(0, 100));
    stream.send(200, std::string_view(two).substr(200));    // early
    stream.send(50, std::string_view(two).substr(50, 60));  // again, and a bit more
    EXPECT_THAT(stream.decoder.messages(), IsEmpty());
    stream.send(110, std::string_view(two).substr(110, 120));  // closes the gap
    EXPECT_THAT(texts(stream.decoder),
                ElementsAre(options("z9hG4bKa", "body"), options("z9hG4bKb")));
    EXPECT_EQ(stream.decoder.counts().gaps, 0u);
  }
}

TEST(Decode, GoesOnBehindAGapAtTheNextStartLine) {
  const std::string one = options("z9hG4bKa"), two = options("z9hG4bKb");
  Stream stream{{}, 1};
  stream.send(0, std::string_view(one).substr(0, 60));
  stream.send(one.size(), two);
  EXPECT_THAT(stream.decoder.messages(), IsEmpty());
  stream.send(one.size() + two.size(), "", tcp_fin);
  EXPECT_THAT(texts(stream.decoder), ElementsAre(two));
  EXPECT_EQ(stream.decoder.counts().gaps, 1u);
}

TEST(Decode, WaitsForNoMoreThanTheLimit) {
  Stream stream{{}, 1};
  const std::string one = options("z9hG4bKa", std::string(30'000, 'x'));
  stream.send(0, "OPTIONS sip:a SIP/2.0\r\n");
  std::size_t offset = 5000, fed = 0;
  for (; stream.decoder.counts().gaps == 0 && fed <= waiting_octets_max + one.size();
       offset += one.size(), fed += one.size())
    stream.send(offset, one);
  EXPECT_EQ(stream.decoder.counts().gaps, 1u);
  EXPECT_GT(fed, waiting_octets_max);
  EXPECT_FALSE(stream.decoder.messages().empty());
}

TEST(Decode, BeginsInTheMiddleOfAConnectionAndLeavesTlsAlone) {
  Stream late{{}, 500};
  late.send(0, options());
  EXPECT_THAT(late.decoder.messages(), SizeIs(1));
  Stream tls{{}, 1};
  tls.send(0, std::string_view("\x16\x03\x01 hello"));
  tls.send(9, "more");
  EXPECT_EQ(tls.decoder.counts().tls, 1u);
  EXPECT_THAT(tls.decoder.messages(), IsEmpty());
}

TEST(Decode, AConnectionThatUsesThePortsAgainIsANewOne) {
  Stream stream{{}, 1};
  stream.send(0, std::string_view(options()).substr(0, 40));
  stream.first = 900'000;
  stream.send(static_cast<std::size_t>(-1), "", tcp_syn);
  stream.send(0, options());
  EXPECT_THAT(texts(stream.decoder), ElementsAre(options()));
}

TEST(Exchange, FindsAnswerCopyAndOriginal) {
  Decoder decoder;
  feed(decoder, ipv4(protocol_udp, udp(5060, 5070, options())));
  feed(decoder, ipv4(protocol_udp, udp(5060, 5070, options())));
  // Passed on by whoever listens there, with a Via of its own.
  std::string passed = options("z9hG4bK2");
  passed.insert(passed.find("Via:"), "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK3\r\n");
  feed(decoder, ipv4(protocol_udp, udp(5070, 5080, passed)));
  auto messages = decoder.messages();
  messages.push_back(messages[0]);  // the answer goes the other way
  std::swap(messages[3].from, messages[3].to);
  messages[2].from = messages[0].to;
  messages[3].message = *parse_message(ok());
  const auto found = places(messages);
  ASSERT_THAT(found, SizeIs(4));
  EXPECT_FALSE(found[0].copy_of || found[0].request || found[0].original);
  EXPECT_EQ(found[1].copy_of, 0u);
  EXPECT_FALSE(found[2].copy_of);
  EXPECT_TRUE(found[2].original);
  EXPECT_EQ(found[3].request, 0u);
}

TEST(File, SaysWhatIsWrong) {
  Decoder decoder;
  EXPECT_FALSE(read_file("/nonexistent", decoder).has_value());
  const std::string path = testing::TempDir() + "not_a_capture";
  std::FILE* file = std::fopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  std::fputs("no capture", file);
  std::fclose(file);
  const auto done = read_file(path, decoder);
  ASSERT_FALSE(done.has_value());
  EXPECT_FALSE(done.error().empty());
}

}  // namespace
}  // namespace sipassay::capture
