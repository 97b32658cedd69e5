#include "engine/agent/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <charconv>

#include "engine/base/ascii.h"
#include "engine/message/params.h"
#include "engine/message/uri.h"

namespace sipassay::agent::digest {

namespace {

constexpr std::array<std::string_view, 4> algorithm_names{"MD5", "MD5-sess", "SHA-256",
                                                          "SHA-256-sess"};

bool is_session(Algorithm algorithm) {
  return algorithm == Algorithm::Md5Sess || algorithm == Algorithm::Sha256Sess;
}

std::string_view to_string(Qop qop) {
  return qop == Qop::AuthInt ? "auth-int" : "auth";
}

// The contents of a parameter: quotes and escapes off, folds become a space (RFC 3261 7.3.1).
std::string contents(const std::optional<Param>& param) {
  if (!param) return {};
  const std::string text = unquote(param->value);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' || text[i] == '\n') continue;
    out += text[i];
  }
  return out;
}

bool has_item(std::string_view list, std::string_view wanted) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    if (ascii::iequals(ascii::trim(list.substr(0, comma)), wanted)) return true;
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return false;
}

// What the client answers to a qop list; nothing if it knows none of it.
std::optional<Qop> choose_qop(const AuthParams& params) {
  const auto offered = params.find("qop");
  if (!offered) return Qop::None;
  const auto list = contents(offered);
  if (has_item(list, "auth")) return Qop::Auth;
  if (has_item(list, "auth-int")) return Qop::AuthInt;
  return std::nullopt;
}

// A challenge that we can answer.
std::optional<Challenge> read_challenge(std::string_view scheme, const AuthParams& params) {
  if (!ascii::iequals(scheme, "Digest") || !params.has("realm") || !params.has("nonce"))
    return std::nullopt;
  Challenge out;
  out.realm = contents(params.find("realm"));
  out.nonce = contents(params.find("nonce"));
  if (params.has("opaque")) out.opaque = contents(params.find("opaque"));
  if (params.has("algorithm")) {
    out.algorithm = algorithm_from(contents(params.find("algorithm")));
    if (!out.algorithm) return std::nullopt;
  }
  const auto qop = choose_qop(params);
  if (!qop) return std::nullopt;
  // RFC 3261 22.4 item 8.
  if (out.algorithm && is_session(*out.algorithm) && *qop == Qop::None) return std::nullopt;
  out.qop = *qop;
  out.is_stale = ascii::iequals(contents(params.find("stale")), "true");
  out.hashes_user = ascii::iequals(contents(params.find("userhash")), "true");
  return out;
}

template <class Header>
void collect(const Message& response, std::vector<Challenge>& out) {
  constexpr bool is_proxy = Header::id == HeaderId::ProxyAuthenticate;
  std::size_t count = 0;
  const auto all = response.all<Header>();
  for (auto value = all.begin(); value != all.end(); ++value) {
    if (++count > challenges_max) return;
    const auto& header = *value;
    if (!header) continue;
    auto challenge = read_challenge(header->scheme, header->params);
    if (!challenge) continue;
    challenge->is_proxy = is_proxy;
    const bool has_better = std::ranges::any_of(out, [&](const Challenge& c) {
      return c.is_proxy == is_proxy && c.realm == challenge->realm;
    });
    if (!has_better) out.push_back(std::move(*challenge));
  }
}

// RFC 7616 3.4: a directive may stand once.
bool is_once(const AuthParams& params, std::string_view name) {
  int count = 0;
  params.for_each([&](const Param& p) { count += ascii::iequals(p.name, name) ? 1 : 0; });
  return count == 1;
}

// Removes our credentials for a realm.
template <class Header>
void remove_credentials(Message& request, std::string_view realm) {
  for (std::size_t i = request.field_count(); i > 0; --i) {
    const auto field = request.field(i - 1);
    if (field.id != Header::id) continue;
    const auto header = Header::parse(field.value);
    if (header && contents(header->params.find("realm")) == realm) request.remove(i - 1);
  }
}

// The nonce of credentials that a request carries for a realm.
template <class Header>
std::optional<std::string> nonce_sent(const Message& request, std::string_view realm) {
  const auto all = request.all<Header>();
  for (auto value = all.begin(); value != all.end(); ++value) {
    const auto& header = *value;
    if (header && contents(header->params.find("realm")) == realm)
      return contents(header->params.find("nonce"));
  }
  return std::nullopt;
}

