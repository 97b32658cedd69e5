#include "engine/runner/declared.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "engine/runner/run.h"

namespace sipassay::runner {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Step send(std::string method, std::vector<HeaderEdit> headers = {}, std::string body_type = {}) {
  SendStep out;
  out.method = std::move(method);
  out.edit.headers = std::move(headers);
  out.edit.body_type = std::move(body_type);
  return {.action = std::move(out), .line = 1, .flow = {}};
}

HeaderEdit set(std::string name, std::string value) {
  return {HeaderEdit::Action::Set, std::move(name), std::move(value), {}};
}

TEST(Declared, NeedsAreMethodsAndOptionTags) {
  EXPECT_EQ(capability_of_need("REFER"), (Capability{CapabilityKind::Method, "REFER"}));
  EXPECT_EQ(capability_of_need("refer"), (Capability{CapabilityKind::Method, "REFER"}));
  EXPECT_EQ(capability_of_need("100rel"), (Capability{CapabilityKind::Extension, "100rel"}));
  EXPECT_EQ(capability_of_need("trigger"), std::nullopt);
  EXPECT_EQ(capability_of_need("user:ring"), std::nullopt);
}

TEST(Declared, ACaseNeedsWhatItSends) {
  Case one;
  one.needs = {"trigger", "100rel", "SUBSCRIBE"};
  one.steps = {send("SUBSCRIBE", {set("Event", "presence;id=7")}),
               send("INFO", {set("Info-Package", "foo")}), send("NOTIFY", {set("Event", "refer")}),
               send("MESSAGE", {{HeaderEdit::Action::Remove, "Event", "", ""}}, "Text/Plain;x=y")};
  EXPECT_THAT(capabilities_needed(one),
              ElementsAre(Capability{CapabilityKind::Extension, "100rel"},
                          Capability{CapabilityKind::Method, "SUBSCRIBE"},
                          Capability{CapabilityKind::EventPackage, "presence"},
                          Capability{CapabilityKind::InfoPackage, "foo"},
                          Capability{CapabilityKind::BodyType, "text/plain"}));
}

// A response with what it has to repeat of the request, and these header fields.
std::string response(const std::string& request, int status, const std::string& headers) {
  std::string out = fmt::format("SIP/2.0 {} X\r\n{}", status, headers);
  for (std::size_t at = request.find("\r\n") + 2; request.substr(at, 2) != "\r\n";) {
    const std::size_t end = request.find("\r\n", at);
    const std::string field = request.substr(at, end - at);
    for (const char* name : {"Via:", "From:", "Call-ID:", "CSeq:"})
      if (field.starts_with(name)) out += field + "\r\n";
    if (field.starts_with("To:")) out += field + ";tag=sut\r\n";
    at = end + 2;
  }
  return out + "Content-Length: 0\r\n\r\n";
}

// What a profile has to say to the answer to one request: "RULE: observed".
std::vector<std::string> findings(const std::string& method, const Declared& declared, int status,
                                  const std::string& headers) {
  Case one;
  one.id = "LOCAL-declared-1";
  one.steps = {send(method)};
  const Endpoint sut{Transport::Udp, "192.0.2.1", 5060}, peer{Transport::Udp, "192.0.2.2", 5060};
  CaseOptions options;
  options.sut = sut;
  options.users = {{"auto", "auto"}};
  options.declared = declared;
  CaseRun run(one, options, Instant{});
  run.handle(PeerOpened{"peer", peer}, Instant{});
  bool is_first = true;
  for (int i = 0; i < 100 && !run.is_done(); ++i) {
    const auto output = run.poll();
    const auto* sent = std::get_if<SendOctets>(&output);
    if (sent == nullptr) continue;
    // The probe in the end is answered, too.
    run.handle(OctetsReceived{"peer",
                              is_first ? response(sent->octets, status, headers)
                                       : response(sent->octets, 200, ""),
                              {peer, sut, 0}},
               Instant{});
    is_first = false;
  }
  EXPECT_TRUE(run.is_done());
  std::vector<std::string> out;
  for (const ReportedFinding& finding : run.result().findings)
    if (finding.rule.starts_with("profile-")) out.push_back(finding.rule + ": " + finding.observed);
  return out;
}

TEST(Declared, TheWireMayContradictTheProfile) {
  struct Row {
    std::string method;
    Capability capability;
    bool has;
    int status;
    std::string headers, finding;  // no finding: none
  };
  const Capability update{CapabilityKind::Method, "UPDATE"};
  const Capability message{CapabilityKind::Method, "MESSAGE"};
  const Capability timer{CapabilityKind::Extension, "timer"};
  const Capability presence{CapabilityKind::EventPackage, "presence"};
  const Capability foo{CapabilityKind::InfoPackage, "foo"};
  const Capability sdp{CapabilityKind::BodyType, "application/sdp"};
  const Row rows[] = {
      {"OPTIONS", update, false, 200, "Allow: INVITE, UPDATE\r\n",
       "profile-methods: Allow names UPDATE"},
      {"OPTIONS", update, true, 200, "Allow: INVITE\r\n",
       "profile-methods: Allow does not name UPDATE"},
      {"OPTIONS", update, true, 200, "Allow: UPDATE\r\n", ""},
      {"OPTIONS", update, true, 200, "", ""},
      {"OPTIONS", update, false, 200, "Allow: INVITE\r\n", ""},
      // Elsewhere a list need not be complete.
      {"MESSAGE", update, true, 200, "Allow: INVITE\r\n", ""},
      {"MESSAGE", message, true, 405, "", "profile-methods: 405 to MESSAGE"},
      {"MESSAGE", message, true, 501, "", "profile-methods: 501 to MESSAGE"},
      {"MESSAGE", message, false, 200, "", "profile-methods: 200 to MESSAGE"},
      {"MESSAGE", message, false, 405, "", ""},
      {"OPTIONS", timer, false, 200, "k: Timer\r\n", "profile-extensions: Supported names timer"},
      {"OPTIONS", timer, true, 200, "Supported:\r\n",
       "profile-extensions: Supported does not name timer"},
      {"OPTIONS", timer, true, 420, "Unsupported: timer\r\n",
       "profile-extensions: 420 with Unsupported: timer"},
      {"OPTIONS", presence, false, 200, "Allow-Events: dialog, presence\r\n",
       "profile-event-packages: Allow-Events names presence"},
      {"OPTIONS", foo, true, 200, "Recv-Info: bar\r\n",
       "profile-info-packages: Recv-Info does not name foo"},
      {"OPTIONS", sdp, true, 200, "Accept: text/plain\r\n",
       "profile-body-types: Accept does not name application/sdp"},
      {"OPTIONS", sdp, true, 200, "Accept: application/*;q=0.5\r\n", ""},
      {"OPTIONS", sdp, true, 200, "Accept: */*\r\n", ""},
  };
  for (const Row& row : rows) {
    const auto found = findings(row.method, {{row.capability, row.has}}, row.status, row.headers);
    if (row.finding.empty())
      EXPECT_THAT(found, IsEmpty()) << row.method << row.headers << row.capability.word;
    else
      EXPECT_THAT(found, ElementsAre(row.finding)) << row.headers;
  }
}

}  // namespace
}  // namespace sipassay::runner
