// RFC 3261 10.3, step by step; the agent's part (authentication, Require, redirection) is in
// uas_test.cpp.
#include "engine/agent/registrar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "engine/message/parse.h"

namespace sipassay::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// One registrar, requests by hand. CSeq rises by itself.
class Bindings : public ::testing::Test {
 protected:
  struct Wish {
    std::vector<std::string> contacts{};
    std::string expires{};  // of the header field; empty: none
    std::string call_id = "one";
    std::uint32_t cseq = 0;  // 0: the next
    std::string to = "<sip:bob@example.com>";
    std::string domain = "sip:example.com";
  };

  Message request(const Wish& wish) {
    auto message = Message::request("REGISTER", wish.domain);
    message.add("To", wish.to).add("Call-ID", wish.call_id);
    message.add("CSeq", std::to_string(wish.cseq == 0 ? ++cseq_ : wish.cseq) + " REGISTER");
    for (const auto& contact : wish.contacts) message.add("Contact", contact);
    if (!wish.expires.empty()) message.add("Expires", wish.expires);
    return message;
  }
  // The bindings that a 200 shows, or the one text "423".
  Registrar::Contacts ask(const Wish& wish) {
    const auto message = request(wish);
    if (const auto refusal = registrar_.check_address(message))
      return {std::to_string(refusal->status)};
    auto contacts = registrar_.update(message, now_);
    return contacts ? *contacts : Registrar::Contacts{std::to_string(contacts.error().status)};
  }
  Registrar::Contacts fetch(std::string to = "<sip:bob@example.com>") {
    return ask({.to = std::move(to)});
  }

  Registrar registrar_{{.domains = {"example.com", "2001:db8::1"}}};
  Instant now_{};
  std::uint32_t cseq_ = 0;
};

TEST_F(Bindings, AreAddedAndFetched) {
  EXPECT_THAT(fetch(), IsEmpty());
  EXPECT_THAT(ask({.contacts = {"<sip:bob@192.0.2.4>"}}),
              ElementsAre("<sip:bob@192.0.2.4>;expires=3600"));
  EXPECT_THAT(ask({.contacts = {"\"B\" <sip:b@192.0.2.5>;q=0.7;x=y;expires=90"}, .call_id = "two"}),
              ElementsAre("<sip:bob@192.0.2.4>;expires=3600",
                          "\"B\" <sip:b@192.0.2.5>;q=0.7;x=y;expires=90"));
  EXPECT_EQ(fetch().size(), 2U);
  EXPECT_THAT(fetch("<sip:carol@example.com>"), IsEmpty());
}

TEST_F(Bindings, KeepParametersWhereTheyWere) {  // RFC 4475 3.3.12 to 3.3.14
  EXPECT_THAT(
      ask({.contacts = {"sip:a@192.0.2.4;header", "<sip:b@192.0.2.4;uri>",
                        "<sip:c@192.0.2.4?Route=%3Csip:x%3E>"}}),
      ElementsAre("<sip:a@192.0.2.4>;header;expires=3600", "<sip:b@192.0.2.4;uri>;expires=3600",
                  "<sip:c@192.0.2.4?Route=%3Csip:x%3E>;expires=3600"));
}

TEST_F(Bindings, LastAsLongAsWasAskedFor) {
  const struct {
    std::string param, header, granted;
  } vectors[] = {
      {"", "", "3600"},                       // locally configured
      {"", "120", "120"},                     // Expires
      {"90", "120", "90"},                    // the parameter first
      {"90", "", "90"},                       //
      {"banana", "120", "3600"},              // 10.2 SHOULD: malformed is 3600
      {"", "banana", "3600"},                 //
      {"", "-1", "3600"},                     //
      {"4294967295", "", "86400"},            // the registrar MAY choose less
      {"99999999999999999999", "", "86400"},  // as 2**32-1
      {"60", "", "60"},                       // the minimum is enough
  };
  std::size_t count = 0;
  for (const auto& [param, header, granted] : vectors) {
    const std::string contact = "<sip:b@192.0.2.4>" + (param.empty() ? "" : ";expires=" + param);
    EXPECT_THAT(ask({.contacts = {contact}, .expires = header}),
                ElementsAre("<sip:b@192.0.2.4>;expires=" + granted))
        << param << " " << header;
    ++count;
  }
  EXPECT_EQ(count, 10U);
}