// nc: exactly eight hexadecimal digits (RFC 7616 3.5).
std::optional<std::uint32_t> read_nc(std::string_view text) {
  std::uint32_t value = 0;
  if (text.size() != 8 || !std::ranges::all_of(text, ascii::is_hex)) return std::nullopt;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

// Without a hint at where they differ.
bool is_same_digest(std::string_view a, std::string_view b) {
  return !a.empty() && a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

// RFC 8760 2.6 item 6: the same resource. Text that is no URI must be the same text.
bool is_same_resource(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const auto left = parse_uri(a);
  const auto right = parse_uri(b);
  return left && right && equivalent(*left, *right);
}

// The directives of credentials, checked for shape.
struct Credentials {
  std::string user, realm, nonce, uri, response, cnonce, nc_text, opaque;
  bool has_opaque = false;
  std::optional<Algorithm> algorithm;  // nothing: one that we do not know
  std::optional<Qop> qop;
  std::optional<std::uint32_t> nc;
};

std::optional<Credentials> read_credentials(const AuthParams& params) {
  for (const std::string_view name : {"username", "realm", "nonce", "uri", "response"})
    if (!is_once(params, name)) return std::nullopt;
  for (const std::string_view name : {"algorithm", "qop", "cnonce", "nc", "opaque"})
    if (params.has(name) && !is_once(params, name)) return std::nullopt;
  if (params.has("username*")) return std::nullopt;  // RFC 7616 3.4: never both
  Credentials out;
  out.user = contents(params.find("username"));
  out.realm = contents(params.find("realm"));
  out.nonce = contents(params.find("nonce"));
  out.uri = contents(params.find("uri"));
  out.response = contents(params.find("response"));
  out.opaque = contents(params.find("opaque"));
  out.has_opaque = params.has("opaque");
  out.algorithm =
      params.has("algorithm") ? algorithm_from(contents(params.find("algorithm"))) : Algorithm::Md5;
  out.qop = Qop::None;
  if (const auto qop = params.find("qop")) {
    const auto text = contents(qop);
    out.qop.reset();
    if (ascii::iequals(text, "auth")) out.qop = Qop::Auth;
    if (ascii::iequals(text, "auth-int")) out.qop = Qop::AuthInt;
    out.cnonce = contents(params.find("cnonce"));
    out.nc_text = contents(params.find("nc"));
    out.nc = read_nc(out.nc_text);
    if (!params.has("cnonce") || !out.nc || *out.nc == 0) return std::nullopt;
  } else if (out.algorithm && is_session(*out.algorithm)) {
    return std::nullopt;  // RFC 3261 22.4 item 8: -sess needs cnonce, and that needs qop
  }
  return out;
}

// All credentials for our realm; more than one set is no good.
template <class Header>
std::vector<AuthParams> credentials_for(const Message& request, std::string_view realm) {
  std::vector<AuthParams> out;
  const auto all = request.all<Header>();
  for (auto value = all.begin(); value != all.end(); ++value) {
    const auto& header = *value;
    if (!header || !ascii::iequals(header->scheme, "Digest")) continue;
    if (contents(header->params.find("realm")) == realm) out.push_back(header->params);
  }
  return out;
}

std::string response_to(const Credentials& c, const Secret& secret, std::string_view method,
                        std::string_view body) {
  return response(Inputs{.algorithm = *c.algorithm,
                         .qop = *c.qop,
                         .user = c.user,
                         .realm = c.realm,
                         .password = secret.password,
                         .nonce = c.nonce,
                         .cnonce = c.cnonce,
                         .nc = c.nc_text,
                         .method = method,
                         .uri = c.uri,
                         .body = body});
}

}  // namespace

std::string_view to_string(Algorithm algorithm) {
  return algorithm_names.at(static_cast<std::size_t>(algorithm));
}

std::optional<Algorithm> algorithm_from(std::string_view token) {
  for (std::size_t i = 0; i < algorithm_names.size(); ++i)
    if (ascii::iequals(algorithm_names[i], token)) return static_cast<Algorithm>(i);
  return std::nullopt;
}

std::string hash(Algorithm algorithm, std::string_view text) {
  const bool is_md5 = algorithm == Algorithm::Md5 || algorithm == Algorithm::Md5Sess;
  std::array<unsigned char, EVP_MAX_MD_SIZE> octets{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), octets.data(), &size, is_md5 ? EVP_md5() : EVP_sha256(),
                 nullptr) != 1)
    return {};  // the library refuses the algorithm: nothing will match
  std::string out;
  for (unsigned int i = 0; i < size; ++i) out += fmt::format("{:02x}", octets.at(i));
  return out;
}

