// The torture messages of RFC 4475 and RFC 5118, the flows of RFC 3665: each meets its expectation.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/message/classify.h"
#include "engine/message/framer.h"
#include "engine/message/header/all.h"
#include "engine/message/parse.h"
#include "engine/testing/exact_buffer.h"

namespace sipassay {
namespace {

using testing::ExactBuffer;

// The torture messages belong to the cases that send them.
std::filesystem::path folder_of(std::string_view rfc) {
  const std::filesystem::path root(SIPASSAY_SOURCE_DIR);
  return rfc == "rfc3665" ? root / "engine/message/testdata/rfc3665" : root / "scenarios" / rfc;
}

std::string read_octets(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The *.dat files of a folder, sorted by name.
std::vector<std::filesystem::path> vectors_of(std::string_view folder) {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder_of(folder)))
    if (entry.path().extension() == ".dat") out.push_back(entry.path());
  std::ranges::sort(out);
  return out;
}

enum class Fate : std::uint8_t { Accept, Reject, Take, Discard };

struct Torture {
  std::string_view file;
  Fate fate;
  int status = 0;  // owed by a UAS when rejected
  std::optional<ErrorCode> parse_error = std::nullopt;
  std::string_view reason = {};  // why we chose this where the RFC leaves a choice
};

constexpr std::string_view strict =
    "RFC 4475 allows rejection or leniency; a tester judges strictly";

constexpr Torture rfc4475[] = {
    {"badaspec", Fate::Reject, 400, {}, strict},
    {"badbranch", Fate::Accept, 0, {}, "matched as RFC 2543 says; lint reports the branch"},
    {"baddate", Fate::Accept, 0, {}, "Date is not needed to process the request (8.2.2)"},
    {"baddn", Fate::Reject, 400, ErrorCode::HeaderEnd, strict},
    {"badinv01", Fate::Reject, 400},
    {"badvers", Fate::Reject, 505, ErrorCode::Version},
    {"bcast", Fate::Discard},
    {"bext01", Fate::Accept, 0, {}, "420 is for the user of the extension list"},
    {"bigcode", Fate::Discard, 0, ErrorCode::StatusCode},
    {"clerr", Fate::Reject, 400, ErrorCode::ContentLength},
    {"cparam01", Fate::Accept},
    {"cparam02", Fate::Accept},
    {"dblreq", Fate::Accept},
    {"esc01", Fate::Accept},
    {"esc02", Fate::Accept},
    {"escnull", Fate::Accept},
    {"escruri", Fate::Reject, 400, {}, strict},
    {"insuf", Fate::Reject, 400},
    {"intmeth", Fate::Accept, 0, {}, "501 is for the user of the method list"},
    {"inv2543", Fate::Accept},
    {"invut", Fate::Accept, 0, {}, "415 is for the user of the body"},
    {"longreq", Fate::Accept},
    {"ltgtruri", Fate::Reject, 400, ErrorCode::RequestUri, strict},
    {"lwsdisp", Fate::Accept},
    {"lwsruri", Fate::Reject, 400, ErrorCode::RequestUri, strict},
    {"lwsstart", Fate::Reject, 400, ErrorCode::StartLine, strict},
    {"mcl01", Fate::Reject, 400, ErrorCode::HeaderRepeated},
    {"mismatch01", Fate::Reject, 400},
    {"mismatch02", Fate::Reject, 400},
    {"mpart01", Fate::Accept},
    {"multi01", Fate::Reject, 400},
    {"ncl", Fate::Reject, 400, ErrorCode::Number},
    {"noreason", Fate::Take},
    {"novelsc", Fate::Reject, 416},
    {"quotbal", Fate::Reject, 400, {}, strict},
    {"regaut01", Fate::Accept},
    {"regbadct", Fate::Reject, 400, {}, strict},
    {"regescrt", Fate::Accept},
    {"scalar02", Fate::Reject, 400},
    {"scalarlg", Fate::Discard},
    {"sdp01", Fate::Accept},
    {"semiuri", Fate::Accept},
    {"transports", Fate::Accept},
    {"trws", Fate::Reject, 400, ErrorCode::StartLine, strict},
    {"unkscm", Fate::Reject, 416},
    {"unksm2", Fate::Accept},
    {"unreason", Fate::Take},
    {"wsinv", Fate::Accept},
    {"zeromf", Fate::Accept, 0, {}, "483 is for proxies"},
};
static_assert(std::size(rfc4475) == 49);

constexpr Torture rfc5118[] = {
    {"ipv4-mapped-ipv6", Fate::Accept},
    {"ipv6-bad", Fate::Reject, 400},
    {"ipv6-bug-abnf-3-colons", Fate::Accept},
    {"ipv6-correct-abnf-2-colons", Fate::Accept},
    {"ipv6-good", Fate::Accept},
    {"ipv6-in-sdp", Fate::Accept},
    {"mult-ip-in-header", Fate::Accept},
    {"mult-ip-in-sdp", Fate::Accept},
    {"port-ambiguous", Fate::Accept},
    {"port-unambiguous", Fate::Accept},
    {"via-received-param-no-delim", Fate::Accept},
    {"via-received-param-with-delim", Fate::Accept},
};
static_assert(std::size(rfc5118) == 12);

void expect_fate(const Torture& one, std::string_view octets) {
  SCOPED_TRACE(one.file);
  const ExactBuffer exact(octets);
  Message message;
  const auto result = parse_message(exact.view(), message);
  EXPECT_EQ(result.has_value(), !one.parse_error);
  if (!result && one.parse_error) {
    EXPECT_EQ(result.error().code, *one.parse_error) << to_string(result.error());
  }
  if (message.is_response()) {
    EXPECT_EQ(must_discard(message), one.fate == Fate::Discard);
    EXPECT_TRUE(one.fate == Fate::Take || one.fate == Fate::Discard);
    return;
  }
  const auto owed = owed_rejection(message);
  EXPECT_EQ(owed.has_value(), one.fate == Fate::Reject);
  if (owed) {
    EXPECT_EQ(owed->status, one.status) << to_string(owed->error);
  }
}

// Octets that a message keeps: all of them but what stands behind a Content-Length.
void expect_round_trip(std::string_view octets) {
  Message message;
  (void)parse_message(octets, message);
  EXPECT_EQ(message.to_string(), octets.substr(0, octets.size() - message.surplus_octets()));
}

void read_everything(const Message& message) {
  AllHeaders::for_each([&]<class H>() {
    Octets out;
    for (const auto& value : message.all<H>())
      if (value) value->write(out);
  });
  (void)owed_rejection(message);
  (void)must_discard(message);
}

TEST(Torture, MeetsEveryExpectationOfRfc4475) {
  for (const Torture& one : rfc4475)
    expect_fate(one,
                read_octets(folder_of("rfc4475") / (std::string(one.file) + ".dat")));
  EXPECT_EQ(vectors_of("rfc4475").size(), 50U) << "49 of the sections, and test.dat";
}

TEST(Torture, MeetsEveryExpectationOfRfc5118) {
  for (const Torture& one : rfc5118)
    expect_fate(one,
                read_octets(folder_of("rfc5118") / (std::string(one.file) + ".dat")));
  EXPECT_EQ(vectors_of("rfc5118").size(), 12U);
}

TEST(Torture, KeepsTheOctetsOfEveryVector) {
  std::size_t count = 0;
  for (const auto* folder : {"rfc4475", "rfc5118", "rfc3665"})
    for (const auto& path : vectors_of(folder)) {
      SCOPED_TRACE(path);
      expect_round_trip(read_octets(path));
      ++count;
    }
  EXPECT_EQ(count, 50U + 12U + 178U);
}

TEST(Torture, SurvivesTruncationAtEveryOctet) {
  Message message;
  for (const auto* folder : {"rfc4475", "rfc5118"})
    for (const auto& path : vectors_of(folder)) {
      const std::string octets = read_octets(path);
      for (std::size_t size = 0; size < octets.size(); ++size) {
        const ExactBuffer exact(std::string_view(octets).substr(0, size));
        (void)parse_message(exact.view(), message);
        read_everything(message);
      }
    }
}

// Frames of a stream, as one letter each, and the octets of its messages.
struct Frames {
  std::string kinds;
  std::vector<std::string> messages;
};

Frames frames_of(std::string_view octets, std::size_t chunk) {
  Frames out;
  Framer framer;
  for (std::size_t at = 0; at < octets.size(); at += chunk) {
    const ExactBuffer exact(octets.substr(at, chunk));
    framer.feed(exact.view());
    while (auto frame = framer.next()) {
      out.kinds += "MPpGB"[frame->index()];
      if (const auto* message = std::get_if<Message>(&*frame))
        out.messages.push_back(message->to_string());
      if (const auto* garbage = std::get_if<Framer::Garbage>(&*frame))
        out.messages.push_back(garbage->octets);
    }
  }
  return out;
}

TEST(Torture, FramesTheSameWholeAndByOctet) {
  for (const auto* folder : {"rfc4475", "rfc5118", "rfc3665"})
    for (const auto& path : vectors_of(folder)) {
      SCOPED_TRACE(path);
      const std::string octets = read_octets(path);
      const Frames whole = frames_of(octets, octets.size());
      const Frames bytes = frames_of(octets, 1);
      EXPECT_EQ(whole.kinds, bytes.kinds);
      EXPECT_EQ(whole.messages, bytes.messages);
    }
}

TEST(Torture, FramesAStreamOfAllFlows) {
  std::string stream;
  std::vector<std::string> sent;
  for (const auto& path : vectors_of("rfc3665")) {
    if (path.stem() == "3.8-F19") continue;  // no Content-Length: not for a stream
    sent.push_back(read_octets(path));
    stream += sent.back();
  }
  EXPECT_EQ(sent.size(), 177U);
  for (const std::size_t chunk : {1U, 7U, 100U, 1460U}) {
    const Frames frames = frames_of(stream, chunk);
    EXPECT_EQ(frames.messages, sent) << chunk;
    EXPECT_EQ(frames.kinds.find('B'), std::string::npos);
  }
}

TEST(Torture, ReadsEveryTypedHeaderOfRfc3665) {
  // As the RFC prints them: a comma is missing in an Authorization, a fold lacks its space.
  const std::map<std::string, std::string, std::less<>> misprinted{{"2.1-F03", "Authorization"},
                                                                   {"3.10-F04", "Record-Route"}};
  std::size_t values = 0, parsed = 0;
  for (const auto& path : vectors_of("rfc3665")) {
    Message message;
    const auto result = parse_message(read_octets(path), message);
    const auto known = misprinted.find(path.stem().string());
    parsed += result ? 1U : 0U;
    AllHeaders::for_each([&]<class H>() {
      for (const auto& value : message.all<H>()) {
        ++values;
        if (known != misprinted.end() && known->second == header_name(H::id)) continue;
        EXPECT_TRUE(value) << path << ' ' << header_name(H::id) << ' ' << to_string(value.error());
      }
    });
    if (known == misprinted.end() && message.is_request()) {
      EXPECT_FALSE(owed_rejection(message)) << path;
    }
  }
  EXPECT_EQ(parsed, 177U) << "all but 3.10-F04";
  EXPECT_EQ(values, 1510U);
}

}  // namespace
}  // namespace sipassay
