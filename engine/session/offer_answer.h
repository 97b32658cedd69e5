// Offer/answer of one dialog (RFC 3264, RFC 6337 2.2): which session description is an offer, which
// is an answer, which has no business where it stands; rollback when an offer is refused.
//
// Driven by session_dialog with every message that may carry a description. The text of the SDP is
// not looked at here.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/clause.h"

namespace sipassay::session {

// A body with the disposition "session" (RFC 3261 20.11).
struct Description {
  std::string type;  // Content-Type as written
  std::string octets;

  friend bool operator==(const Description&, const Description&) = default;
};

enum class SignalingState : std::uint8_t {
  Initial,
  HaveLocalOffer,
  HaveRemoteOffer,
  Stable,
  Closed
};
enum class Side : std::uint8_t { Local, Remote };  // who sent it

// The message that carries (or should carry) the description.
enum class Carrier : std::uint8_t {
  Invite,
  Provisional,          // 101-199 without RSeq
  ReliableProvisional,  // 101-199 with RSeq (RFC 3262)
  InviteSuccess,        // 2xx to INVITE
  InviteFailure,        // 300-699 to INVITE, or it timed out
  Ack,                  // of a 2xx
  Prack,                // of a reliable 1xx that held no answer
  PrackOfAnswer,        // of the reliable 1xx that held the answer (RFC 6337 2.2, pattern 5)
  PrackSuccess,
  PrackFailure,
  Update,
  UpdateSuccess,
  UpdateFailure,
  Other,  // INFO, MESSAGE, NOTIFY, REFER, BYE …
  Count
};

// What a message did, or would do, to the exchange.
enum class Action : std::uint8_t {
  None,           // nothing: no description and none was due
  TakeOffer,      // it is an offer
  TakeAnswer,     // it is the answer: the exchange is complete
  Preview,        // SDP in an unreliable 1xx: the answer to come, shown early (RFC 3261 13.2.1)
  TakePreview,    // the answer is missing in the 2xx, the previewed one counts
  Repeat,         // the answer once more: must be the same (13.2.1); ignored
  Rollback,       // the offer is refused: as before it
  Ignore,         // not one of the six patterns; the exchange is as it was
  MissingAnswer,  // the answer was due here and is not there: as before the offer
  MissingOffer,   // the offer was due here and is not there
  Refuse,         // an offer while one is open (RFC 3264 4): the message must not be taken
  Close
};

// Progress of the INVITE that is open, as far as descriptions go.
enum class InviteExchange : std::uint8_t {
  None,  // no INVITE open
  Owed,  // it carried no offer: its first reliable response must
  Open,  // its offer, wherever it stood, is not answered
  Done,  // its one exchange is complete
  Any    // rows only
};

struct OfferAnswerRow {
  SignalingState from;
  std::optional<Carrier> offered_in;  // of the open offer; none: any
  InviteExchange invite;
  Side side;
  Carrier carrier;
  bool has_description;
  SignalingState to;
  Action action;
  std::string_view rule;  // name of the violation, empty if the message is in order
  Clause clause;
};
// Every row; a case without a row changes nothing if there is no description, and is Ignore
// otherwise.
std::span<const OfferAnswerRow> offer_answer_rows();

struct OfferAnswerVerdict {
  Action action = Action::None;
  SignalingState from = SignalingState::Initial;
  SignalingState to = SignalingState::Initial;
  std::string_view rule;  // non-empty: the sender broke this
  Clause clause;

  bool is_violation() const { return !rule.empty(); }
  // The sender must not send it; a received request is to be refused.
  bool is_refused() const { return action == Action::Refuse; }
};

class OfferAnswer {
 public:
  SignalingState state() const { return state_; }
  InviteExchange invite_exchange() const { return invite_; }
  // The current pair, or the half of an open exchange (then answer() is empty).
  const std::optional<Description>& offer() const { return pair_.offer; }
  const std::optional<Description>& answer() const { return pair_.answer; }
  const std::optional<Description>& preview() const { return preview_; }
  bool is_open() const {
    return state_ == SignalingState::HaveLocalOffer || state_ == SignalingState::HaveRemoteOffer;
  }
  // Who owes an answer, if an exchange is open.
  std::optional<Side> offerer() const;
  std::optional<Carrier> offered_in() const { return is_open() ? offered_in_ : std::nullopt; }
  // Our newest description, theirs: of the current pair, or of the last complete one.
  const std::optional<Description>& local() const { return local_; }
  const std::optional<Description>& remote() const { return remote_; }
  // An exchange has completed since the open INVITE began (RFC 6141 3.3: changes were executed).
  bool has_executed_changes() const { return has_executed_changes_; }

  // What apply() would do. Changes nothing.
  OfferAnswerVerdict decide(Side side, Carrier carrier,
                            const std::optional<Description>& description) const;
  OfferAnswerVerdict apply(Side side, Carrier carrier,
                           const std::optional<Description>& description);
  // The open offer is refused by whatever carries no description (a 488 to UPDATE, …); Initial if
  // there was no pair before (RFC 3264 4).
  bool rollback();
  void close();
  // The open INVITE is over (its 2xx was acknowledged): nothing of it can be undone any more.
  void end_invite();

 private:
  struct Pair {
    std::optional<Description> offer, answer;
  };
  struct Checkpoint {
    SignalingState state = SignalingState::Initial;
    Pair pair;
    std::optional<Description> local, remote;
  };
  Checkpoint checkpoint() const { return {state_, pair_, local_, remote_}; }
  void restore(const Checkpoint& point);
  void take_offer(Side side, Carrier carrier, const Description& description);
  void take_answer(const Description& description);
  void begin_invite(bool has_offer);

  SignalingState state_ = SignalingState::Initial;
  InviteExchange invite_ = InviteExchange::None;
  Pair pair_;
  std::optional<Description> preview_, local_, remote_;
  std::optional<Description> invite_description_;  // the answering side's, in the open INVITE
  std::optional<Carrier> offered_in_;
  std::optional<Checkpoint> before_invite_;  // RFC 6141 3.1: an error undoes all since the INVITE
  std::optional<Checkpoint> before_offer_;   // of the open exchange
  bool has_executed_changes_ = false;
};

std::string_view to_string(SignalingState state);
std::string_view to_string(Carrier carrier);
std::string_view to_string(Action action);

}  // namespace sipassay::session
