// The scripted side: well-formed SIP peers with the engine's own transactions and dialogs.
//
// Driven by the script (run.cpp): it says what to send in terms of a case's steps; everything that
// a step leaves open is filled in from state. Judges nothing. Keeps every message as a Record.
#pragma once

#include <deque>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/agent/digest.h"
#include "engine/base/rng.h"
#include "engine/dialog/dialog.h"
#include "engine/message/message.h"
#include "engine/runner/case.h"
#include "engine/runner/match.h"
#include "engine/runner/peer_media.h"
#include "engine/runner/run.h"
#include "engine/session/offer_answer.h"
#include "engine/transaction/layer.h"

namespace sipassay::runner {

// Limits of one run; one more ends the case with ERROR.
inline constexpr std::size_t records_max = 5'000;
inline constexpr std::size_t transcript_max = 20'000;
inline constexpr std::size_t peers_max = 16;
inline constexpr std::size_t dialogs_max = 256;

using RecordId = std::size_t;

// The same message once more.
struct Copy {
  Instant at{};
  std::size_t entry = 0;
  bool is_identical = true;
};

// One message that was sent or received, with what is known about it. Copies are not Records.
struct Record {
  std::size_t entry = 0;  // in the transcript
  bool is_from_sut = false;
  std::size_t peer = 0;
  Message message;
  std::string octets;
  Instant at{};
  Flow flow;                    // received: how
  transaction::Destination to;  // sent: where
  transaction::Id transaction = 0;
  std::optional<std::size_t> dialog;      // index of a Call
  std::optional<RecordId> request;        // a response: what it answers
  std::optional<RecordId> superseded_by;  // our request, sent again with credentials
  std::vector<Copy> copies;
  bool is_consumed = false;  // by an expectation, or in the background
  bool is_scripted = false;  // sent by a step
  bool has_final = false;    // a request: its final response was sent or received
  bool is_cancelled = false;
  bool is_acked = false;           // a response to INVITE: its ACK was sent or received
  bool acks_by_itself = true;      // our INVITE: a 300-699 is acknowledged without a step
  bool answers_challenges = true;  // our request: a 401 or 407 is answered without a step
  bool has_failed = false;         // transaction timed out, or not deliverable
  bool is_undeliverable = false;   // the transport gave it back
  std::optional<RecordId> ack;     // of our INVITE's 2xx: the ACK to send again
};

// A dialog, with the offer/answer state that a real user agent would keep.
struct Call {
  std::string name;
  std::size_t peer = 0;
  std::optional<RecordId> origin;  // the request that made it
  std::string fork;                // UAS: name of the fork that the case gave
  dialog::Dialog dialog;
  session::OfferAnswer exchange;
  PeerMedia media;
  std::string peer_sdp, sut_sdp;              // last SDP that each side sent
  std::string offer, answer;                  // of the last finished exchange
  std::optional<std::uint32_t> highest_cseq;  // of ours, when a step raised it
  std::optional<std::uint32_t> local_rseq;
  bool is_session = true;  // made by INVITE: ends with BYE
  bool is_over = false;
};

// Something that the script has to look at.
struct Arrival {
  RecordId record = 0;
  bool is_copy = false;
  std::size_t copy = 0;
};

struct SendProblem {
  std::string text;
};

class Peers {
 public:
  Peers(const Case& the_case, const CaseOptions& options, std::string sut_user, Rng rng,
        Instant now);

  // --- the peers themselves
  // One without an address of its own sends and receives at the first peer's.
  std::size_t add(std::string name, Transport transport, bool has_own_address);
  void opened(std::size_t peer, Endpoint local);
  std::optional<std::size_t> find(std::string_view name) const;
  std::size_t count() const { return peers_.size(); }
  const std::string& name(std::size_t peer) const { return peers_[peer].name; }
  const Endpoint& local(std::size_t peer) const { return peers_[peer].local; }
  std::string uri(std::size_t peer) const;
  std::string sut_uri(std::string_view user) const;

  // --- from outside
  void receive(std::size_t peer, std::string octets, const Flow& flow, Instant now);
  void send_failed(std::size_t peer, const transaction::Destination& to, Instant now);
  void advance(Instant now);
  std::optional<Instant> next_deadline() const;