std::string response(const Inputs& in) {
  const auto h = [&](std::string_view text) { return hash(in.algorithm, text); };
  std::string a1 = fmt::format("{}:{}:{}", in.user, in.realm, in.password);
  if (is_session(in.algorithm)) a1 = fmt::format("{}:{}:{}", h(a1), in.nonce, in.cnonce);
  std::string a2 = fmt::format("{}:{}", in.method, in.uri);
  if (in.qop == Qop::AuthInt) a2 += ':' + h(in.body);
  if (in.qop == Qop::None) return h(fmt::format("{}:{}:{}", h(a1), in.nonce, h(a2)));  // RFC 2069
  return h(fmt::format("{}:{}:{}:{}:{}:{}", h(a1), in.nonce, in.nc, in.cnonce, to_string(in.qop),
                       h(a2)));
}

std::optional<std::string> expected_response(const AuthParams& credentials, const Secret& secret,
                                             std::string_view method, std::string_view body) {
  auto read = read_credentials(credentials);
  if (!read || !read->algorithm || !read->qop) return std::nullopt;
  read->user = secret.user;  // RFC 7616 3.4.4: hashed after all else
  return response_to(*read, secret, method, body);
}

// --- client

std::vector<Challenge> challenges_of(const Message& response) {
  std::vector<Challenge> out;
  if (response.status() == 401) collect<WwwAuthenticate>(response, out);
  // RFC 3261 22.3: a forking proxy puts challenges of both kinds into one response.
  collect<ProxyAuthenticate>(response, out);
  if (response.status() == 407) collect<WwwAuthenticate>(response, out);
  return out;
}

std::string credentials(const Challenge& challenge, Inputs inputs) {
  inputs.algorithm = challenge.algorithm.value_or(Algorithm::Md5);
  inputs.qop = challenge.qop;
  // RFC 7616 3.4.4 MUST: the name is hashed after all else.
  const auto user = challenge.hashes_user
                        ? hash(inputs.algorithm, fmt::format("{}:{}", inputs.user, inputs.realm))
                        : std::string(inputs.user);
  auto out =
      fmt::format("Digest username={}, realm={}, nonce={}, uri={}, response=\"{}\"", quote(user),
                  quote(inputs.realm), quote(inputs.nonce), quote(inputs.uri), response(inputs));
  if (challenge.algorithm) out += fmt::format(", algorithm={}", to_string(*challenge.algorithm));
  if (challenge.qop != Qop::None)
    out += fmt::format(", qop={}, cnonce={}, nc={}", to_string(challenge.qop), quote(inputs.cnonce),
                       inputs.nc);
  if (challenge.hashes_user) out += ", userhash=true";
  if (challenge.opaque) out += fmt::format(", opaque={}", quote(*challenge.opaque));
  return out;
}

std::string basic_credentials(std::string_view user, std::string_view password) {
  const auto pair = fmt::format("{}:{}", user, password);
  std::string out(4 * ((pair.size() + 2) / 3) + 1, '\0');  // EVP_EncodeBlock ends it with a zero
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(pair.data()),
                                   static_cast<int>(pair.size()));
  out.resize(static_cast<std::size_t>(size));
  return "Basic " + out;
}

Client::Client(std::vector<Secret> secrets, Rng rng) : secrets_(std::move(secrets)), rng_(rng) {}

const Secret* Client::secret_for(std::string_view realm) const {
  for (const auto& secret : secrets_)
    if (secret.realm.empty() || secret.realm == realm) return &secret;
  return nullptr;
}

Client::Known* Client::known(bool is_proxy, std::string_view realm) {
  for (auto& challenge : known_)
    if (challenge.is_proxy == is_proxy && challenge.realm == realm) return &challenge;
  return nullptr;
}

