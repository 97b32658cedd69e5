// A user agent on Sofia-SIP's nua, and its adapter (README.md).
//   sofia PORT      listens on 127.0.0.1:PORT, UDP and TCP; commands on standard input, until it ends
// Callers of ring meet 180 and no answer, those of busy 486, all others 200 at once.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct App App;
typedef struct Leg Leg;
#define NUA_MAGIC_T App
#define NUA_HMAGIC_T Leg
#define SU_ROOT_MAGIC_T App
#include <sofia-sip/nua.h>
#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/soa_tag.h>
#include <sofia-sip/su_tag_io.h>

#include "protocol.h"

#define MEDIA                                                                         \
  "v=0\r\nm=audio 33000 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
#define MORE_MEDIA MEDIA "m=video 33002 RTP/AVP 34\r\na=rtpmap:34 H263/90000\r\n"
enum { address_max = 96, uri_max = 1024 };

// What goes on with one peer: a call, a subscription, a registration, a request.
struct Leg {
  nua_handle_t *handle;
  char peer[address_max];  // host:port
  int is_call, is_given_up, is_offerless;
  Leg *next;
};
struct App {
  su_home_t home[1];
  su_root_t *root;
  nua_t *nua;
  Leg *legs;  // newest first
};
static App app;

// "127.0.0.1:5060" of a URI.
static void address_of(const url_t *url, char out[address_max]) {
  snprintf(out, address_max, "%s:%s", url && url->url_host ? url->url_host : "",
           url && url->url_port ? url->url_port : "5060");
}

static Leg *add_leg(nua_handle_t *handle, const char *peer, int is_call) {
  Leg *leg = calloc(1, sizeof *leg);
  if (!leg) abort();
  leg->handle = handle;
  leg->is_call = is_call;
  snprintf(leg->peer, sizeof leg->peer, "%s", peer);
  leg->next = app.legs;
  app.legs = leg;
  nua_handle_bind(handle, leg);
  return leg;
}

static void on_end(App *self, su_timer_t *timer, su_timer_arg_t *handle) {
  (void)self;
  su_timer_destroy(timer);
  nua_handle_destroy((nua_handle_t *)handle);
}

// 1.12.11 dies in a timer of its own when a handle goes while a transaction of it is open.
static void destroy_later(nua_handle_t *handle) {
  su_timer_t *timer = su_timer_create(su_root_task(app.root), 64 * 500);
  su_timer_set(timer, on_end, (su_timer_arg_t *)handle);
}

static void drop_leg(Leg *leg) {
  for (Leg **at = &app.legs; *at; at = &(*at)->next)
    if (*at == leg) {
      *at = leg->next;
      break;
    }
  nua_handle_bind(leg->handle, NULL);
  destroy_later(leg->handle);
  free(leg);
}

static Leg *call_with(const char *peer) {
  for (Leg *leg = app.legs; leg; leg = leg->next)
    if (leg->is_call && strcmp(leg->peer, peer) == 0) return leg;
  return NULL;
}

static Leg *new_leg(const char *target, const char *peer, int is_call) {
  char to[uri_max + 2];
  if (!target || snprintf(to, sizeof to, "<%s>", target) >= (int)sizeof to) return NULL;
  nua_handle_t *handle =
      nua_handle(app.nua, NULL, NUTAG_URL(target), SIPTAG_TO_STR(to), TAG_END());
  return handle ? add_leg(handle, peer, is_call) : NULL;
}

// --- what happens

static void on_invite(int status, nua_handle_t *handle, Leg *leg, const sip_t *sip) {
  if (status >= 200) return;  // answered by nua itself
  if (!leg) {
    char peer[address_max];
    address_of(sip && sip->sip_contact ? sip->sip_contact->m_url : NULL, peer);
    add_leg(handle, peer, 1);
    printf("incoming %s\n", peer);
  }
  const char *user = sip && sip->sip_request ? sip->sip_request->rq_url->url_user : NULL;
  if (is(user, "busy"))
    nua_respond(handle, SIP_486_BUSY_HERE, TAG_END());
  else if (is(user, "ring") && !leg)
    nua_respond(handle, SIP_180_RINGING, TAG_END());
  else
    nua_respond(handle, SIP_200_OK, SOATAG_USER_SDP_STR(MEDIA), TAG_END());
}

