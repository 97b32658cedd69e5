#include "tools/doctor_questions.h"

#include <fmt/format.h>

#include <cassert>

#include "scenarios/load.h"

namespace sipassay::tools {
namespace {

// What answers a challenge, when there is a login, does not end the question.
constexpr std::string_view any_final = "200-400|402-406|408-699";
constexpr std::string_view any_refusal = "300-400|402-406|408-699";

std::string once(std::string_view request) {
  return fmt::format(R"({}<expect status="{}" of="q" within="5s"/>)", request, any_final);
}

// Who knows the method refuses these: 481, 400, 415, 489. A fetch of bindings changes nothing.
std::string outside(std::string_view method) {
  std::string edits;
  if (method == "MESSAGE") edits = R"(<body type="application/x-sipassay">x</body>)";
  if (method == "PRACK") edits = R"(<set name="RAck" value="1 1 INVITE"/>)";
  if (method == "REFER") edits = R"(<remove name="Refer-To"/>)";
  if (method == "REGISTER") edits = R"(<remove name="Contact"/><remove name="Expires"/>)";
  if (method == "SUBSCRIBE" || method == "PUBLISH")
    edits = fmt::format(R"(<set name="Event" value="{}"/>)", unknown_word);
  return once(fmt::format(R"(<send method="{}" as="q">{}</send>)", method, edits));
}

std::string large() {
  const std::string line =
      fmt::format(R"(<add name="X-Filler" value="{}"/>)", std::string(1000, 'x'));
  std::string out = R"(<send method="OPTIONS" as="q">)";
  for (std::size_t octets = 0; octets < large_octets; octets += 1000) out += line;
  return once(out + "</send>");
}

std::string give_up(std::string_view silence) {
  return fmt::format(R"(<branch silence="{}"><send method="CANCEL" for="q" as="cancel"/>
      <expect status="200-699" of="cancel" within="3s"/><expect status="300-699" of="q" within="3s"/></branch>)",
                     silence);
}

// A call that is answered, refused or given up; what the SUT does in it by itself is seen.
std::string call(std::string_view edits, std::string_view sdp, std::string_view provisional = {}) {
  const std::string silence = fmt::format("{}ms", call_patience / 1ms);
  const auto ends = [&](std::string_view ack_sdp) {
    return fmt::format(
        R"(<branch><expect status="2xx" of="q" as="ok"/><send method="ACK" for="ok"{}/>
        <wait for="1500ms"/></branch>
      <branch><expect status="{}" of="q"/></branch>{})",
        ack_sdp, any_refusal, give_up(silence));
  };
  const std::string_view ack_sdp = sdp == "none" ? R"( sdp="answer")" : "";
  std::string reliable;
  if (!provisional.empty())
    reliable = fmt::format(R"(<branch><expect status="101-199" of="q" as="first">{}</expect>
        <send method="PRACK" for="first" as="prack"/><expect status="200-699" of="prack" within="3s"/>
        <either>{}</either></branch>)",
                           provisional, ends(""));
  return fmt::format(
      R"(<send method="INVITE" as="q" dialog="call" sdp="{}">{}</send><either>{}{}</either>)", sdp,
      edits, reliable, ends(ack_sdp));
}

constexpr std::string_view established =
    R"(<send method="INVITE" as="invite" dialog="call" sdp="offer"/>
    <expect status="2xx" of="invite" as="ok" within="5s"/><send method="ACK" for="ok"/>)";

std::string inside(std::string_view request) {
  return std::string(established) + once(request);
}