Verdict Client::answer_challenge(const Message& response, Message& request) {
  const auto challenges = challenges_of(response);
  if (challenges.empty()) return Verdict::Unsupported;
  Verdict worst = Verdict::NoCredentials;
  for (const auto& challenge : challenges) {
    const auto verdict = take(challenge, request);
    if (verdict == Verdict::Rejected) return verdict;
    if (verdict == Verdict::Retry) worst = verdict;
  }
  return worst;
}

Verdict Client::take(const Challenge& challenge, Message& request) {
  const auto* secret = secret_for(challenge.realm);
  if (!secret) return Verdict::NoCredentials;
  auto* old = known(challenge.is_proxy, challenge.realm);
  const auto sent = challenge.is_proxy ? nonce_sent<ProxyAuthorization>(request, challenge.realm)
                                       : nonce_sent<Authorization>(request, challenge.realm);
  int stale_count = 0;
  if (sent) {
    // RFC 3261 22.1: never again with what was refused, but for a stale nonce that was replaced.
    if (!challenge.is_stale || challenge.nonce == *sent) return Verdict::Rejected;
    stale_count = old ? old->stale_count + 1 : 1;
    if (stale_count > stale_max) return Verdict::Rejected;
  }
  if (!old) {
    if (known_.size() >= nonces_max) known_.erase(known_.begin());
    old = &known_.emplace_back();
  }
  *old = {challenge, stale_count, 0, rng_.token(16), std::string(request.raw(HeaderId::CallId))};
  put_credentials(*old, *secret, request);
  return Verdict::Retry;
}

void Client::put_credentials(Known& challenge, const Secret& secret, Message& request) {
  const auto nc = fmt::format("{:08x}", ++challenge.nc);
  const auto value = credentials(challenge, {.user = secret.user,
                                             .realm = challenge.realm,
                                             .password = secret.password,
                                             .nonce = challenge.nonce,
                                             .cnonce = challenge.cnonce,
                                             .nc = nc,
                                             .method = request.method_text(),
                                             .uri = request.request_uri(),
                                             .body = request.body()});
  if (challenge.is_proxy) {
    remove_credentials<ProxyAuthorization>(request, challenge.realm);
    request.add(HeaderId::ProxyAuthorization, value);
  } else {
    remove_credentials<Authorization>(request, challenge.realm);
    request.add(HeaderId::Authorization, value);
  }
}

void Client::authorize(Message& request) {
  for (auto& challenge : known_) {
    // RFC 3261 22.3 MUST NOT: not across dialogs.
    if (challenge.is_proxy && challenge.call_id != request.raw(HeaderId::CallId)) continue;
    if (const auto* secret = secret_for(challenge.realm))
      put_credentials(challenge, *secret, request);
  }
}

void Client::learn(const Message& response) {
  for (auto& challenge : known_) challenge.stale_count = 0;
  const auto info = response.maybe<AuthenticationInfo>();
  if (!info || !info->params.has("nextnonce")) return;
  // It names no realm: it can only be meant for the one that we answered (RFC 7616 3.5).
  Known* only = nullptr;
  for (auto& challenge : known_) {
    if (challenge.is_proxy) continue;
    if (only) return;
    only = &challenge;
  }
  if (!only) return;
  only->nonce = contents(info->params.find("nextnonce"));
  only->nc = 0;
}

void copy_credentials(const Message& invite, Message& ack) {
  for (std::size_t i = 0; i < invite.field_count(); ++i) {
    const auto field = invite.field(i);
    if (field.id == HeaderId::Authorization || field.id == HeaderId::ProxyAuthorization)
      ack.add(field.id, field.value);
  }
}

// --- Server

std::string_view to_string(Judgement judgement) {
  switch (judgement) {
    case Judgement::Accepted:
      return "accepted";
    case Judgement::Absent:
      return "absent";
    case Judgement::Malformed:
      return "malformed";
    case Judgement::Wrong:
      return "wrong";
    case Judgement::Stale:
      return "stale";
    case Judgement::Replayed:
      return "replayed";
  }
  return "";
}

Server::Server(Options options, Rng rng) : options_(std::move(options)), rng_(rng) {}

const Secret* Server::user_named(std::string_view name) const {
  for (const auto& user : options_.users)
    if (user.user == name) return &user;
  return nullptr;
}