static void on_refer(nua_handle_t *handle, Leg *leg, const sip_t *sip, tagi_t tags[]) {
  if (!sip || !sip->sip_refer_to || !sip->sip_refer_to->r_url) return;
  const sip_event_t *event = NULL;
  tl_gets(tags, NUTAG_REFER_EVENT_REF(event), TAG_END());
  nua_handle_t *to = nua_handle(
      app.nua, NULL, NUTAG_URL(sip->sip_refer_to->r_url),
      SIPTAG_TO(sip_to_create(app.home, (url_string_t *)sip->sip_refer_to->r_url)), TAG_END());
  if (!to) return;
  add_leg(to, leg ? leg->peer : "", 1);
  nua_invite(to, SOATAG_USER_SDP_STR(MEDIA), NUTAG_NOTIFY_REFER(handle), NUTAG_REFER_EVENT(event),
             TAG_END());
}

static void on_ready(nua_handle_t *handle, const Leg *leg, tagi_t tags[]) {
  const char *sdp = NULL;
  tl_gets(tags, SOATAG_LOCAL_SDP_STR_REF(sdp), TAG_END());
  printf("established %s\n", leg ? leg->peer : "");
  // RFC 3261 13.2.2.4: what the 2xx offers is refused.
  const int is_refused = leg && leg->is_offerless && sdp && strstr(sdp, "m=audio 0 ");
  if (is_refused || (leg && leg->is_given_up)) nua_bye(handle, TAG_END());
}

static void on_event(nua_event_t event, int status, const char *phrase, nua_t *nua, App *self,
                     nua_handle_t *handle, Leg *leg, const sip_t *sip, tagi_t tags[]) {
  (void)nua;
  (void)phrase;
  int state = -1;
  switch (event) {
    case nua_i_invite:
      on_invite(status, handle, leg, sip);
      break;
    case nua_i_refer:
      on_refer(handle, leg, sip, tags);
      break;
    case nua_i_state:
      tl_gets(tags, NUTAG_CALLSTATE_REF(state), TAG_END());
      if (state == nua_callstate_ready) on_ready(handle, leg, tags);
      if (state != nua_callstate_terminated) break;
      printf("ended %s\n", leg ? leg->peer : "");
      if (leg) drop_leg(leg);
      break;
    case nua_r_shutdown:
      if (status >= 200) su_root_break(self->root);
      break;
    default:
      break;
  }
  fflush(stdout);
}

// --- what it is told

static const char no_call[] = "error there is no call with that peer";

// nua takes an empty body for one of the application's and makes no offer.
#define NO_OFFER SIPTAG_PAYLOAD_STR("")

static const char *make_call(const Command *command, const char *peer) {
  // Redirections are followed anyway.
  if (argument(command, "prack") || is(argument(command, "reliable"), "never")) return unsupported;
  Leg *leg = new_leg(argument(command, "target"), peer, 1);
  if (!leg) return "error no such target";
  const int is_required = is(argument(command, "reliable"), "always");
  leg->is_offerless = is(argument(command, "offer"), "no");
  nua_invite(leg->handle, SOATAG_USER_SDP_STR(MEDIA), TAG_IF(leg->is_offerless, NO_OFFER),
             TAG_IF(is_required, SIPTAG_REQUIRE_STR("100rel")), TAG_END());
  return NULL;
}

static const char *answer_call(const Command *command, nua_handle_t *handle) {
  const char *status = argument(command, "status");
  if (argument(command, "next") || is(argument(command, "reliable"), "yes")) return unsupported;
  if (is(command->name, "answer"))
    nua_respond(handle, SIP_200_OK, SOATAG_USER_SDP_STR(MEDIA), TAG_END());
  else if (is(command->name, "redirect"))
    nua_respond(handle, SIP_302_MOVED_TEMPORARILY,
                SIPTAG_CONTACT_STR(argument(command, "contact")), TAG_END());
  else
    nua_respond(handle, status ? atoi(status) : is(command->name, "ring") ? 180 : 486, NULL,
                TAG_IF(is(argument(command, "sdp"), "yes"), SOATAG_USER_SDP_STR(MEDIA)),
                TAG_END());
  return NULL;
}

