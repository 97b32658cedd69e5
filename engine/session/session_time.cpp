// Time: what is resent, what is given up, what is tried again.
#include <algorithm>
#include <utility>

#include "engine/session/session_dialog_impl.h"

namespace sipassay::session {
namespace {

void earlier(std::optional<Instant>& next, const std::optional<Instant>& due) {
  if (due && (!next || *due < *next)) next = due;
}

}  // namespace

void SessionDialog::Impl::advance(Instant now) {
  while (const auto due = ack_wait.advance(now)) {
    if (due->what == AckWait::Due::What::GiveUp) {
      ack_missing(due->cseq);
      continue;
    }
    const Peer* peer = peer_invite_by_cseq(due->cseq);
    if (peer != nullptr && peer->success) put(Resend{peer->info.transaction, *peer->success});
  }
  // Replies may take entries away: by index, newest size each time.
  for (std::size_t i = 0; i < peer_invites.size(); ++i) {
    Peer& peer = peer_invites[i];
    if (peer.info.was_answered) continue;
    switch (peer.sender.advance(now)) {
      case ReliableSender::Due::Resend:
        put(Resend{peer.info.transaction, peer.sender.unacknowledged()->response});
        break;
      case ReliableSender::Due::GiveUp:
        put(PrackMissing{peer.info.transaction});
        break;
      case ReliableSender::Due::Nothing:
        break;
    }
    if (peer.refresh_at && *peer.refresh_at <= now && peer.provisional)
      refresh_provisional(peer, now);
    if (peer.expires_at && *peer.expires_at <= now) {
      reply_failure(peer, {.status = 487});
      break;
    }
  }
  if (retry_invite_at && *retry_invite_at <= now) {
    retry_invite_at.reset();
    put(RetryDue{Method::Invite});
  }
  if (retry_update_at && *retry_update_at <= now) {
    retry_update_at.reset();
    put(RetryDue{Method::Update});
  }
  switch (timer.advance(now)) {
    case SessionTimer::Due::Refresh:
      refresh(now);
      break;
    case SessionTimer::Due::Expire:
      // RFC 4028 10.
      send_bye();
      end(EndReason::Expired);
      break;
    case SessionTimer::Due::Nothing:
      break;
  }
  advance_subscriptions(now);
}

// RFC 3261 13.3.1.4, 14.2: the session should end with BYE; RFC 6141 5.4: not if this 2xx moved the
// peer's target and a newer re-INVITE shows that it lives.
void SessionDialog::Impl::ack_missing(std::uint32_t cseq) {
  const Peer* peer = peer_invite_by_cseq(cseq);
  if (peer == nullptr) return;
  const bool is_alive = peer->moved_target && newest_peer_invite > cseq;
  if (peer->info.is_initial) initial_ack_waits = false;
  finish_peer_invite(cseq);
  if (exchange_side == Side::Remote && exchange_cseq == cseq) {
    if (offers.is_open() && offers.offered_in() == Carrier::InviteSuccess && offers.rollback())
      put(RolledBack{offers.state()});
    offers.end_invite();
    exchange_cseq.reset();
  }
  put(AckMissing{cseq});
  if (!settings.bye_when_ack_missing || is_alive) return;
  send_bye();
  end(EndReason::AckMissing);
}

std::optional<Instant> SessionDialog::Impl::next_deadline() const {
  std::optional<Instant> next = ack_wait.next_deadline();
  for (const Peer& peer : peer_invites) {
    if (peer.info.was_answered) continue;
    earlier(next, peer.sender.next_deadline());
    if (peer.provisional) earlier(next, peer.refresh_at);
    earlier(next, peer.expires_at);
  }
  earlier(next, retry_invite_at);
  earlier(next, retry_update_at);
  earlier(next, timer.next_deadline());
  for (const Subscription& subscription : subscriptions)
    earlier(next, subscription.next_deadline());
  return next;
}

}  // namespace sipassay::session