  // --- by steps; the index of what was sent
  using Sent = std::expected<RecordId, SendProblem>;
  Sent send(const SendStep& step, const CheckContext& context, std::optional<RecordId> about,
            Instant now);
  Sent reply(const ReplyStep& step, RecordId request, const CheckContext& context, Instant now);
  void resend(RecordId record, Instant now);
  void set_rule(const NetworkStep& step, std::size_t peer, Duration by);
  void clear_rules(Instant now);
  void close(std::size_t peer);
  void set_reachable(std::size_t peer, bool is_reachable);

  // --- by the background
  Sent answer(RecordId request, int status, Instant now);  // a proper response
  Sent acknowledge(RecordId response, Instant now);        // ACK to a 2xx, or the same ACK again
  Sent cancel(RecordId invite, Instant now);
  Sent request_in(std::size_t call, std::string_view method, Instant now);
  Sent prack(RecordId provisional, Instant now);
  Sent probe(std::size_t peer, Instant now);  // OPTIONS outside any dialog
  // Again with credentials for a 401 or 407; nothing if there are none.
  std::optional<RecordId> authorize(RecordId challenge, Instant now);
  void stop_repeating();

  // --- what happened
  std::optional<Arrival> next_arrival();
  const std::vector<Record>& records() const { return records_; }
  Record& record(RecordId id) { return records_[id]; }
  const Record& record(RecordId id) const { return records_[id]; }
  const std::vector<Call>& calls() const { return calls_; }
  Call& call(std::size_t index) { return calls_[index]; }
  const std::vector<TranscriptEntry>& transcript() const { return transcript_; }
  std::optional<std::size_t> newest_call(std::size_t peer, bool live_only) const;
  std::optional<std::size_t> call_named(std::string_view name) const;
  void name_call(std::size_t call, std::string name);
  // The first dialog that this request makes shall bear that name.
  void name_attempt(RecordId request, std::string name);
  std::deque<Output>& outputs() { return outputs_; }
  bool is_overflowing() const { return is_overflowing_; }
  std::size_t malformed_count() const { return malformed_; }
  struct Malformed {
    std::size_t entry;
    Error error;
  };
  const std::vector<Malformed>& malformed() const { return malformed_list_; }

 private:
  struct Peer {
    std::string name;
    std::string wire;  // name of the peer whose address it uses
    Endpoint local;
    transaction::Layer layer;
    agent::digest::Client credentials;
  };
  // What an INVITE outside a dialog holds until To tags make dialogs of it.
  struct Attempt {
    RecordId request = 0;
    std::string name;
    session::OfferAnswer exchange;
    PeerMedia media;
    std::string peer_sdp, sut_sdp;
    std::map<std::string, std::string> tags;  // UAS: fork name → To tag
  };
  struct Rule {
    NetworkStep step;
    std::size_t peer = 0;
    unsigned left = 0;
    Duration by{};
    struct Held {
      std::string octets;
      Flow flow;
      transaction::Destination to;
      std::size_t entry = 0;
      std::vector<std::size_t> segments;
    };
    std::optional<Held> held;  // Swap
  };
  struct Delayed {
    Instant due{};
    std::size_t peer = 0;
    bool to_sut = false;
    Rule::Held what;
  };
  struct Repeat {
    RecordId record = 0;
    bool is_reliable_provisional = false;
    Duration interval{};
    Instant next{}, give_up{};
  };

  // receiving
  void deliver(std::size_t peer, const std::string& octets, const Flow& flow, std::size_t entry,
               Instant now);
  std::size_t addressee(std::size_t peer, const std::string& octets) const;
  std::optional<RecordId> find_original(std::size_t peer, const Message& message) const;
  void drain(std::size_t peer, std::optional<RecordId> current, Instant now);
  void absorb(RecordId id, Instant now);
  void absorb_response(RecordId id);
  void absorb_request(RecordId id);
  void absorb_session_response(RecordId id, RecordId request);
  std::optional<RecordId> request_of(std::size_t peer, const Message& response) const;
  std::optional<std::size_t> call_of_request(std::size_t peer, const Message& request) const;
  std::size_t make_call(const Attempt& attempt, dialog::Dialog dialog, std::string_view fork);
  Attempt* attempt_of(RecordId request);