static const char *change_call(const Command *command, nua_handle_t *handle) {
  const char *kind = is(command->name, "reinvite") ? argument(command, "kind") : command->name;
  if (!kind || is(kind, "same"))
    nua_invite(handle, TAG_END());
  else if (is(kind, "hold"))
    nua_invite(handle, SOATAG_HOLD("*"), TAG_END());
  else if (is(kind, "resume"))
    nua_invite(handle, SOATAG_HOLD(NULL), TAG_END());
  else if (is(kind, "offerless"))
    nua_invite(handle, NO_OFFER, TAG_END());
  else if (is(kind, "add-media"))
    nua_invite(handle, SOATAG_USER_SDP_STR(MORE_MEDIA), TAG_END());
  else
    return unsupported;
  return NULL;
}

static const char *in_call(const Command *command, Leg *leg) {
  const char *name = command->name;
  nua_handle_t *handle = leg->handle;
  if (is(name, "hang-up")) return nua_bye(handle, TAG_END()), NULL;
  if (is(name, "cancel")) {
    leg->is_given_up = 1;
    nua_cancel(handle, TAG_END());
    return NULL;
  }
  if (is(name, "hold") || is(name, "resume") || is(name, "reinvite"))
    return change_call(command, handle);
  if (is(name, "update")) {
    if (is(argument(command, "offer"), "no")) return unsupported;
    return nua_update(handle, TAG_END()), NULL;
  }
  if (is(name, "info")) {
    const char *type = argument(command, "type");
    if (argument(command, "package")) return unsupported;  // nua knows none
    nua_info(handle, SIPTAG_CONTENT_TYPE_STR(type ? type : "application/x-sipassay"),
             SIPTAG_PAYLOAD_STR(argument(command, "body")), TAG_END());
    return NULL;
  }
  return answer_call(command, handle);
}

static const char *send_message(const Command *command, nua_handle_t *handle) {
  const char *type = argument(command, "type");
  nua_message(handle, SIPTAG_CONTENT_TYPE_STR(type ? type : "text/plain"),
              SIPTAG_PAYLOAD_STR(argument(command, "body")), TAG_END());
  return NULL;
}

static const char *send_refer(const Command *command, nua_handle_t *handle) {
  nua_refer(handle, SIPTAG_REFER_TO_STR(argument(command, "to")),
            TAG_IF(is(argument(command, "subscription"), "no"),
                   SIPTAG_HEADER_STR("Refer-Sub: false")),
            TAG_END());
  return NULL;
}

static const char *send_register(const Command *command, const char *peer) {
  const char *registrar = argument(command, "registrar");
  const char *expires = argument(command, "expires");
  const char *bindings = argument(command, "bindings");
  if (!registrar || is(bindings, "none")) return unsupported;
  char domain[address_max + 4];  // RFC 3261 10.2: the Request-URI has no user part
  snprintf(domain, sizeof domain, "sip:%s", peer);
  Leg *leg = NULL;
  for (Leg *one = app.legs; one && !leg; one = one->next)
    if (!one->is_call && strcmp(one->peer, peer) == 0) leg = one;
  if (!leg) leg = new_leg(domain, peer, 0);
  if (!leg) return "error no such registrar";
  const int is_all = is(bindings, "all");
  if (is_all || is(expires, "0"))
    nua_unregister(leg->handle, NUTAG_REGISTRAR(domain), SIPTAG_TO_STR(registrar),
                   SIPTAG_FROM_STR(registrar), TAG_IF(is_all, SIPTAG_CONTACT_STR("*")), TAG_END());
  else
    nua_register(leg->handle, NUTAG_REGISTRAR(domain), SIPTAG_TO_STR(registrar),
                 SIPTAG_FROM_STR(registrar), SIPTAG_EXPIRES_STR(expires ? expires : "3600"),
                 TAG_END());
  return NULL;
}

static const char *subscribe(const Command *command, const char *peer, Leg *call) {
  const char *event = argument(command, "event");
  const char *expires = argument(command, "expires");
  Leg *leg = is(argument(command, "dialog"), "call")
                 ? call
                 : new_leg(argument(command, "target"), peer, 0);
  if (!leg) return no_call;
  nua_subscribe(leg->handle, SIPTAG_EVENT_STR(event ? event : "presence"),
                SIPTAG_EXPIRES_STR(expires ? expires : "600"), TAG_END());
  return NULL;
}

