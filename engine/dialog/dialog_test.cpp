#include "engine/dialog/dialog.h"

#include <gtest/gtest.h>

#include "engine/message/header/all.h"

namespace sipassay::dialog {
namespace {

Message invite(std::string_view uri = "sip:bob@example.com") {
  Message request = Message::request("INVITE", uri);
  request.add("Via", "SIP/2.0/UDP a;branch=z9hG4bK1");
  request.add("From", "\"Alice\" <sip:alice@example.com>;tag=a1");
  request.add("To", "Bob <sip:bob@example.com>");
  request.add("Call-ID", "c1");
  request.add("CSeq", "10 INVITE");
  request.add("Contact", "<sip:alice@192.0.2.1:5070>");
  return request;
}

Message answer(int status, std::string_view to_tag = "b1") {
  Message response = Message::response(status);
  response.add("Via", "SIP/2.0/UDP a;branch=z9hG4bK1");
  response.add("From", "\"Alice\" <sip:alice@example.com>;tag=a1");
  response.add("To", "Bob <sip:bob@example.com>" +
                         (to_tag.empty() ? std::string() : ";tag=" + std::string(to_tag)));
  response.add("Call-ID", "c1");
  response.add("CSeq", "10 INVITE");
  response.add("Contact", "<sip:bob@192.0.2.2:5080>");
  return response;
}

std::vector<std::string> routes(const Message& request) {
  std::vector<std::string> out;
  for (const auto& route : request.all<Route>())
    if (route) out.emplace_back(route->addr.text);
  return out;
}

TEST(DialogId, TagsAreNeverConcatenated) {
  const DialogId a{"abc", "DEF", "g"}, b{"abcD", "EF", "g"};
  EXPECT_NE(a, b);
  EXPECT_EQ(a, (DialogId{"abc", "DEF", "g"}));
  for (const DialogId& other :
       {DialogId{"x", "DEF", "g"}, DialogId{"abc", "x", "g"}, DialogId{"abc", "DEF", "x"}})
    EXPECT_NE(a, other);
}

TEST(Dialog, OfARequestHasTheStateOf1211) {
  Message request = invite();
  request.add("Record-Route", "<sip:p1;lr>, <sip:p2;lr>").add("Record-Route", "<sip:p3;lr;x=1>");
  auto dialog = Dialog::from_request(request, "b1");
  ASSERT_TRUE(dialog);
  EXPECT_EQ(dialog->id(), (DialogId{"c1", "b1", "a1"}));
  EXPECT_EQ(dialog->role(), Role::Uas);
  EXPECT_TRUE(dialog->is_early());
  EXPECT_EQ(dialog->remote_cseq(), 10U);
  EXPECT_FALSE(dialog->local_cseq());
  EXPECT_EQ(dialog->remote_target(), "sip:alice@192.0.2.1:5070");
  EXPECT_EQ(dialog->local_uri(), "sip:bob@example.com");
  EXPECT_EQ(dialog->remote_uri(), "sip:alice@example.com");
  const std::vector<std::string> expected{"<sip:p1;lr>", "<sip:p2;lr>", "<sip:p3;lr;x=1>"};
  EXPECT_EQ(dialog->route_set(), expected);
}

TEST(Dialog, OfAResponseHasTheStateOf1212) {
  Message response = answer(180);
  response.add("Record-Route", "<sip:p1;lr>, <sip:p2;lr>").add("Record-Route", "<sip:p3;lr>");
  const auto dialog = Dialog::from_response(invite(), response);
  ASSERT_TRUE(dialog);
  EXPECT_EQ(dialog->id(), (DialogId{"c1", "a1", "b1"}));
  EXPECT_EQ(dialog->role(), Role::Uac);
  EXPECT_TRUE(dialog->is_early());
  EXPECT_FALSE(Dialog::from_response(invite(), answer(200))->is_early());
  EXPECT_EQ(dialog->local_cseq(), 10U);
  EXPECT_FALSE(dialog->remote_cseq());
  EXPECT_EQ(dialog->remote_target(), "sip:bob@192.0.2.2:5080");
  const std::vector<std::string> expected{"<sip:p3;lr>", "<sip:p2;lr>", "<sip:p1;lr>"};
  EXPECT_EQ(dialog->route_set(), expected) << "reversed";
}

TEST(Dialog, ToleratesANullTagOfEitherSide) {
  const auto uac = Dialog::from_response(invite(), answer(200, ""));
  ASSERT_TRUE(uac);
  EXPECT_EQ(uac->id().remote_tag, "");
  Message request = invite();
  request.set("From", "<sip:alice@example.com>");
  auto uas = Dialog::from_request(request, "b1");
  ASSERT_TRUE(uas);
  EXPECT_EQ(uas->id().remote_tag, "");
  const auto bye = uas->make_request("BYE");
  EXPECT_EQ(bye->raw(HeaderId::To), "<sip:alice@example.com>") << "no tag parameter (12.2.1.1)";
}

TEST(Dialog, IsSecureOnlyOverTlsWithASipsUri) {
  EXPECT_TRUE(Dialog::from_request(invite("sips:bob@example.com"), "b1", true)->is_secure());
  EXPECT_FALSE(Dialog::from_request(invite("sips:bob@example.com"), "b1", false)->is_secure());
  EXPECT_FALSE(Dialog::from_request(invite("sip:bob@example.com"), "b1", true)->is_secure());
}

TEST(Dialog, WithoutContactFallsBackAndSaysSo) {
  Message response = answer(180);
  response.remove("Contact");
  const auto dialog = Dialog::from_response(invite(), response);
  ASSERT_TRUE(dialog);
  EXPECT_FALSE(dialog->has_contact());
  EXPECT_EQ(dialog->remote_target(), "sip:bob@example.com");
}

TEST(Dialog, RefusesWhatHasNoIdentity) {
  for (const char* name : {"Call-ID", "From", "To", "CSeq"}) {
    Message request = invite();
    request.remove(name);
    EXPECT_FALSE(Dialog::from_request(request, "b1")) << name;
  }
  Message broken = invite();
  broken.set("Record-Route", "not a route");
  EXPECT_FALSE(Dialog::from_request(broken, "b1"));
}

TEST(Dialog, RouteSetHasALimit) {
  Message request = invite();
  for (std::size_t i = 0; i < route_set_max; ++i) request.add("Record-Route", "<sip:p;lr>");
  EXPECT_TRUE(Dialog::from_request(request, "b1"));
  request.add("Record-Route", "<sip:p;lr>");
  const auto dialog = Dialog::from_request(request, "b1");
  ASSERT_FALSE(dialog);
  EXPECT_EQ(dialog.error().code, ErrorCode::LimitExceeded);
}

TEST(DialogRequest, GoesToTheTargetWithoutARouteSet) {
  auto dialog = *Dialog::from_response(invite(), answer(200));
  const auto request = dialog.make_request("INFO");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->request_uri(), "sip:bob@192.0.2.2:5080");
  EXPECT_TRUE(routes(*request).empty());
  EXPECT_EQ(request->raw(HeaderId::CSeq), "11 INFO");
  EXPECT_EQ(request->raw(HeaderId::CallId), "c1");
  EXPECT_EQ(request->get<From>()->tag(), "a1");
  EXPECT_EQ(request->get<To>()->tag(), "b1");
  EXPECT_EQ(request->raw(HeaderId::MaxForwards), "70");
  EXPECT_FALSE(request->has(HeaderId::Via));
}

TEST(DialogRequest, KeepsLooseRoutersInRoute) {
  Message response = answer(200);
  response.add("Record-Route", "<sip:p2;lr>, <sip:p1;lr>;x=1");
  auto dialog = *Dialog::from_response(invite(), response);
  const auto request = dialog.make_request("BYE");
  EXPECT_EQ(request->request_uri(), "sip:bob@192.0.2.2:5080");
  const std::vector<std::string> expected{"<sip:p1;lr>;x=1", "<sip:p2;lr>"};
  EXPECT_EQ(routes(*request), expected);
}

TEST(DialogRequest, PutsAStrictRouterIntoTheRequestUri) {
  // The example of RFC 3261 12.2.1.1.
  Message request = invite();
  request.set("Contact", "<sip:user@remoteua>");
  request.add("Record-Route",
              "<sip:proxy1;method=INVITE;a=b?h=1>,<sip:proxy2>,<sip:proxy3;lr>,<sip:proxy4>");
  auto dialog = *Dialog::from_request(request, "b1");
  const auto out = dialog.make_request("BYE");
  EXPECT_EQ(out->request_uri(), "sip:proxy1;a=b") << "without what may not stand there";
  const std::vector<std::string> expected{"<sip:proxy2>", "<sip:proxy3;lr>", "<sip:proxy4>",
                                          "<sip:user@remoteua>"};
  EXPECT_EQ(routes(*out), expected);
}

TEST(DialogRequest, RouteSetComesAnewWithThe2xx) {
  Message early = answer(180);
  early.add("Record-Route", "<sip:old;lr>");
  auto dialog = *Dialog::from_response(invite(), early);
  Message ok = answer(200);
  ok.add("Record-Route", "<sip:b;lr>, <sip:a;lr>");
  dialog.recompute_route_set(ok);
  const std::vector<std::string> expected{"<sip:a;lr>", "<sip:b;lr>"};
  EXPECT_EQ(dialog.route_set(), expected);
}

TEST(DialogCSeq, CountsByOneFromEitherStart) {
  auto uas = *Dialog::from_request(invite(), "b1");
  EXPECT_EQ(uas.make_request("UPDATE")->raw(HeaderId::CSeq), "1 UPDATE");
  EXPECT_EQ(uas.make_request("BYE")->raw(HeaderId::CSeq), "2 BYE");
}

TEST(DialogCSeq, IsNeverTwoTo31) {
  Message request = invite();
  request.set("CSeq", "2147483646 INVITE");
  Message response = answer(200);
  auto dialog = *Dialog::from_response(request, response);
  EXPECT_EQ(dialog.make_request("INFO")->raw(HeaderId::CSeq), "2147483647 INFO");
  EXPECT_FALSE(dialog.next_cseq());
  EXPECT_FALSE(dialog.make_request("INFO"));
}

TEST(DialogCSeq, OrdersRequestsReceived) {
  auto dialog = *Dialog::from_request(invite(), "b1");
  Message request = Message::request("INFO", "sip:bob@192.0.2.2");
  request.add("CSeq", "10 INFO");
  EXPECT_EQ(dialog.sequence(request), Sequence::Equal);
  request.set("CSeq", "9 INFO");
  EXPECT_EQ(dialog.sequence(request), Sequence::Lower);
  request.set("CSeq", "20 INFO");
  EXPECT_EQ(dialog.sequence(request), Sequence::InOrder) << "a gap upwards is fine";
  request.set("CSeq", "2147483648 INFO");
  EXPECT_EQ(dialog.sequence(request), Sequence::NoCSeq);
  request.remove("CSeq");
  EXPECT_EQ(dialog.sequence(request), Sequence::NoCSeq);
}

TEST(DialogCSeq, ZeroIsANumber) {
  auto dialog = *Dialog::from_response(invite(), answer(200));
  Message request = Message::request("INFO", "sip:alice@192.0.2.1");
  request.add("CSeq", "0 INFO");
  ASSERT_EQ(dialog.sequence(request), Sequence::InOrder);
  dialog.commit_remote_cseq(0);
  EXPECT_EQ(dialog.sequence(request), Sequence::Equal);
}

TEST(DialogTarget, IsStagedUntilCommitted) {
  auto dialog = *Dialog::from_request(invite(), "b1");
  Message update = invite();
  update.set("Contact", "<sip:new@192.0.2.9>");
  dialog.stage_target(11, update);
  EXPECT_EQ(dialog.remote_target(), "sip:alice@192.0.2.1:5070");
  EXPECT_TRUE(dialog.commit_target(11));
  EXPECT_EQ(dialog.remote_target(), "sip:new@192.0.2.9");
  EXPECT_FALSE(dialog.commit_target(11)) << "once";
}

TEST(DialogTarget, OfARejectedRequestIsForgotten) {
  auto dialog = *Dialog::from_request(invite(), "b1");
  Message update = invite();
  update.set("Contact", "<sip:new@192.0.2.9>");
  dialog.stage_target(11, update);
  dialog.discard_target(11);
  EXPECT_FALSE(dialog.commit_target(11));
  EXPECT_EQ(dialog.remote_target(), "sip:alice@192.0.2.1:5070");
}

TEST(DialogTarget, TheNewerRequestWins) {
  auto dialog = *Dialog::from_request(invite(), "b1");
  Message request = invite();
  request.set("Contact", "<sip:first@192.0.2.9>");
  dialog.stage_target(11, request);
  request.set("Contact", "<sip:second@192.0.2.9>");
  dialog.stage_target(12, request);
  dialog.commit_target(12);
  EXPECT_FALSE(dialog.commit_target(11));
  EXPECT_EQ(dialog.remote_target(), "sip:second@192.0.2.9");
}

TEST(DialogTarget, StagedOnesHaveALimit) {
  auto dialog = *Dialog::from_request(invite(), "b1");
  Message request = invite();
  request.set("Contact", "<sip:other@192.0.2.9>");
  for (std::uint32_t i = 0; i <= staged_targets_max; ++i) dialog.stage_target(11 + i, request);
  EXPECT_FALSE(dialog.commit_target(11)) << "the oldest made room";
  EXPECT_TRUE(dialog.commit_target(12));
}

TEST(DialogAck, HasTheNumberAndTheCredentialsOfItsInvite) {
  Message request = invite();
  request.add("Authorization", "Digest a=1").add("Proxy-Authorization", "Digest b=2");
  auto dialog = *Dialog::from_response(request, answer(200));
  dialog.make_request("INFO");
  const Message ack = dialog.make_ack(request);
  EXPECT_EQ(ack.raw(HeaderId::CSeq), "10 ACK");
  EXPECT_EQ(ack.raw(HeaderId::Authorization), "Digest a=1");
  EXPECT_EQ(ack.raw(HeaderId::ProxyAuthorization), "Digest b=2");
  EXPECT_EQ(ack.request_uri(), "sip:bob@192.0.2.2:5080");
  EXPECT_EQ(dialog.local_cseq(), 11U) << "an ACK takes no number";
}

TEST(DialogAgain, TakesTheNextNumberAndAFreshRoute) {
  Message response = answer(200);
  response.add("Record-Route", "<sip:p;lr>");
  auto dialog = *Dialog::from_response(invite(), response);
  Message first = *dialog.make_request("INFO");
  first.insert(0, "Via", "SIP/2.0/UDP a;branch=z9hG4bKx");
  first.add("X-Kept", "yes");
  const auto again = dialog.make_again(first);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->raw(HeaderId::CSeq), "12 INFO");
  EXPECT_FALSE(again->has(HeaderId::Via));
  EXPECT_EQ(routes(*again).size(), 1U);
  EXPECT_EQ(again->raw("X-Kept"), "yes");
  EXPECT_EQ(dialog.make_request("BYE")->raw(HeaderId::CSeq), "13 BYE") << "contiguous (22.2)";
}

}  // namespace
}  // namespace sipassay::dialog
