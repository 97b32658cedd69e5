// A dialog (RFC 3261 12): identity, CSeq order, route set, remote target, secure flag.
//
// A value without behaviour over time: its owner (session_dialog, subscription) decides what a
// message means, then commits here. Holds no transaction and never sends.
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/clause.h"
#include "engine/message/message.h"

namespace sipassay::dialog {

// Limits of this implementation.
inline constexpr std::size_t route_set_max = 64;       // Record-Route values of one dialog
inline constexpr std::size_t staged_targets_max = 16;  // target refreshes not yet committed
// RFC 3261 8.1.1.5: a CSeq number is less than 2**31.
inline constexpr std::uint32_t cseq_max = 0x7fff'ffff;

// RFC 3261 12: Call-ID, local tag, remote tag; three values, never concatenated. The remote tag is
// empty for a peer of RFC 2543 (null tag, 12.1.1, 12.1.2).
struct DialogId {
  std::string call_id;
  std::string local_tag;
  std::string remote_tag;

  friend auto operator<=>(const DialogId&, const DialogId&) = default;
  friend bool operator==(const DialogId&, const DialogId&) = default;
};

// The dialog that a received request belongs to: local tag is To's, remote tag is From's.
Parsed<DialogId> id_of_request_received(const Message& request);
// The dialog that a received response belongs to: local tag is From's, remote tag is To's.
Parsed<DialogId> id_of_response_received(const Message& response);

enum class Role : std::uint8_t { Uac, Uas };  // in the transaction that made the dialog, for ever

// Whether a request received may follow what came before (RFC 3261 12.2.2).
enum class Sequence : std::uint8_t {
  InOrder,
  Lower,   // 500 is a MUST
  Equal,   // the same number in a new transaction: 500 is our policy
  NoCSeq,  // unreadable, or its number is 2**31 or more (8.1.1.5)
};

class Dialog {
 public:
  // UAS (12.1.1): Record-Route in order, Contact of the request; early until confirm().
  // A request without a usable Contact gives its From URI as remote target: see has_contact().
  static Parsed<Dialog> from_request(const Message& request, std::string_view local_tag,
                                     bool is_over_tls = false);
  // UAC (12.1.2): Record-Route reversed, Contact of the response; early if the status is below 200.
  // A response without a usable Contact gives the Request-URI as remote target: see has_contact().
  static Parsed<Dialog> from_response(const Message& request, const Message& response,
                                      bool is_over_tls = false);

  // Subscriber (RFC 6665 4.4.1): the first NOTIFY of a SUBSCRIBE or REFER of ours makes the dialog,
  // and gives its route set (Record-Route in order) and remote target; its CSeq number is not
  // committed yet.
  static Parsed<Dialog> from_notify(const Message& request, const Message& notify,
                                    bool is_over_tls = false);

  const DialogId& id() const { return id_; }
  Role role() const { return role_; }
  bool is_early() const { return is_early_; }
  bool is_secure() const { return is_secure_; }
  bool has_contact() const { return has_contact_; }
  // URIs without display name and tag; From and To are sent with the texts of the first request.
  const std::string& local_uri() const { return local_uri_; }
  const std::string& remote_uri() const { return remote_uri_; }
  const std::string& remote_target() const { return remote_target_; }
  const std::vector<std::string>& route_set() const { return route_set_; }
  // Empty is not zero (12.2.1.1, 12.2.2).
  std::optional<std::uint32_t> local_cseq() const { return local_cseq_; }
  std::optional<std::uint32_t> remote_cseq() const { return remote_cseq_; }

  void confirm() { is_early_ = false; }
  // 13.2.2.4: the 2xx that confirms an early dialog gives its route set anew.
  void recompute_route_set(const Message& response);

  // --- CSeq
  Sequence sequence(const Message& request) const;
  // Call only after sequence() was InOrder.
  void commit_remote_cseq(std::uint32_t number) { remote_cseq_ = number; }
  // The next number of our own, if there is one below 2**31.
  std::optional<std::uint32_t> next_cseq() const;

  // --- remote target (RFC 6141 4.6, 4.7)
  // UAS: kept aside until the request is answered; `cseq` is the request's.
  void stage_target(std::uint32_t cseq, const Message& request);
  // A 2xx or reliable 1xx goes out for it. A staged target older than one committed changes
  // nothing. True if the remote target is another one now.
  bool commit_target(std::uint32_t cseq);
  void discard_target(std::uint32_t cseq);
  // UAC: a 2xx or a reliable 1xx to our target refresh came. True if the remote target changed.
  bool refresh_target(const Message& response);

  // --- requests (12.2.1.1): no Via, no body; the owner adds its headers
  // Request-URI, Route, Max-Forwards, From, To, Call-ID, CSeq with the next number, which is used
  // up. Nothing if the numbers are used up.
  std::optional<Message> make_request(std::string_view method);
  // The ACK for a 2xx (13.2.2.4): CSeq number and credentials of the INVITE that it ends.
  Message make_ack(const Message& invite) const;
  // The same request once more with the next CSeq number (22.2, 14.1): Via removed, URI and Route
  // anew.
  std::optional<Message> make_again(const Message& request);

 private:
  struct Staged {
    std::uint32_t cseq;
    std::string target;
  };

  Dialog() = default;
  Message skeleton(std::string_view method, std::uint32_t cseq) const;
  void apply_routing(Message& request) const;

  DialogId id_;
  Role role_ = Role::Uac;
  bool is_early_ = true;
  bool is_secure_ = false;
  bool has_contact_ = true;
  std::string local_value_;   // From of our requests, with tag
  std::string remote_value_;  // To of our requests, with tag
  std::string local_uri_;
  std::string remote_uri_;
  std::string remote_target_;
  std::vector<std::string> route_set_;
  std::optional<std::uint32_t> local_cseq_;
  std::optional<std::uint32_t> remote_cseq_;
  std::optional<std::uint32_t> target_cseq_;  // of the newest committed target refresh received
  std::vector<Staged> staged_;
};

}  // namespace sipassay::dialog