TEST_F(Bindings, ThatAreTooBriefGet423WithTheMinimum) {
  for (const std::string seconds : {"1", "59"}) {
    const auto answer =
        registrar_.update(request({.contacts = {"<sip:b@192.0.2.4>"}, .expires = seconds}), now_);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().status, 423);
    ASSERT_EQ(answer.error().headers.size(), 1U);
    EXPECT_EQ(answer.error().headers.front().name, "Min-Expires");
    EXPECT_EQ(answer.error().headers.front().value, "60");
  }
  EXPECT_THAT(fetch(), IsEmpty());
  // "smaller than one hour": a minimum above that refuses nothing of an hour.
  Registrar slow{{.minimum = std::chrono::seconds{7200}}};
  EXPECT_TRUE(slow.update(request({.contacts = {"<sip:b@192.0.2.4>"}, .expires = "3600"}), now_));
}

TEST_F(Bindings, EndWhenTheirTimeIsUp) {
  ask({.contacts = {"<sip:a@192.0.2.4>;expires=60", "<sip:b@192.0.2.4>;expires=61"}});
  now_ += 59s + 1us;
  EXPECT_THAT(fetch(), ElementsAre("<sip:a@192.0.2.4>;expires=1", "<sip:b@192.0.2.4>;expires=2"));
  now_ = Instant{} + 60s;
  EXPECT_THAT(fetch(), ElementsAre("<sip:b@192.0.2.4>;expires=1"));
  now_ += 1s;
  EXPECT_THAT(fetch(), IsEmpty());
  EXPECT_THAT(registrar_.contacts("sip:bob@example.com", now_), IsEmpty());
}

TEST_F(Bindings, AreRefreshedAndRemovedOneByOne) {
  ask({.contacts = {"<sip:a@192.0.2.4>", "<sip:b@192.0.2.4>"}});
  EXPECT_THAT(ask({.contacts = {"<sip:a@192.0.2.4>;expires=100"}}),
              ElementsAre("<sip:a@192.0.2.4>;expires=100", "<sip:b@192.0.2.4>;expires=3600"));
  EXPECT_THAT(ask({.contacts = {"<sip:a@192.0.2.4>;expires=0"}}),
              ElementsAre("<sip:b@192.0.2.4>;expires=3600"));
  EXPECT_THAT(ask({.contacts = {"<sip:nobody@192.0.2.4>"}, .expires = "0"}),
              ElementsAre("<sip:b@192.0.2.4>;expires=3600"));
  EXPECT_THAT(ask({.contacts = {"<sip:b@192.0.2.4>"}, .expires = "0"}), IsEmpty());
  EXPECT_EQ(registrar_.size(), 0U);
}

TEST_F(Bindings, AreComparedAsUrisAre) {  // 19.1.4
  ask({.contacts = {"<sip:%61lice@Example.ORG;Transport=TCP>"}});
  EXPECT_THAT(ask({.contacts = {"<sip:alice@example.org;transport=tcp;new=5>"}}),
              ElementsAre("<sip:alice@example.org;transport=tcp;new=5>;expires=3600"));
  for (const std::string other :
       {"<sip:ALICE@example.org;transport=tcp>", "<sip:alice@example.org:5060;transport=tcp>",
        "<sip:alice@example.org>"})
    ask({.contacts = {other}});
  EXPECT_EQ(fetch().size(), 4U);
}

TEST_F(Bindings, OfOneRequestThatAreTheSameAreOne) {
  EXPECT_THAT(ask({.contacts = {"<sip:b@192.0.2.4>;q=0.1", "<sip:b@192.0.2.4>;q=0.9"}}),
              ElementsAre("<sip:b@192.0.2.4>;q=0.9;expires=3600"));
}

