#include "engine/agent/digest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "engine/base/ascii.h"

namespace sipassay::agent::digest {
namespace {

// --- vectors

TEST(Digest, HashesAsTheRfcsSay) {
  // RFC 3261 22.4 item 7, RFC 8760 2.6 item 7.
  EXPECT_EQ(hash(Algorithm::Md5, ""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(hash(Algorithm::Sha256, ""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

struct Vector {
  std::string_view source;
  Inputs inputs;
  std::string_view response;
};
constexpr std::string_view nonce_7616 = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
constexpr std::string_view cnonce_7616 = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
const std::array vectors{
    Vector{"RFC 7616 3.9.1, MD5",
           {.algorithm = Algorithm::Md5,
            .qop = Qop::Auth,
            .user = "Mufasa",
            .realm = "http-auth@example.org",
            .password = "Circle of Life",
            .nonce = nonce_7616,
            .cnonce = cnonce_7616,
            .nc = "00000001",
            .method = "GET",
            .uri = "/dir/index.html",
            .body = {}},
           "8ca523f5e9506fed4657c9700eebdbec"},
    Vector{"RFC 7616 3.9.1, SHA-256",
           {.algorithm = Algorithm::Sha256,
            .qop = Qop::Auth,
            .user = "Mufasa",
            .realm = "http-auth@example.org",
            .password = "Circle of Life",
            .nonce = nonce_7616,
            .cnonce = cnonce_7616,
            .nc = "00000001",
            .method = "GET",
            .uri = "/dir/index.html",
            .body = {}},
           "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
    Vector{"RFC 2617 3.5, the response that RFC 3261 quotes",
           {.algorithm = Algorithm::Md5,
            .qop = Qop::Auth,
            .user = "Mufasa",
            .realm = "testrealm@host.com",
            .password = "Circle Of Life",
            .nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093",
            .cnonce = "0a4f113b",
            .nc = "00000001",
            .method = "GET",
            .uri = "/dir/index.html",
            .body = {}},
           "6629fae49393a05397450978507c4ef1"},
    Vector{"RFC 2069, by its erratum 749",
           {.algorithm = Algorithm::Md5,
            .qop = Qop::None,
            .user = "Mufasa",
            .realm = "testrealm@host.com",
            .password = "CircleOfLife",
            .nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093",
            .cnonce = {},
            .nc = {},
            .method = "GET",
            .uri = "/dir/index.html",
            .body = {}},
           "1949323746fe6a43ef61f9606e7febea"},
};

TEST(Digest, GivesTheResponsesOfTheRfcs) {
  std::size_t count = 0;
  for (const auto& vector : vectors) {
    EXPECT_EQ(response(vector.inputs), vector.response) << vector.source;
    ++count;
  }
  EXPECT_EQ(count, 4U);
}

// RFC 7616 3.4.2, 3.4.3 written out by hand.
TEST(Digest, SessionAndIntegrityVariantsFollowTheFormulas) {
  for (const auto algorithm : {Algorithm::Md5Sess, Algorithm::Sha256Sess}) {
    const auto h = [&](const std::string& text) { return hash(algorithm, text); };
    const Inputs in{.algorithm = algorithm,
                    .qop = Qop::AuthInt,
                    .user = "u",
                    .realm = "r",
                    .password = "p",
                    .nonce = "n",
                    .cnonce = "c",
                    .nc = "00000002",
                    .method = "INVITE",
                    .uri = "sip:a",
                    .body = "v=0"};
    const auto a1 = h("u:r:p") + ":n:c";
    const auto a2 = "INVITE:sip:a:" + h("v=0");
    EXPECT_EQ(response(in), h(h(a1) + ":n:00000002:c:auth-int:" + h(a2)));
  }
}

TEST(Digest, AlgorithmsHaveNames) {
  for (const auto algorithm :
       {Algorithm::Md5, Algorithm::Md5Sess, Algorithm::Sha256, Algorithm::Sha256Sess})
    EXPECT_EQ(algorithm_from(to_string(algorithm)), algorithm);
  EXPECT_EQ(algorithm_from("sha-256-SESS"), Algorithm::Sha256Sess);
  EXPECT_EQ(algorithm_from("SHA-512-256"), std::nullopt);
  EXPECT_EQ(algorithm_from(""), std::nullopt);
}

// --- client and server together

Message invite(std::string_view body = "") {
  auto request = Message::request("INVITE", "sip:bob@example.com");
  if (!body.empty()) request.set_body("application/sdp", body);
  return request;
}

constexpr Instant start{};

Server::Options server_options(std::vector<Algorithm> algorithms = {Algorithm::Sha256,
                                                                    Algorithm::Md5}) {
  Server::Options options;
  options.realm = "example.com";
  options.users = {Secret{"", "alice", "se\"cret"}};
  options.algorithms = std::move(algorithms);
  return options;
}

Client client(std::string password = "se\"cret") {
  return Client({Secret{"example.com", "alice", std::move(password)}}, Rng(1));
}

Message challenge_by(Server& server, bool is_stale = false, Instant now = start) {
  auto response = Message::response(server.status());
  server.challenge(response, is_stale, now);
  return response;
}

TEST(DigestExchange, EveryAlgorithmAndQopIsAccepted) {
  std::size_t count = 0;
  for (const auto algorithm :
       {Algorithm::Md5, Algorithm::Md5Sess, Algorithm::Sha256, Algorithm::Sha256Sess})
    for (const bool is_proxy : {false, true})
      for (const std::string_view qop : {"auth,auth-int", "auth", "auth-int", ""}) {
        auto options = server_options({algorithm});
        options.is_proxy = is_proxy;
        options.offers_qop = !qop.empty();
        Server server(options, Rng(2));
        auto response = challenge_by(server);
        if (qop == "auth-int") {  // what the server said, made narrower on the way
          std::string value(response.field(0).value);
          value.replace(value.find("auth,auth-int"), 13, "auth-int");
          response.set_value(0, value);
        }
        auto request = invite("v=0\r\n");
        const auto verdict = client().answer_challenge(response, request);
        const bool is_session =
            algorithm == Algorithm::Md5Sess || algorithm == Algorithm::Sha256Sess;
        if (qop.empty() && is_session) {
          EXPECT_EQ(verdict, Verdict::Unsupported);
        } else {
          ASSERT_EQ(verdict, Verdict::Retry);
          EXPECT_EQ(server.verify(request, start), Judgement::Accepted)
              << to_string(algorithm) << " " << qop;
          EXPECT_EQ(server.user(), "alice");
        }
        ++count;
      }
  EXPECT_EQ(count, 32U);
}

TEST(DigestClient, TakesTheTopmostChallengeThatItSupports) {
  auto response = Message::response(401);
  response.add(HeaderId::WwwAuthenticate, "Bearer realm=\"r\", nonce=\"0\"");
  response.add(HeaderId::WwwAuthenticate,
               "Digest realm=\"r\", nonce=\"1\", algorithm=SHA-512-256, qop=\"auth\"");
  response.add(HeaderId::WwwAuthenticate,
               "Digest realm=\"r\", nonce=\"2\", algorithm=MD5, qop=\"token\"");
  response.add(HeaderId::WwwAuthenticate,
               "Digest realm=\"r\", nonce=\"3\", algorithm=SHA-256, qop=\"x, auth-int , y\"");
  response.add(HeaderId::WwwAuthenticate,
               "Digest realm=\"r\", nonce=\"4\", algorithm=MD5, qop=\"auth\"");
  auto request = invite();
  Client any({Secret{"", "u", "p"}}, Rng(1));
  ASSERT_EQ(any.answer_challenge(response, request), Verdict::Retry);
  const auto header = request.get<Authorization>();
  ASSERT_TRUE(header);
  EXPECT_EQ(request.line_count(HeaderId::Authorization), 1U);
  EXPECT_EQ(header->params.value("nonce"), "3");
  EXPECT_EQ(header->params.value("algorithm"), "SHA-256");
  EXPECT_EQ(header->params.find("qop")->value, "auth-int");  // a token, never quoted (RFC 7616 3.4)
  EXPECT_EQ(header->params.find("nc")->value, "00000001");
}

// RFC 7616 3.4.4 MUST: the name is hashed, and its hash is no part of the response.
TEST(DigestClient, HashesTheUserWhenAsked) {
  auto response = Message::response(401);
  response.add(HeaderId::WwwAuthenticate,
               "Digest realm=\"r\", nonce=\"1\", algorithm=SHA-256, qop=\"auth\", userhash=TRUE");
  auto request = invite();
  const Secret secret{"", "u", "p"};
  Client client({secret}, Rng(1));
  ASSERT_EQ(client.answer_challenge(response, request), Verdict::Retry);
  const auto header = request.get<Authorization>();
  ASSERT_TRUE(header);
  EXPECT_EQ(unquote(header->params.value("username")), hash(Algorithm::Sha256, "u:r"));
  EXPECT_EQ(header->params.value("userhash"), "true");
  EXPECT_EQ(expected_response(header->params, secret, request.method_text(), request.body()),
            unquote(header->params.value("response")));
}

// RFC 3261 22.3 MUST NOT.
TEST(DigestClient, KeepsCredentialsForAProxyToOneCall) {
  auto response = Message::response(407);
  response.add(HeaderId::ProxyAuthenticate, "Digest realm=\"r\", nonce=\"1\"");
  auto request = invite();
  request.set(HeaderId::CallId, "one");
  Client client({Secret{"", "u", "p"}}, Rng(1));
  ASSERT_EQ(client.answer_challenge(response, request), Verdict::Retry);
  for (const std::string_view call : {"one", "other"}) {
    auto next = invite();
    next.set(HeaderId::CallId, call);
    client.authorize(next);
    EXPECT_EQ(next.has(HeaderId::ProxyAuthorization), call == "one");
  }
}

TEST(DigestClient, AnswersOriginAndProxiesEachWithItsOwnSecret) {
  auto response = Message::response(401);
  response.add(HeaderId::WwwAuthenticate, "Digest realm=\"a\", nonce=\"1\"");
  response.add(HeaderId::WwwAuthenticate, "Digest realm=\"b\", nonce=\"2\"");
  response.add(HeaderId::ProxyAuthenticate, "Digest realm=\"c\", nonce=\"3\"");
  response.add(HeaderId::ProxyAuthenticate, "Digest realm=\"unknown\", nonce=\"4\"");
  Client many({Secret{"a", "ua", "p"}, Secret{"b", "ub", "p"}, Secret{"c", "uc", "p"}}, Rng(1));
  auto request = invite();
  ASSERT_EQ(many.answer_challenge(response, request), Verdict::Retry);
  EXPECT_EQ(request.line_count(HeaderId::Authorization), 2U);
  EXPECT_EQ(request.get<ProxyAuthorization>()->params.value("username"), "uc");
  EXPECT_FALSE(request.get<ProxyAuthorization>()->params.has("algorithm"));  // none was sent
}

TEST(DigestClient, A401AfterA407IsAnsweredToo) {
  auto proxy_options = server_options();
  proxy_options.is_proxy = true;
  proxy_options.realm = "proxy";
  Server proxy(proxy_options, Rng(3));
  Server origin(server_options(), Rng(4));
  Client both({Secret{"", "alice", "se\"cret"}}, Rng(5));
  auto request = invite();
  ASSERT_EQ(both.answer_challenge(challenge_by(proxy), request), Verdict::Retry);
  ASSERT_EQ(proxy.verify(request, start), Judgement::Accepted);
  ASSERT_EQ(both.answer_challenge(challenge_by(origin), request), Verdict::Retry);
  EXPECT_EQ(origin.verify(request, start), Judgement::Accepted);
}

TEST(DigestClient, CountsPerNonceAndStartsAgainWithANewOne) {
  auto c = client();
  Server server(server_options(), Rng(2));
  auto request = invite();
  ASSERT_EQ(c.answer_challenge(challenge_by(server), request), Verdict::Retry);
  auto second = invite();
  c.authorize(second);
  EXPECT_EQ(second.get<Authorization>()->params.value("nc"), "00000002");
  EXPECT_EQ(server.verify(second, start), Judgement::Accepted);
  ASSERT_EQ(c.answer_challenge(challenge_by(server, true), second), Verdict::Retry);
  EXPECT_EQ(second.line_count(HeaderId::Authorization), 1U);
  EXPECT_EQ(second.get<Authorization>()->params.value("nc"), "00000001");
  EXPECT_EQ(server.verify(second, start), Judgement::Accepted);
}

TEST(DigestClient, DoesNotRetryWithWhatWasRefused) {
  auto c = client("wrong");
  Server server(server_options(), Rng(2));
  auto request = invite();
  ASSERT_EQ(c.answer_challenge(challenge_by(server), request), Verdict::Retry);
  EXPECT_EQ(server.verify(request, start), Judgement::Wrong);
  EXPECT_EQ(c.answer_challenge(challenge_by(server), request), Verdict::Rejected);
}

TEST(DigestClient, GivesUpWhenEveryNonceIsStale) {
  auto c = client();
  Server server(server_options(), Rng(2));
  auto request = invite();
  ASSERT_EQ(c.answer_challenge(challenge_by(server), request), Verdict::Retry);
  int retries = 0;
  while (c.answer_challenge(challenge_by(server, true), request) == Verdict::Retry && retries < 100)
    ++retries;
  EXPECT_EQ(retries, stale_max);
}

TEST(DigestClient, AStaleChallengeWithTheSameNonceIsALoop) {
  auto c = client();
  Server server(server_options(), Rng(2));
  auto response = challenge_by(server);
  auto request = invite();
  ASSERT_EQ(c.answer_challenge(response, request), Verdict::Retry);
  response.set_value(0, std::string(response.field(0).value) + ", stale=TRUE");
  EXPECT_EQ(c.answer_challenge(response, request), Verdict::Rejected);
}

TEST(DigestClient, HasNothingToSayWithoutSecretOrChallenge) {
  Client none({}, Rng(1));
  Server server(server_options(), Rng(2));
  auto request = invite();
  EXPECT_EQ(none.answer_challenge(challenge_by(server), request), Verdict::NoCredentials);
  EXPECT_EQ(client().answer_challenge(Message::response(401), request), Verdict::Unsupported);
  auto broken = Message::response(401);
  broken.add(HeaderId::WwwAuthenticate, "Digest realm=\"x")
      .add(HeaderId::WwwAuthenticate, "Digest")
      .add(HeaderId::WwwAuthenticate, "");
  broken.add(HeaderId::WwwAuthenticate, "Digest realm=\"example.com\"")
      .add(HeaderId::WwwAuthenticate, "Digest nonce=\"1\"");
  EXPECT_EQ(client().answer_challenge(broken, request), Verdict::Unsupported);
  EXPECT_FALSE(request.has(HeaderId::Authorization));
}

TEST(DigestClient, ReadsNoMoreThanItsLimitOfChallenges) {
  for (const std::size_t count : {challenges_max, challenges_max + 1}) {
    auto response = Message::response(401);
    for (std::size_t i = 1; i < count; ++i)
      response.add(HeaderId::WwwAuthenticate, "Basic realm=\"x\"");
    response.add(HeaderId::WwwAuthenticate, "Digest realm=\"example.com\", nonce=\"1\"");
    auto request = invite();
    EXPECT_EQ(client().answer_challenge(response, request),
              count == challenges_max ? Verdict::Retry : Verdict::Unsupported);
  }
}

TEST(DigestClient, RemembersNoMoreThanItsLimitOfRealms) {
  Client c({Secret{"", "u", "p"}}, Rng(1));
  for (std::size_t i = 0; i <= nonces_max; ++i) {
    auto response = Message::response(401);
    response.add(HeaderId::WwwAuthenticate,
                 "Digest realm=\"" + std::to_string(i) + "\", nonce=\"1\"");
    auto request = invite();
    ASSERT_EQ(c.answer_challenge(response, request), Verdict::Retry);
  }
  auto request = invite();
  c.authorize(request);
  EXPECT_EQ(request.line_count(HeaderId::Authorization), nonces_max);
}

TEST(DigestClient, UndoesAndRedoesEscapesInWhatItEchoes) {
  auto response = Message::response(401);
  response.add(HeaderId::WwwAuthenticate, "Digest realm=\"a\\\"b\", nonce=\"n\\\\\", opaque=\"\"");
  Client c({Secret{"a\"b", "u", "p"}}, Rng(1));
  auto request = invite();
  ASSERT_EQ(c.answer_challenge(response, request), Verdict::Retry);
  const auto header = request.get<Authorization>();
  ASSERT_TRUE(header);
  EXPECT_EQ(header->params.find("realm")->value, "\"a\\\"b\"");
  EXPECT_EQ(header->params.find("opaque")->value, "\"\"");
  EXPECT_EQ(header->params.value("response"), digest::response({.algorithm = Algorithm::Md5,
                                                                .qop = Qop::None,
                                                                .user = "u",
                                                                .realm = "a\"b",
                                                                .password = "p",
                                                                .nonce = "n\\",
                                                                .cnonce = {},
                                                                .nc = {},
                                                                .method = "INVITE",
                                                                .uri = "sip:bob@example.com",
                                                                .body = {}}));
}

TEST(DigestClient, TakesTheNextNonceOver) {
  auto c = client();
  Server server(server_options(), Rng(2));
  auto request = invite();
  ASSERT_EQ(c.answer_challenge(challenge_by(server), request), Verdict::Retry);
  auto ok = Message::response(200);
  ok.add(HeaderId::AuthenticationInfo, "nextnonce=\"fresh\"");
  c.learn(ok);
  auto next = invite();
  c.authorize(next);
  EXPECT_EQ(next.get<Authorization>()->params.value("nonce"), "fresh");
  EXPECT_EQ(next.get<Authorization>()->params.value("nc"), "00000001");
}

TEST(DigestClient, TheAckCarriesTheCredentialsOfItsInvite) {
  auto request = invite();
  request.add(HeaderId::Authorization, "Digest a=b")
      .add(HeaderId::ProxyAuthorization, "Digest c=d");
  auto ack = Message::request("ACK", "sip:bob@example.com");
  copy_credentials(request, ack);
  EXPECT_EQ(ack.raw(HeaderId::Authorization), "Digest a=b");
  EXPECT_EQ(ack.raw(HeaderId::ProxyAuthorization), "Digest c=d");
}

// --- server

struct Exchange {
  Server server{server_options({Algorithm::Md5}), Rng(2)};
  Message request = invite("v=0\r\n");
  Exchange() {
    EXPECT_EQ(client().answer_challenge(challenge_by(server), request), Verdict::Retry);
  }
  // Replaces text in the credentials.
  void change(std::string_view from, std::string_view to) {
    std::string value(request.raw(HeaderId::Authorization));
    const auto at = value.find(from);
    ASSERT_NE(at, std::string::npos) << from << " in " << value;
    value.replace(at, from.size(), to);
    request.set(HeaderId::Authorization, value);
  }
  Judgement verify(Instant now = start) { return server.verify(request, now); }
};

TEST(DigestServer, RefusesAReplayAndACountThatDoesNotGrow) {
  Exchange e;
  EXPECT_EQ(e.verify(), Judgement::Accepted);
  EXPECT_EQ(e.verify(), Judgement::Replayed);
}

TEST(DigestServer, ANonceGrowsStale) {
  Exchange e;
  EXPECT_EQ(e.verify(start + 300s + 1us), Judgement::Stale);
  Exchange in_time;
  EXPECT_EQ(in_time.verify(start + 300s), Judgement::Accepted);
  Exchange other;
  Server restarted(server_options({Algorithm::Md5}), Rng(99));
  EXPECT_EQ(restarted.verify(other.request, start), Judgement::Stale);
}

TEST(DigestServer, SaysWhatIsWrong) {
  struct Row {
    std::string_view from, to;
    Judgement judgement;
  };
  constexpr std::array rows{
      Row{"username=\"alice\"", "username=\"bob\"", Judgement::Wrong},
      Row{"username=\"alice\"", "username=\"Alice\"", Judgement::Wrong},
      Row{"realm=\"example.com\"", "realm=\"Example.com\"", Judgement::Absent},
      Row{"Digest ", "Basic ", Judgement::Absent},
      Row{"nonce=", "nonse=", Judgement::Malformed},
      Row{"username=", "user=", Judgement::Malformed},
      Row{"response=", "answer=", Judgement::Malformed},
      Row{"response=\"", "response=\"0", Judgement::Wrong},
      Row{"uri=\"sip:bob@example.com\"", "uri=\"sip:eve@example.com\"", Judgement::Malformed},
      Row{"qop=auth", "qop=auth-int", Judgement::Wrong},
      Row{"qop=auth", "qop=token", Judgement::Wrong},
      Row{"nc=00000001", "nc=1", Judgement::Malformed},
      Row{"nc=00000001", "nc=0000000g", Judgement::Malformed},
      Row{"nc=00000001", "nc=00000000", Judgement::Malformed},
      Row{"nc=00000001", "nc=00000002", Judgement::Wrong},
      Row{", qop=auth", ", qop=auth, qop=auth", Judgement::Malformed},
      Row{"username=\"alice\"", "username=\"alice\", username=\"alice\"", Judgement::Malformed},
      Row{"username=\"alice\"", "username=\"alice\", username*=UTF-8''alice", Judgement::Malformed},
      Row{"algorithm=MD5", "algorithm=SHA-256", Judgement::Wrong},
      Row{"algorithm=MD5", "algorithm=MD6", Judgement::Wrong},
      Row{"opaque=\"", "opaque=\"x", Judgement::Wrong},
  };
  std::size_t count = 0;
  for (const auto& row : rows) {
    Exchange e;
    e.change(row.from, row.to);
    EXPECT_EQ(e.verify(), row.judgement) << row.to << ": " << to_string(e.verify());
    ++count;
  }
  EXPECT_EQ(count, 21U);
}

TEST(DigestServer, TheDigestIsComparedExactly) {
  Exchange e;
  const auto right = std::string(e.request.get<Authorization>()->params.value("response"));
  std::string upper = right;
  for (char& c : upper)
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  ASSERT_NE(upper, right);  // RFC 3261 25.1: LHEX
  for (const auto& wrong :
       {right.substr(1), right + "0", std::string(), upper, std::string(32, '0')}) {
    Exchange other;
    other.change(right, wrong);
    EXPECT_EQ(other.verify(), Judgement::Wrong) << wrong;
  }
}

TEST(DigestServer, AnotherMethodOrBodyDoesNotFit) {
  Exchange e;
  auto bye = Message::request("BYE", "sip:bob@example.com");
  bye.add(HeaderId::Authorization, e.request.raw(HeaderId::Authorization));
  EXPECT_EQ(e.server.verify(bye, start), Judgement::Wrong);

  Server server(server_options({Algorithm::Md5}), Rng(2));
  auto response = challenge_by(server);
  std::string value(response.field(0).value);
  value.replace(value.find("auth,auth-int"), 13, "auth-int");
  response.set_value(0, value);
  auto request = invite("v=0\r\n");
  ASSERT_EQ(client().answer_challenge(response, request), Verdict::Retry);
  request.set_raw_body("v=1\r\n");
  EXPECT_EQ(server.verify(request, start), Judgement::Wrong);
}

TEST(DigestServer, NothingOrTwoSetsOfCredentials) {
  Exchange e;
  e.request.add(HeaderId::Authorization, e.request.raw(HeaderId::Authorization));
  EXPECT_EQ(e.verify(), Judgement::Malformed);
  e.request.remove(HeaderId::Authorization);
  EXPECT_EQ(e.verify(), Judgement::Absent);
  e.request.add(HeaderId::Authorization, "Digest realm=\"elsewhere\"");
  EXPECT_EQ(e.verify(), Judgement::Absent);
}

TEST(DigestServer, AnEquivalentUriWillDo) {
  Exchange e;
  e.request.set_request_uri("sip:bob@EXAMPLE.com");
  EXPECT_EQ(e.verify(), Judgement::Accepted);
}

TEST(DigestServer, CredentialsWithoutQopAreAcceptedAsRfc2069Has) {
  auto options = server_options({Algorithm::Md5});
  options.offers_qop = false;
  Server server(options, Rng(2));
  auto request = invite();
  ASSERT_EQ(client().answer_challenge(challenge_by(server), request), Verdict::Retry);
  EXPECT_FALSE(request.get<Authorization>()->params.has("cnonce"));  // RFC 3261 22.4 item 8
  EXPECT_EQ(server.verify(request, start), Judgement::Accepted);
}

TEST(DigestServer, ForgetsTheOldestNonceAtItsLimit) {
  Exchange e;
  for (std::size_t i = 1; i < nonces_max; ++i) challenge_by(e.server);
  EXPECT_EQ(Exchange(e).verify(), Judgement::Accepted);
  challenge_by(e.server);
  EXPECT_EQ(e.verify(), Judgement::Stale);
}

TEST(DigestServer, ForgetsNoncesThatAreTooOld) {
  Exchange e;
  const auto age = server_options().nonce_life;
  Message later = Message::response(401);
  e.server.challenge(later, false, start + age);
  EXPECT_EQ(e.server.nonce_count(), 2U);
  e.server.challenge(later, false, start + age + 1ms);
  EXPECT_EQ(e.server.nonce_count(), 2U);
  EXPECT_EQ(e.verify(), Judgement::Stale);
}

TEST(DigestServer, ProvesThatItKnowsTheSecret) {
  Exchange e;
  auto ok = Message::response(200);
  e.server.confirm(e.request, ok);
  const auto info = ok.get<AuthenticationInfo>();
  ASSERT_TRUE(info);
  const auto sent = e.request.get<Authorization>();
  EXPECT_EQ(info->params.value("rspauth"), digest::response({.algorithm = Algorithm::Md5,
                                                             .qop = Qop::Auth,
                                                             .user = "alice",
                                                             .realm = "example.com",
                                                             .password = "se\"cret",
                                                             .nonce = sent->params.value("nonce"),
                                                             .cnonce = sent->params.value("cnonce"),
                                                             .nc = "00000001",
                                                             .method = {},
                                                             .uri = "sip:bob@example.com",
                                                             .body = {}}));
}

TEST(DigestClient, BasicIsBase64) {
  struct Row {
    const char *user, *password, *value;
  };
  // The first and the last of RFC 7617 2 and 2.1.
  const Row rows[] = {{"Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
                      {"", "", "Basic Og=="},
                      {"a", "", "Basic YTo="},
                      {"a", "b", "Basic YTpi"},
                      {"test", "123\xc2\xa3", "Basic dGVzdDoxMjPCow=="}};
  for (const auto& row : rows) EXPECT_EQ(basic_credentials(row.user, row.password), row.value);
}

TEST(DigestServer, TheSameSeedGivesTheSameChallenge) {
  Server a(server_options(), Rng(7)), b(server_options(), Rng(7));
  EXPECT_EQ(challenge_by(a).to_string(), challenge_by(b).to_string());
  EXPECT_NE(challenge_by(a).to_string(), challenge_by(a).to_string());
}

}  // namespace
}  // namespace sipassay::agent::digest
