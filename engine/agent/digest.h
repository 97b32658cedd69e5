// HTTP Digest for SIP (RFC 7616, RFC 8760, RFC 3261 22): answering challenges, and making and
// checking them. Driven by the agent; no clock but what it is given.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/rng.h"
#include "engine/base/time.h"
#include "engine/message/header/authentication.h"
#include "engine/message/message.h"

namespace sipassay::agent::digest {

inline constexpr std::size_t challenges_max = 16;  // read from one response
inline constexpr std::size_t nonces_max = 256;     // remembered by a server; realms by a client
inline constexpr int stale_max = 3;                // stale=true in a row, then we give up

enum class Algorithm : std::uint8_t { Md5, Md5Sess, Sha256, Sha256Sess };
enum class Qop : std::uint8_t { None, Auth, AuthInt };

std::string_view to_string(Algorithm algorithm);  // "SHA-256-sess"
std::optional<Algorithm> algorithm_from(std::string_view token);

// Lower-case hexadecimal digest of the text.
std::string hash(Algorithm algorithm, std::string_view text);

struct Secret {
  std::string realm;  // empty: any
  std::string user;
  std::string password;
};

// All that goes into a response (RFC 7616 3.4.1).
struct Inputs {
  Algorithm algorithm = Algorithm::Md5;
  Qop qop = Qop::None;
  std::string_view user, realm, password, nonce, cnonce, nc, method, uri, body;
};
// request-digest; method empty: response-auth of Authentication-Info (RFC 7616 3.5).
std::string response(const Inputs& inputs);

// What `response` of these credentials has to be, for the user of that secret, whatever they call
// him; nothing: they cannot be read, or their algorithm or qop is not known.
std::optional<std::string> expected_response(const AuthParams& credentials, const Secret& secret,
                                             std::string_view method, std::string_view body);

// --- client

// A challenge with an algorithm and a qop that we know.
struct Challenge {
  bool is_proxy = false;  // of Proxy-Authenticate
  std::string realm, nonce;
  std::optional<std::string> opaque;
  std::optional<Algorithm> algorithm;  // as it is named; nothing: MD5 (RFC 7616 3.3)
  Qop qop{};
  bool is_stale = false;
  bool hashes_user = false;  // userhash=true (RFC 7616 3.4.4)
};
// Of a 401 or 407, for each realm the topmost that we support (RFC 8760 2.4).
std::vector<Challenge> challenges_of(const Message& response);
// The value of Authorization or Proxy-Authorization that answers the challenge: what is in `inputs`
// and the response made of it; algorithm, qop, userhash and opaque are the challenge's.
std::string credentials(const Challenge& challenge, Inputs inputs);
// RFC 7617 2: "Basic " and the base64 of both. SIP forbids it (RFC 3261 22): to try servers.
std::string basic_credentials(std::string_view user, std::string_view password);

// What became of a 401 or 407.
enum class Verdict : std::uint8_t {
  Retry,          // credentials are on the request now: send it again with a higher CSeq
  NoCredentials,  // no secret for a realm that challenges
  Rejected,       // our credentials were refused and the challenge is not stale (RFC 3261 22.1: no
                  // retry)
  Unsupported,    // no challenge with an algorithm and qop that we know
};

// Credentials of one user agent: remembers challenges per realm and kind, counts nc per nonce.
class Client {
 public:
  Client(std::vector<Secret> secrets, Rng rng);

  // Reads every WWW-Authenticate and Proxy-Authenticate of the response, for each realm the topmost
  // challenge that we support (RFC 8760 2.4), and puts Authorization and Proxy-Authorization on the
  // request. Old credentials of these realms are replaced.
  Verdict answer_challenge(const Message& response, Message& request);
  // Puts credentials for known realms on a request that starts a new transaction in a dialog or to
  // the same place (RFC 3261 22.2: MAY), those for a proxy where the Call-ID is the same (22.3);
  // nothing known: nothing done.
  void authorize(Message& request);
  // A final response to a request with our credentials that is no challenge: takes nextnonce over
  // (RFC 7616 3.5).
  void learn(const Message& response);

 private:
  // A challenge that we have answered.
  struct Known : Challenge {
    int stale_count = 0;
    std::uint32_t nc = 0;
    std::string cnonce;
    std::string call_id;  // of the request that was challenged
  };
  Known* known(bool is_proxy, std::string_view realm);
  Verdict take(const Challenge& challenge, Message& request);
  const Secret* secret_for(std::string_view realm) const;
  void put_credentials(Known& challenge, const Secret& secret, Message& request);

  std::vector<Secret> secrets_;
  Rng rng_;
  std::vector<Known> known_;
};

// RFC 3261 13.2.2.4, 22.1: the ACK for a 2xx carries the credentials of its INVITE.
void copy_credentials(const Message& invite, Message& ack);

// --- server

enum class Judgement : std::uint8_t {
  Accepted,
  Absent,     // no credentials for our realm: challenge
  Malformed,  // a directive is missing, doubled or odd, or uri is not the Request-URI: 400 (RFC
              // 7616 3.4, 3.4.6)
  Wrong,      // digest, user, algorithm, qop or opaque does not fit: challenge again
  Stale,      // digest right, nonce no longer ours or too old: challenge with stale=true
  Replayed,   // nonce count not higher than before: challenge with stale=true
};
std::string_view to_string(Judgement judgement);

class Server {
 public:
  struct Options {
    std::string realm = "sipassay";
    std::vector<Secret> users;  // realm is ignored
    std::vector<Algorithm> algorithms{Algorithm::Sha256,
                                      Algorithm::Md5};  // one challenge each, in that order
    bool offers_qop = true;                             // RFC 7616: MUST; off for RFC 2069 peers
    bool offers_auth_int = true;
    bool is_proxy = false;  // 407 instead of 401
    Duration nonce_life = 300s;
  };
  Server(Options options, Rng rng);

  // The status of a challenge: 401 or 407.
  int status() const { return options_.is_proxy ? 407 : 401; }
  // Adds one challenge an algorithm, all with a fresh nonce each.
  void challenge(Message& response, bool is_stale, Instant now);
  Judgement verify(const Message& request, Instant now);
  // Puts Authentication-Info with rspauth on the 2xx to a request just accepted (RFC 7616 3.5).
  void confirm(const Message& request, Message& response) const;
  // The user of the last accepted request.
  const std::string& user() const { return user_; }
  std::size_t nonce_count() const { return nonces_.size(); }

 private:
  struct Nonce {
    Instant made{};
    Algorithm algorithm{};
    std::string opaque;
    std::uint32_t nc = 0;  // highest seen
    std::uint64_t order = 0;
  };
  bool is_old(const Nonce& nonce, Instant now) const {
    return now - nonce.made > options_.nonce_life;
  }
  const Secret* user_named(std::string_view name) const;
  std::string make_nonce(Algorithm algorithm, const std::string& opaque, Instant now);
  Judgement judge_nonce(std::string_view nonce, std::optional<std::uint32_t> nc, Instant now);

  Options options_;
  Rng rng_;
  std::map<std::string, Nonce, std::less<>> nonces_;
  std::uint64_t order_ = 0;
  std::string user_;
};

}  // namespace sipassay::agent::digest
