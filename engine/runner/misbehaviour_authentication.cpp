// Rows about how a server asks for credentials, and which ones it takes.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "engine/message/header/all.h"
#include "engine/runner/misbehaviour_rows.h"
#include "engine/runner/values.h"
#include "engine/runner/wire.h"

namespace sipassay::runner {

namespace {

// A 401 or 407 of the SUT's.
bool challenges(const Wire& w) {
  return w.is_sent() && w.message().is_response() &&
         (w.message().status() == 401 || w.message().status() == 407);
}

// The REGISTER that this response answers.
const Message* register_of(const Wire& w, int low, int high) {
  if (!w.sends(Method::Register, low, high)) return nullptr;
  const auto number = cseq_number(w.message());
  return w.last(false, [&](const Message& m) {
    return m.is_request() && m.method() == Method::Register && cseq_number(m) == number;
  });
}

// Every challenge of the message becomes what `change` makes of it.
template <class F>
void change_challenges(Wire& w, F change) {
  if (!challenges(w)) return;
  for (std::size_t i = 0; i < w.message().field_count(); ++i) {
    const auto field = w.message().field(i);
    if (field.id == HeaderId::WwwAuthenticate || field.id == HeaderId::ProxyAuthenticate)
      w.edit().set_value(i, change(std::string(field.value)));
  }
}

// "qop=…" and the comma before it.
std::string without(std::string text, std::string_view param) {
  const auto start = text.find(fmt::format(", {}=", param));
  if (start == std::string::npos) return text;
  auto end = start + param.size() + 3;
  if (end < text.size() && text[end] == '"') end = text.find('"', end + 1);
  end = text.find(',', end);
  return text.erase(start, end == std::string::npos ? end : end - start);
}

// "name=value" becomes "name=\"value\"".
std::string with_quotes(std::string text, std::string_view param) {
  const auto start = text.find(fmt::format(" {}=", param));
  if (start == std::string::npos) return text;
  const auto value = start + param.size() + 2;
  text.insert(std::min(text.find(',', value), text.size()), 1, '"');
  return text.insert(value, 1, '"');
}

bool has_used_count(const Wire& w, const Message& request) {
  const auto nonce = message_value(request, "authorization.nonce");
  const auto nc = message_value(request, "authorization.nc");
  return w.last(false, [&](const Message& m) {
    return m.is_request() && nonce && nc && cseq_number(m) != cseq_number(request) &&
           message_value(m, "authorization.nonce") == nonce &&
           message_value(m, "authorization.nc") == nc;
  }) != nullptr;
}

constexpr Misbehaviour rows[] = {
    {"401-without-challenge",
     {3261, "22.2", Level::Must},
     "sends 401 without WWW-Authenticate",
     [](Wire& w) {
       if (challenges(w)) w.edit().remove(HeaderId::WwwAuthenticate);
     }},
    {"challenges-with-basic",
     {3261, "22", Level::MustNot},
     "asks for Basic credentials, too",
     [](Wire& w) {
       if (challenges(w)) w.edit().add(HeaderId::WwwAuthenticate, "Basic realm=\"sipassay\"");
     }},
    {"challenges-without-qop",
     {3261, "22.4", Level::Must},
     "sends no qop",
     [](Wire& w) {
       change_challenges(w, [](std::string value) { return without(std::move(value), "qop"); });
     }},
    {"challenges-unquoted",
     {7616, "3.3", Level::Must},
     "puts nothing in quotes",
     [](Wire& w) {
       change_challenges(w, [](std::string value) {
         std::erase(value, '"');
         return value + ", domain=sip:192.0.2.1";
       });
     }},
    {"challenges-with-quoted-algorithm",
     {7616, "3.3", Level::MustNot},
     "puts algorithm in quotes",
     [](Wire& w) {
       change_challenges(
           w, [](std::string value) { return with_quotes(std::move(value), "algorithm"); });
     }},
    {"challenges-with-quoted-stale",
     {7616, "3.3", Level::MustNot},
     "puts stale in quotes",
     [](Wire& w) {
       change_challenges(w,
                         [](std::string value) { return with_quotes(std::move(value), "stale"); });
     }},
    {"always-stale",
     {7616, "3.3", Level::Should},
     "says that the nonce was stale, whatever was wrong",
     [](Wire& w) {
       change_challenges(w, [](std::string value) {
         return without(std::move(value), "stale") + ", stale=true";
       });
     }},
    {"challenges-twice",
     {8760, "2.3", Level::Must},
     "sends every challenge twice",
     [](Wire& w) {
       if (!challenges(w)) return;
       for (const auto& value : header_values(w.message(), "WWW-Authenticate"))
         w.edit().add(HeaderId::WwwAuthenticate, value);
     }},
    {"challenges-with-md5-only",
     {8760, "3", Level::ShouldNot},
     "knows MD5 only",
     [](Wire& w) {
       if (!challenges(w)) return;
       for (auto i = w.message().field_count(); i-- > 0;)
         if (w.message().field(i).id == HeaderId::WwwAuthenticate &&
             w.message().field(i).value.find("SHA-256") != std::string_view::npos)
           w.edit().remove(i);
     }},
    {"accepts-basic",
     {3261, "22", Level::MustNot},
     "takes Basic credentials",
     [](Wire& w) {
       const auto* request = register_of(w, 401, 401);
       if (request && message_value(*request, "authorization.scheme") == "Basic")
         set_status(w.edit(), 200);
     }},
    {"accepts-any-credentials",
     {3261, "22.4", Level::Stated},
     "takes credentials without a look at them",
     [](Wire& w) {
       const auto* request = register_of(w, 400, 403);
       if (request && request->has(HeaderId::Authorization)) set_status(w.edit(), 200);
     }},
    {"accepts-replays",
     {7616, "3.4", Level::Stated},
     "takes the same nonce count twice",
     [](Wire& w) {
       const auto* request = register_of(w, 401, 401);
       if (request && has_used_count(w, *request)) set_status(w.edit(), 200);
     }},
    {"refuses-empty-response",
     {8760, "2.7", Level::Stated},
     "calls an empty response malformed",
     [](Wire& w) {
       const auto* request = register_of(w, 401, 401);
       if (request && message_value(*request, "authorization.response") == "")
         set_status(w.edit(), 400);
     }},
    {"registers-for-anybody",
     {3261, "10.3", Level::Must},
     "lets every user that it knows change every address-of-record",
     [](Wire& w) {
       if (w.sends(Method::Register, 403, 403)) set_status(w.edit(), 200);
     }},
    {"confirms-without-count",
     {7616, "3.5", Level::Must},
     "leaves cnonce and nc out of Authentication-Info",
     [](Wire& w) {
       if (!w.is_sent() || !w.message().has(HeaderId::AuthenticationInfo)) return;
       w.edit().set(
           HeaderId::AuthenticationInfo,
           without(without(std::string(w.message().raw(HeaderId::AuthenticationInfo)), "cnonce"),
                   "nc"));
     }},
    {"confirms-with-quoted-count",
     {7616, "3.5", Level::MustNot},
     "puts the nc of Authentication-Info in quotes",
     [](Wire& w) {
       if (!w.is_sent() || !w.message().has(HeaderId::AuthenticationInfo)) return;
       w.edit().set(HeaderId::AuthenticationInfo,
                    with_quotes(std::string(w.message().raw(HeaderId::AuthenticationInfo)), "nc"));
     }},
};

}  // namespace

std::span<const Misbehaviour> authentication_misbehaviours() {
  return rows;
}

}  // namespace sipassay::runner