std::string steps(Ask ask, const std::string& subject, const std::string& domain) {
  switch (ask) {
    case Ask::Options:
      return once(fmt::format(
          R"(<send method="OPTIONS" as="q" request-uri="sip:{0}"><set name="To" value="&lt;sip:{0}&gt;"/></send>)",
          domain));
    case Ask::Hops:
      return once(R"(<send method="OPTIONS" as="q" request-uri="sip:x@sipassay.invalid">
        <set name="To" value="&lt;sip:x@sipassay.invalid&gt;"/><set name="Max-Forwards" value="0"/></send>)");
    case Ask::Datagram:
      return large();
    case Ask::Method:
      return outside(subject);
    case Ask::Extension:
      return once(fmt::format(
          R"(<send method="OPTIONS" as="q"><set name="Require" value="{}"/></send>)", subject));
    case Ask::EventPackage:
      return once(fmt::format(R"(<send method="SUBSCRIBE" as="q"><set name="Event" value="{}"/>
        <set name="Expires" value="0"/></send>)",
                              subject));
    case Ask::Call:
      return call("", "offer");
    case Ask::ReliableCall:
      return call(R"(<set name="Supported" value="100rel"/>)", "offer",
                  R"(<header name="Require" has="100rel"/><header name="RSeq"/>)");
    case Ask::RequiresReliable:
      return call(R"(<set name="Require" value="100rel"/>)", "offer",
                  R"(<header name="Require" has="100rel"/><header name="RSeq"/>)");
    case Ask::LateOffer:
      return call("", "none");
    case Ask::Reinvite:
      return fmt::format(
          R"({}<send method="INVITE" as="q" dialog="call" sdp="offer"/>
        <either><branch><expect status="2xx" of="q" as="answer"/><send method="ACK" for="answer"/></branch>
        <branch><expect status="{}" of="q"/></branch><branch silence="5s"/></either>)",
          established, any_refusal);
    case Ask::Update:
      return inside(R"(<send method="UPDATE" as="q" dialog="call" sdp="offer"/>)");
    case Ask::Info:
      return inside(fmt::format(
          R"(<send method="INFO" as="q" dialog="call"><set name="Info-Package" value="{}"/>
        <set name="Content-Disposition" value="Info-Package"/><body type="text/plain">x</body></send>)",
          subject));
    case Ask::SessionTimer:
      return call(
          R"(<set name="Supported" value="timer"/><set name="Session-Expires" value="1800"/>)",
          "offer");
    case Ask::Repeats:
      return fmt::format(R"(<send method="INVITE" as="q" dialog="call" sdp="offer"/>
        <expect status="2xx" of="q" as="ok" within="5s"/><wait for="{}ms"/><send method="ACK" for="ok"/>)",
                         late_ack / 1ms);
  }
  return {};
}

}  // namespace

const std::vector<std::string_view> asked_methods{"BYE",       "INFO",    "MESSAGE", "NOTIFY",
                                                  "PRACK",     "PUBLISH", "REFER",   "REGISTER",
                                                  "SUBSCRIBE", "UPDATE"};
// 100rel may be required by an INVITE only (RFC 3262 4), 199 by none (RFC 6228 4).
const std::vector<std::string_view> asked_extensions{"timer", "replaces", "norefersub", "join",
                                                     "path",  "gruu",     "outbound"};
const std::vector<std::string_view> asked_packages{"presence", "dialog", "message-summary",
                                                   "conference", "reg"};

Question question(Ask ask, std::string subject, std::string user, std::size_t number,
                  const std::string& domain) {
  const std::string host = domain.empty() ? "${sut.host}:${sut.port}" : domain;
  const std::string xml = fmt::format(
      R"(<scenario xmlns="urn:sipassay:scenario:1" id="LOCAL-doctor-{}" sut="uas" level="STATED" transport="udp tcp tls ws wss">
<title>A question</title><clause rfc="3261" section="11">What the SUT does is seen, not judged.</clause>
{}</scenario>)",
      number, steps(ask, subject, host));
  auto loaded = scenarios::load_text(xml, "doctor", {.root = "/"});
  assert(loaded.errors.empty() && loaded.cases.size() == 1);
  return {ask, std::move(subject), std::move(user), std::move(loaded.cases.front())};
}

}  // namespace sipassay::tools