static const char *unsubscribe(const char *peer) {
  for (Leg *leg = app.legs; leg; leg = leg->next)
    if (strcmp(leg->peer, peer) == 0) return nua_unsubscribe(leg->handle, TAG_END()), NULL;
  return "error there is no subscription at that peer";
}

static const char *reset(const char *peer) {
  for (Leg *leg = app.legs, *next; leg; leg = next) {
    next = leg->next;
    if (strcmp(leg->peer, peer) != 0) continue;
    if (leg->is_call)
      nua_bye(leg->handle, TAG_END());  // or CANCEL, or 480
    else
      drop_leg(leg);
  }
  return NULL;
}

static const char *carry_out(const Command *command) {
  const char *target = argument(command, "target");
  char peer[address_max];
  const char *written = argument(command, "peer");
  url_t *url = written ? url_make(app.home, written) : NULL;
  address_of(url, peer);
  su_free(app.home, url);
  Leg *call = call_with(peer);
  if (is(command->name, "reset")) return reset(peer);
  if (is(command->name, "call")) return make_call(command, peer);
  if (is(command->name, "register")) return send_register(command, peer);
  if (is(command->name, "subscribe")) return subscribe(command, peer, call);
  if (is(command->name, "unsubscribe")) return unsubscribe(peer);
  if (target) call = new_leg(target, peer, 0);
  if (is(command->name, "options"))
    return call ? (nua_options(call->handle, TAG_END()), NULL) : "error no target";
  static const char *known[] = {"hang-up", "cancel", "hold",    "resume", "reinvite", "update",
                                "info",    "answer", "ring",    "reject", "redirect", "message",
                                "refer"};
  int is_known = 0;
  for (size_t i = 0; i < sizeof known / sizeof *known; ++i)
    is_known = is_known || is(command->name, known[i]);
  if (!is_known) return unsupported;
  if (!call) return no_call;
  if (is(command->name, "message")) return send_message(command, call->handle);
  if (is(command->name, "refer")) return send_refer(command, call->handle);
  return in_call(command, call);
}

static int on_input(App *self, su_wait_t *wait, su_wakeup_arg_t *context) {
  (void)wait;
  (void)context;
  if (!take_commands(carry_out)) su_root_break(self->root);
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: sofia PORT\n");
    return 3;
  }
  const int port = atoi(argv[1]);
  char url[64], own[64];
  snprintf(url, sizeof url, "sip:127.0.0.1:%d", port);
  snprintf(own, sizeof own, "<sip:auto@127.0.0.1:%d>", port);
  signal(SIGPIPE, SIG_IGN);
  su_init();
  su_home_init(app.home);
  app.root = su_root_create(&app);
  app.nua = nua_create(app.root, on_event, &app, NUTAG_URL(url), TAG_END());
  if (!app.nua) {
    fprintf(stderr, "cannot listen on 127.0.0.1:%d\n", port);
    return 1;
  }
  nua_set_params(app.nua, SIPTAG_FROM_STR(own), NUTAG_M_USERNAME("auto"), NUTAG_EARLY_MEDIA(1),
                 NUTAG_AUTOALERT(0), NUTAG_AUTOANSWER(0), NUTAG_AUTOACK(1),
                 NUTAG_ENABLEMESSAGE(1), NUTAG_SESSION_TIMER(1800), NUTAG_MIN_SE(90),
                 NUTAG_ALLOW("INFO, UPDATE, PRACK, REFER, NOTIFY, MESSAGE"),
                 SOATAG_ADDRESS("127.0.0.1"), SOATAG_USER_SDP_STR(MEDIA),
                 SIPTAG_USER_AGENT_STR("sofia-nua"), TAG_END());
  su_wait_t wait[1];
  su_wait_create(wait, STDIN_FILENO, SU_WAIT_IN);
  su_root_register(app.root, wait, on_input, NULL, 0);
  say("ready calls=200 sut=yes");
  su_root_run(app.root);
  _exit(0);  // nobody waits for the BYEs of calls that still stand
}
