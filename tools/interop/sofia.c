// A user agent on Sofia-SIP's nua layer for runs of the suite.
//   ua PORT          listens on 127.0.0.1, UDP and TCP, until SIGTERM
// The user that is called selects what the caller meets (users[]); any other answers at once.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct app;
struct call;
#define NUA_MAGIC_T struct app
#define NUA_HMAGIC_T struct call
#define SU_ROOT_MAGIC_T struct app
#include <sofia-sip/nua.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/soa_tag.h>
#include <sofia-sip/su_tag_io.h>

#define MEDIA "v=0\r\nm=audio 33000 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"

// What comes: a provisional response, the final one, and what the user does in the call.
struct user {
  const char* name;
  int provisional;    // 0: none
  int has_early_sdp;  // sent reliably when the caller can
  int final;          // 0: none
  int after;          // ms, until the final response
  enum { NOTHING, REINVITE, HOLD, UPDATE, INFO, BYE } then;
};
static const struct user users[] = {
    {"auto", 0, 0, 200, 0, NOTHING},
    {"ring", 180, 0, 0, 0, NOTHING},
    {"slow", 180, 0, 200, 2000, NOTHING},
    {"early-media", 183, 1, 200, 1500, NOTHING},
    {"reliable", 183, 1, 200, 1000, NOTHING},
    {"reliable-wait", 183, 1, 0, 0, NOTHING},
    {"reliable-busy", 183, 1, 486, 500, NOTHING},
    {"busy", 0, 0, 486, 0, NOTHING},
    {"ring-busy", 180, 0, 486, 1000, NOTHING},
    {"no-answer", 180, 0, 480, 2000, NOTHING},
    {"unavailable", 0, 0, 480, 0, NOTHING},
    {"decline", 0, 0, 603, 0, NOTHING},
    {"forbidden", 0, 0, 403, 0, NOTHING},
    {"gone", 0, 0, 410, 0, NOTHING},
    {"nobody", 0, 0, 404, 0, NOTHING},
    {"error", 0, 0, 500, 0, NOTHING},
    {"overload", 0, 0, 503, 0, NOTHING},
    {"redirect", 0, 0, 302, 0, NOTHING},
    {"glare", 0, 0, 200, 0, REINVITE},
    {"hold", 0, 0, 200, 0, HOLD},
    {"update", 0, 0, 200, 0, UPDATE},
    {"legacy-info", 0, 0, 200, 0, INFO},
    {"hang-up", 0, 0, 200, 0, BYE},
};

struct call {
  const struct user* user;
  su_timer_t* timer;
  int is_up;
};
static struct app {
  su_home_t home[1];
  su_root_t* root;
  nua_t* nua;
  int port, is_closing;
} app[1];

static void answer(nua_handle_t* handle, int status) {
  char contact[64];
  snprintf(contact, sizeof contact, "<sip:auto@127.0.0.1:%d>", app->port);
  nua_respond(handle, status, sip_status_phrase(status),
              TAG_IF(status == 200, SOATAG_USER_SDP_STR(MEDIA)),
              TAG_IF(status == 302, SIPTAG_CONTACT_STR(contact)),
              TAG_IF(status == 503, SIPTAG_RETRY_AFTER_STR("10")), TAG_END());
}

static void act(nua_handle_t* handle, const struct call* call) {
  switch (call->user->then) {
    case REINVITE:
      nua_invite(handle, TAG_END());
      break;
    case HOLD:
      nua_invite(handle, SOATAG_HOLD("*"), TAG_END());
      break;
    case UPDATE:
      nua_update(handle, TAG_END());
      break;
    case INFO:
      nua_info(handle, SIPTAG_CONTENT_TYPE_STR("application/dtmf-relay"),
               SIPTAG_PAYLOAD_STR("Signal=1\r\n"), TAG_END());
      break;
    case BYE:
      nua_bye(handle, TAG_END());
      break;
    default:
      break;
  }
}

static void on_timer(struct app* unused, su_timer_t* timer, su_timer_arg_t* argument) {
  nua_handle_t* handle = (nua_handle_t*)argument;
  struct call* call = nua_handle_magic(handle);
  (void)unused;
  su_timer_destroy(timer);
  if (call && call->timer == timer) {
    call->timer = NULL;
    if (call->is_up)
      act(handle, call);
    else
      answer(handle, call->user->final);
  }
  nua_handle_unref(handle);
}

static void later(nua_handle_t* handle, struct call* call, int milliseconds) {
  call->timer = su_timer_create(su_root_task(app->root), milliseconds);
  su_timer_set(call->timer, on_timer, (su_timer_arg_t*)nua_handle_ref(handle));
}

static void on_end(struct app* unused, su_timer_t* timer, su_timer_arg_t* argument) {
  (void)unused;
  su_timer_destroy(timer);
  nua_handle_destroy((nua_handle_t*)argument);
}