  // sending
  std::optional<std::size_t> dialog_for(const SendStep& step, std::size_t peer) const;
  Message outside_request(std::size_t peer, std::string_view method, std::string_view user);
  std::optional<Message> inside_request(std::size_t call, std::string_view method);
  void furnish(Message& request, std::size_t peer, std::optional<std::size_t> call);
  Sent send_ack(const SendStep& step, std::size_t peer, const CheckContext& context,
                std::optional<RecordId> about, Instant now);
  // The request that a 401 or 407 answers, once more.
  Sent send_again(const SendStep& step, const CheckContext& context, RecordId challenge,
                  Instant now);
  void renew(Message& request, RecordId original);
  Sent dispatch_again(Message request, RecordId original, const SendStep& step, Instant now);
  Sent send_raw(std::size_t peer, std::string octets, const transaction::Destination& to,
                const std::vector<std::size_t>& segments, bool is_request, Instant now);
  void begin_attempt(RecordId request, std::string_view dialog_name);
  Sent dispatch(std::size_t peer, Message request, std::optional<std::size_t> call,
                const transaction::Destination& to, const SendStep& step, Instant now);
  Message make_response(RecordId request, int status, std::string_view reason,
                        std::string_view to_tag) const;
  std::string to_tag_for(RecordId request, std::string_view fork);
  std::optional<std::size_t> call_for_reply(RecordId request, int status, std::string_view fork,
                                            const std::string& tag);
  void commit_reply(RecordId response, RecordId request, std::optional<std::size_t> call,
                    Instant now);
  std::string sdp_for_request(const std::optional<std::string>& wish, std::string_view method,
                              PeerMedia& media, const session::OfferAnswer& exchange,
                              std::string_view sut_sdp) const;
  std::string sdp_for_reply(const std::optional<std::string>& wish, std::string_view method,
                            int status, bool is_reliable, PeerMedia& media,
                            const session::OfferAnswer& exchange, std::string_view sut_sdp) const;
  transaction::Destination destination(const Message& request, std::size_t peer) const;
  RecordId remember(bool is_from_sut, std::size_t peer, Message message, std::string octets,
                    Instant now);
  // Puts octets on the wire, through the case's network rules; gives the transcript entry.
  std::size_t transmit(std::size_t peer, std::string octets, const transaction::Destination& to,
                       bool is_repeat, const std::vector<std::size_t>& segments, Instant now);
  void emit(std::size_t peer, Rule::Held what);
  std::size_t log(std::size_t peer, bool is_from_sut, std::string octets, bool is_repeat,
                  Instant now);
  Rule* rule_for(std::size_t peer, bool to_sut, const std::string& octets);
  std::string contact(std::size_t peer) const;
  void track_exchange(session::OfferAnswer& exchange, std::string& peer_sdp, std::string& sut_sdp,
                      session::Side side, session::Carrier carrier, const Message& message,
                      Call* call);

  const Case* case_;
  const CaseOptions* options_;
  std::string sut_user_;
  Rng rng_;
  std::string offered_tags_;  // what the case needs: Supported of INVITEs
  bool knows_timers_ = false;
  Instant now_{};
  std::vector<Peer> peers_;
  std::vector<Record> records_;
  std::vector<Call> calls_;
  std::vector<Attempt> attempts_;
  std::vector<Rule> rules_;
  std::vector<Delayed> delayed_;
  std::vector<Repeat> repeats_;
  std::vector<TranscriptEntry> transcript_;
  std::map<std::string, std::size_t, std::less<>> call_names_;
  std::deque<Arrival> arrivals_;
  std::deque<Output> outputs_;
  std::optional<RecordId> sending_;  // whose first transmission the layer is about to give
  std::vector<std::size_t> sending_segments_;
  bool is_overflowing_ = false;
  std::size_t malformed_ = 0;
  std::vector<Malformed> malformed_list_;
};

// How a message of that kind carries session descriptions (RFC 6337 2.2).
session::Carrier carrier_of(const Message& message, const Message* request,
                            bool is_prack_of_answer);

}  // namespace sipassay::runner
