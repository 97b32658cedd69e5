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
#include "engine/message/message.h"

namespace sipassay::agent::digest {

inline constexpr std::size_t challenges_max = 16;  // read from one response
inline constexpr std::size_t nonces_max = 256;     // remembered by a client or a server

enum class Algorithm : std::uint8_t { Md5, Md5Sess, Sha256, Sha256Sess };
enum class Qop : std::uint8_t { None, Auth, AuthInt };

std::string_view to_string(Algorithm algorithm);  // "SHA-256-sess"
std::optional<Algorithm> algorithm_from(std::string_view token);

// Lower-case hexadecimal digest of the text.
std::string hash(Algorithm algorithm, std::string_view text);

// All that goes into a response (RFC 7616 3.4.1).
struct Inputs {
  Algorithm algorithm = Algorithm::Md5;
  Qop qop = Qop::None;
  std::string_view user, realm, password, nonce, cnonce, nc, method, uri, body;
};
// request-digest; method empty: response-auth of Authentication-Info (RFC 7616 3.5).
std::string response(const Inputs& inputs);

// --- client

struct Secret {
  std::string realm;  // empty: any
  std::string user;
  std::string password;
};

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
  // the same place (RFC 3261 22.2: MAY); nothing known: nothing done.
  void authorize(Message& request);
  // RFC 7616 3.5: takes nextnonce over.
  void learn(const Message& response);

 private:
  struct Challenge {
    bool is_proxy = false;
    std::string realm, nonce, opaque, algorithm_text, domain;
    bool has_opaque = false, has_algorithm = false;
    Algorithm algorithm{};
    Qop qop{};
    bool is_stale = false;
    std::uint32_t nc = 0;
    std::string cnonce;
  };
  const Secret* secret_for(std::string_view realm) const;
  void put_credentials(Challenge& challenge, const Secret& secret, Message& request);

  std::vector<Secret> secrets_;
  Rng rng_;
  std::vector<Challenge> known_;
};

// --- server

enum class Judgement : std::uint8_t {
  Accepted,
  Absent,     // no credentials for our realm: challenge
  Malformed,  // a directive is missing, doubled or odd: 400 (RFC 7616 3.4.6)
  Wrong,      // digest, user, uri, algorithm, qop or opaque does not fit: challenge again
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
  // The user of the last accepted request.
  const std::string& user() const { return user_; }

 private:
  struct Nonce {
    Instant made{};
    Algorithm algorithm{};
    std::string opaque;
    std::uint32_t nc = 0;  // highest seen
    std::uint64_t order = 0;
  };
  Options options_;
  Rng rng_;
  std::map<std::string, Nonce, std::less<>> nonces_;
  std::uint64_t order_ = 0;
  std::string user_;
};

}  // namespace sipassay::agent::digest