// 1.12.11 dies in a timer of its own when a handle goes while a transaction of its REFER is open.
static void destroy_later(nua_handle_t* handle) {
  su_timer_t* timer = su_timer_create(su_root_task(app->root), 64 * 500);
  su_timer_set(timer, on_end, (su_timer_arg_t*)handle);
}

static void on_invite(nua_handle_t* handle, struct call* call, const sip_t* sip) {
  if (call) {
    // A re-INVITE.
    answer(handle, 200);
    return;
  }
  call = calloc(1, sizeof *call);
  nua_handle_bind(handle, call);
  call->user = users;
  const char* name = sip && sip->sip_request ? sip->sip_request->rq_url->url_user : NULL;
  for (size_t i = 0; name && i < sizeof users / sizeof *users; ++i)
    if (strcmp(users[i].name, name) == 0) call->user = &users[i];
  const struct user* user = call->user;
  if (user->provisional)
    nua_respond(handle, user->provisional, sip_status_phrase(user->provisional),
                TAG_IF(user->has_early_sdp, SOATAG_USER_SDP_STR(MEDIA)), TAG_END());
  if (user->final && user->after)
    later(handle, call, user->after);
  else if (user->final)
    answer(handle, user->final);
}

// The call that it asks for; its progress is reported by nua.
static void on_refer(nua_handle_t* handle, const sip_refer_to_t* refer_to, tagi_t tags[]) {
  sip_event_t const* event = NULL;
  tl_gets(tags, NUTAG_REFER_EVENT_REF(event), TAG_END());
  const url_string_t* target = (const url_string_t*)refer_to->r_url;
  nua_handle_t* referred = nua_handle(app->nua, NULL, NUTAG_URL(target),
                                      SIPTAG_TO(sip_to_create(app->home, target)), TAG_END());
  nua_invite(referred, SOATAG_USER_SDP_STR(MEDIA), NUTAG_NOTIFY_REFER(handle),
             NUTAG_REFER_EVENT(event), TAG_END());
}

static void on_event(nua_event_t event, int status, const char* phrase, nua_t* nua,
                     struct app* unused, nua_handle_t* handle, struct call* call, const sip_t* sip,
                     tagi_t tags[]) {
  (void)phrase;
  (void)nua;
  (void)unused;
  if (event == nua_i_invite && status < 200) {
    on_invite(handle, call, sip);
  } else if (event == nua_i_state) {
    int state = -1;
    tl_gets(tags, NUTAG_CALLSTATE_REF(state), TAG_END());
    if (call && state == nua_callstate_ready && !call->is_up) {
      call->is_up = 1;
      if (call->user->then != NOTHING)
        later(handle, call, call->user->then == HOLD || call->user->then == BYE ? 500 : 100);
    }
  } else if (event == nua_i_terminated) {
    nua_handle_bind(handle, NULL);
    free(call);
    destroy_later(handle);
  } else if (event == nua_i_refer && sip && sip->sip_refer_to) {
    on_refer(handle, sip->sip_refer_to, tags);
  } else if (event == nua_r_shutdown && status >= 200) {
    su_root_break(app->root);
  }
}

static void on_signal(int number) {
  (void)number;
  if (app->is_closing++) _exit(0);
  nua_shutdown(app->nua);
  alarm(2);  // BYEs that nobody answers would take 32 s
}

static void on_alarm(int number) {
  (void)number;
  _exit(0);
}

int main(int argc, char** argv) {
  char url[64], aor[64];
  if (argc != 2) {
    fprintf(stderr, "usage: ua PORT\n");
    return 3;
  }
  app->port = atoi(argv[1]);
  su_init();
  su_home_init(app->home);
  app->root = su_root_create(app);
  snprintf(url, sizeof url, "sip:127.0.0.1:%d", app->port);
  snprintf(aor, sizeof aor, "<sip:auto@127.0.0.1:%d>", app->port);
  app->nua = nua_create(app->root, on_event, app, NUTAG_URL(url), TAG_END());
  if (!app->nua) {
    fprintf(stderr, "cannot listen on %s\n", url);
    return 1;
  }
  nua_set_params(app->nua, SIPTAG_FROM_STR(aor), NUTAG_M_USERNAME("auto"), NUTAG_EARLY_MEDIA(1),
                 NUTAG_ONLY183_100REL(1), NUTAG_AUTOALERT(0), NUTAG_AUTOANSWER(0), NUTAG_AUTOACK(1),
                 NUTAG_ENABLEMESSAGE(1), NUTAG_SESSION_TIMER(1800), NUTAG_MIN_SE(90),
                 NUTAG_ALLOW("INFO, UPDATE, PRACK, REFER, NOTIFY, MESSAGE"),
                 SOATAG_ADDRESS("127.0.0.1"), SOATAG_USER_SDP_STR(MEDIA), TAG_END());
  signal(SIGTERM, on_signal);
  signal(SIGINT, on_signal);
  signal(SIGALRM, on_alarm);
  signal(SIGPIPE, SIG_IGN);
  puts("ready");
  fflush(stdout);
  su_root_run(app->root);
  return 0;
}