TEST_F(Bindings, ALaterRequestOfTheSameUaIsNotUndoneByAnEarlierOne) {
  ask({.contacts = {"<sip:b@192.0.2.4>;expires=500"}, .cseq = 7});
  for (const std::uint32_t late : {7U, 6U}) {
    EXPECT_THAT(ask({.contacts = {"<sip:b@192.0.2.4>;expires=900"}, .cseq = late}),
                ElementsAre("500"));
    EXPECT_THAT(ask({.contacts = {"<sip:b@192.0.2.4>;expires=0"}, .cseq = late}),
                ElementsAre("500"));
    EXPECT_THAT(ask({.contacts = {"*"}, .expires = "0", .cseq = late}), ElementsAre("500"));
  }
  EXPECT_THAT(fetch(), ElementsAre("<sip:b@192.0.2.4>;expires=500"));
  // Another Call-ID is another UA, or the same after a restart: its numbers say nothing.
  EXPECT_THAT(ask({.contacts = {"<sip:b@192.0.2.4>;expires=400"}, .call_id = "two", .cseq = 1}),
              ElementsAre("<sip:b@192.0.2.4>;expires=400"));
  EXPECT_THAT(ask({.contacts = {"<sip:b@192.0.2.4>;expires=300"}, .cseq = 1}),
              ElementsAre("<sip:b@192.0.2.4>;expires=300"));
}

TEST_F(Bindings, ChangeAllOrNone) {
  ask({.contacts = {"<sip:old@192.0.2.4>"}, .cseq = 9});
  for (const std::string bad : {"<sip:old@192.0.2.4>;expires=80", "<sip:x@192.0.2.4>;expires=5",
                                "<sip:x@192.0.2.4>;q=5", "<sips:x@192.0.2.4>"})
    EXPECT_EQ(ask({.contacts = {"<sip:new@192.0.2.4>", bad}, .cseq = 9}).size(), 1U) << bad;
  EXPECT_THAT(fetch(), ElementsAre("<sip:old@192.0.2.4>;expires=3600"));
}

TEST_F(Bindings, AllAreRemovedByAStar) {
  ask({.contacts = {"<sip:a@192.0.2.4>", "<sip:b@192.0.2.4>"}});
  EXPECT_THAT(ask({.contacts = {"*"}, .expires = "0"}), IsEmpty());
  EXPECT_THAT(fetch(), IsEmpty());
}

TEST_F(Bindings, AStarIsAloneAndHasExpires0) {
  ask({.contacts = {"<sip:a@192.0.2.4>"}});
  for (const std::string expires : {"", "3600", "1", "banana"})
    EXPECT_THAT(ask({.contacts = {"*"}, .expires = expires}), ElementsAre("400")) << expires;
  EXPECT_THAT(ask({.contacts = {"*", "<sip:b@192.0.2.4>"}, .expires = "0"}), ElementsAre("400"));
  EXPECT_THAT(ask({.contacts = {"<sip:b@192.0.2.4>", "*"}, .expires = "0"}), ElementsAre("400"));
  EXPECT_THAT(fetch(), ElementsAre("<sip:a@192.0.2.4>;expires=3600"));
}

TEST_F(Bindings, BelongToTheCanonicalAddress) {  // 10.3 step 5, 19.1.4: no port is not 5060
  ask({.contacts = {"<sip:a@192.0.2.4>"}, .to = "<sip:%62ob@EXAMPLE.com;user=phone>"});
  for (const std::string same :
       {"<sip:bob@example.com>", "<sips:bob@example.com>", "\"Bob\" <sip:bo%62@example.com;x=y>"})
    EXPECT_EQ(fetch(same).size(), 1U) << same;
  for (const std::string other :
       {"<sip:Bob@example.com>", "<sip:bob@example.com:5060>", "<sip:bob@example.com:5070>"})
    EXPECT_THAT(fetch(other), IsEmpty()) << other;
  ask({.contacts = {"<sip:a@192.0.2.4>"},
       .to = "<sip:bob@[2001:DB8:0::1]>",
       .domain = "sip:[2001:db8::1]"});
  EXPECT_EQ(ask({.to = "<sip:bob@[2001:db8::1]>", .domain = "sip:[2001:db8::1]"}).size(), 1U);
}

TEST_F(Bindings, AreOfOurDomainsOnly) {
  EXPECT_THAT(ask({.domain = "sip:example.org"}), ElementsAre("404"));
  EXPECT_THAT(ask({.to = "<sip:bob@example.org>"}), ElementsAre("404"));
  EXPECT_THAT(ask({.to = "<tel:+123>"}), ElementsAre("400"));  // RFC 4475 3.3.4
  EXPECT_THAT(ask({.domain = "sip:EXAMPLE.com:5070"}), IsEmpty());
  registrar_ = Registrar{{}};
  EXPECT_THAT(ask({.to = "<sip:bob@example.org>", .domain = "sip:example.org"}), IsEmpty());
}