std::string Server::make_nonce(Algorithm algorithm, const std::string& opaque, Instant now) {
  // Too old is judged like unknown.
  std::erase_if(nonces_, [&](const auto& entry) { return is_old(entry.second, now); });
  if (nonces_.size() >= nonces_max) {
    const auto oldest =
        std::ranges::min_element(nonces_, {}, [](const auto& entry) { return entry.second.order; });
    nonces_.erase(oldest);
  }
  auto nonce = rng_.token(32);
  nonces_[nonce] = Nonce{now, algorithm, opaque, 0, ++order_};
  return nonce;
}

void Server::challenge(Message& response, bool is_stale, Instant now) {
  for (const auto algorithm : options_.algorithms) {
    const auto opaque = rng_.token(16);
    auto value = fmt::format("Digest realm={}, nonce=\"{}\", opaque=\"{}\", algorithm={}",
                             quote(options_.realm), make_nonce(algorithm, opaque, now), opaque,
                             to_string(algorithm));
    if (options_.offers_qop)
      value += options_.offers_auth_int ? ", qop=\"auth,auth-int\"" : ", qop=\"auth\"";
    if (is_stale) value += ", stale=true";
    response.add(options_.is_proxy ? HeaderId::ProxyAuthenticate : HeaderId::WwwAuthenticate,
                 value);
  }
}

Judgement Server::verify(const Message& request, Instant now) {
  const auto sets = options_.is_proxy ? credentials_for<ProxyAuthorization>(request, options_.realm)
                                      : credentials_for<Authorization>(request, options_.realm);
  if (sets.empty()) return Judgement::Absent;
  if (sets.size() > 1) return Judgement::Malformed;
  const auto c = read_credentials(sets.front());
  if (!c || !is_same_resource(c->uri, request.request_uri())) return Judgement::Malformed;
  if (!c->algorithm || !c->qop ||
      std::ranges::find(options_.algorithms, *c->algorithm) == options_.algorithms.end())
    return Judgement::Wrong;
  if (*c->qop != Qop::None && !options_.offers_qop) return Judgement::Wrong;
  if (*c->qop == Qop::AuthInt && !options_.offers_auth_int) return Judgement::Wrong;
  const auto nonce = nonces_.find(c->nonce);
  const bool is_ours = nonce != nonces_.end();
  if (is_ours && (nonce->second.algorithm != *c->algorithm ||
                  (c->has_opaque && nonce->second.opaque != c->opaque)))
    return Judgement::Wrong;
  const auto* secret = user_named(c->user);
  const auto expected =
      response_to(*c, secret ? *secret : Secret{}, request.method_text(), request.body());
  if (!is_same_digest(expected, c->response) || !secret) return Judgement::Wrong;
  const auto judgement = judge_nonce(c->nonce, c->nc, now);
  if (judgement == Judgement::Accepted) user_ = c->user;
  return judgement;
}

// Replays: the count of a nonce must grow (RFC 7616 3.4). Credentials without qop have no count; a
// nonce may then be used until it is too old (RFC 3261 22.4: compatible with RFC 2069).
Judgement Server::judge_nonce(std::string_view nonce, std::optional<std::uint32_t> nc,
                              Instant now) {
  const auto found = nonces_.find(nonce);
  if (found == nonces_.end() || is_old(found->second, now)) return Judgement::Stale;
  if (!nc) return Judgement::Accepted;
  if (*nc <= found->second.nc) return Judgement::Replayed;
  found->second.nc = *nc;
  return Judgement::Accepted;
}

void Server::confirm(const Message& request, Message& response) const {
  if (options_.is_proxy) return;  // RFC 3261 20.6 has no Proxy-Authentication-Info
  const auto sets = credentials_for<Authorization>(request, options_.realm);
  if (sets.size() != 1) return;
  const auto c = read_credentials(sets.front());
  if (!c || !c->algorithm || !c->qop || *c->qop == Qop::None) return;
  const auto* secret = user_named(c->user);
  if (!secret) return;
  response.add(
      HeaderId::AuthenticationInfo,
      fmt::format("qop={}, rspauth=\"{}\", cnonce={}, nc={}", to_string(*c->qop),
                  response_to(*c, *secret, {}, response.body()), quote(c->cnonce), c->nc_text));
}

}  // namespace sipassay::agent::digest