TEST_F(Bindings, SipsNeedsSipsEverywhere) {  // RFC 5630 5.2
  EXPECT_THAT(ask({.contacts = {"<sips:b@192.0.2.4>"}}), ElementsAre("400"));
  EXPECT_THAT(
      ask({.contacts = {"<sips:b@192.0.2.4>", "<sip:b@192.0.2.5>"}, .domain = "sips:example.com"}),
      ElementsAre("400"));
  EXPECT_EQ(ask({.contacts = {"<sips:b@192.0.2.4>", "<mailto:b@example.com>"},
                 .domain = "sips:example.com"})
                .size(),
            2U);
}

TEST_F(Bindings, AreShownToACallerBestFirst) {
  ask({.contacts = {"<sip:low@192.0.2.4>;q=0.1", "<sip:none@192.0.2.4>",
                    "<sip:mid@192.0.2.4>;q=0.5", "<sip:bob@example.com>"}});
  EXPECT_THAT(
      registrar_.contacts("sip:bob@example.com;x=y", now_),
      ElementsAre("<sip:none@192.0.2.4>;expires=3600", "<sip:mid@192.0.2.4>;q=0.5;expires=3600",
                  "<sip:low@192.0.2.4>;q=0.1;expires=3600"));
  EXPECT_EQ(registrar_.contacts("sip:bob@example.com:5070", now_).size(), 4U);  // the domain counts
  EXPECT_THAT(registrar_.contacts("sip:carol@example.com", now_), IsEmpty());
  EXPECT_THAT(registrar_.contacts("tel:+1", now_), IsEmpty());
}

TEST_F(Bindings, AnAddressHasALimitOfThem) {
  for (std::size_t i = 0; i < bindings_max; ++i)
    ASSERT_EQ(ask({.contacts = {"<sip:" + std::to_string(i) + "@192.0.2.4>"}}).size(), i + 1);
  EXPECT_THAT(ask({.contacts = {"<sip:more@192.0.2.4>"}}), ElementsAre("500"));
  EXPECT_EQ(ask({.contacts = {"<sip:0@192.0.2.4>;expires=0", "<sip:more@192.0.2.4>"}}).size(),
            bindings_max);
}

TEST_F(Bindings, HaveALimitOfOctets) {
  const std::string head = "<sip:", tail = "@192.0.2.4>";
  const auto user = binding_octets_max - head.size() - tail.size() - std::string("one").size();
  EXPECT_EQ(ask({.contacts = {head + std::string(user, 'a') + tail}}).size(), 1U);
  EXPECT_THAT(ask({.contacts = {head + std::string(user + 1, 'a') + tail}}), ElementsAre("500"));
}

TEST_F(Bindings, ThereIsALimitOfAddresses) {
  registrar_ = Registrar{{.aors_limit = 2}};
  const auto add = [this](const std::string& user) {
    return ask(
        {.contacts = {"<sip:a@192.0.2.4>;expires=60"}, .to = "<sip:" + user + "@example.com>"});
  };
  EXPECT_EQ(add("one").size(), 1U);
  EXPECT_EQ(add("two").size(), 1U);
  EXPECT_THAT(add("three"), ElementsAre("500"));
  EXPECT_EQ(add("two").size(), 1U);
  EXPECT_THAT(fetch("<sip:three@example.com>"), IsEmpty());
  now_ += 60s;  // what is over makes room
  EXPECT_EQ(add("three").size(), 1U);
  EXPECT_EQ(registrar_.size(), 1U);
}

TEST(RegistrarDate, IsCalendarTimeOfTheRun) {
  const Registrar epoch{{}};
  EXPECT_EQ(epoch.date(Instant{}), "Thu, 01 Jan 1970 00:00:00 GMT");
  using namespace std::chrono;
  const Registrar later{{.epoch = sys_days{2010y / November / 13} + 23h + 29min}};
  EXPECT_EQ(later.date(Instant{} + 1999ms), "Sat, 13 Nov 2010 23:29:01 GMT");  // 20.17
}

}  // namespace
}  // namespace sipassay::agent
