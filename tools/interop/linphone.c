// A user agent on liblinphone for runs of the suite: no sound, no console.
//   ua CONFIG            listens where the configuration says, until SIGTERM
//   ua CONFIG adapter    and takes commands on standard input (tools/adapters/README.md), until its
//   end
// The user that is called selects what the caller meets (users[]); any other answers at once.
// linphone-daemon does the same for one user, but takes in one datagram every 20 ms.
#include <linphone/core.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../adapters/protocol.h"

enum act { RING, ANSWER, EARLY_MEDIA, REJECT, REDIRECT, REINVITE, HOLD, RESUME, HANG_UP };

struct step {
  enum act act;
  int after;  // ms since the step before
  LinphoneReason reason;
};
static const struct user {
  const char* name;
  struct step steps[3];
} users[] = {
    {"auto", {{ANSWER, 0, 0}}},
    {"ring", {{RING, 0, 0}}},
    {"slow", {{ANSWER, 2000, 0}}},
    {"early-media", {{EARLY_MEDIA, 0, 0}, {ANSWER, 1500, 0}}},
    {"busy", {{REJECT, 0, LinphoneReasonBusy}}},
    {"ring-busy", {{REJECT, 1000, LinphoneReasonBusy}}},
    {"no-answer", {{REJECT, 2000, LinphoneReasonTemporarilyUnavailable}}},
    {"unavailable", {{REJECT, 0, LinphoneReasonTemporarilyUnavailable}}},
    {"decline", {{REJECT, 0, LinphoneReasonDeclined}}},
    {"gone", {{REJECT, 0, LinphoneReasonGone}}},
    {"nobody", {{REJECT, 0, LinphoneReasonNotFound}}},
    {"not-acceptable", {{REJECT, 0, LinphoneReasonNotAcceptable}}},
    {"redirect", {{REDIRECT, 0, 0}}},
    {"glare", {{ANSWER, 0, 0}, {REINVITE, 100, 0}}},
    {"hold", {{ANSWER, 0, 0}, {HOLD, 500, 0}}},
    {"hold-resume", {{ANSWER, 0, 0}, {HOLD, 500, 0}, {RESUME, 1000, 0}}},
    {"hang-up", {{ANSWER, 0, 0}, {HANG_UP, 500, 0}}},
};

// A call with steps that are to come.
struct waiting {
  LinphoneCall* call;
  const struct step *next, *end;
  long long due;
};
static struct waiting waiting[2000];
static int count = 0;
static LinphoneCore* core;
static volatile sig_atomic_t is_over = 0;

static void on_signal(int number) {
  (void)number;
  is_over = 1;
}

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static void take(LinphoneCall* call, const struct step* step) {
  switch (step->act) {
    case RING:
      break;
    case ANSWER:
      linphone_call_accept(call);
      break;
    case EARLY_MEDIA:
      linphone_call_accept_early_media(call);
      break;
    case REJECT:
      linphone_call_decline(call, step->reason);
      break;
    case REDIRECT: {
      LinphoneAddress* target = linphone_address_clone(linphone_call_get_to_address(call));
      linphone_address_set_username(target, "auto");
      linphone_call_redirect_to(call, target);
      linphone_address_unref(target);
      break;
    }
    case REINVITE: {
      LinphoneCallParams* params = linphone_core_create_call_params(core, call);
      linphone_call_update(call, params);
      linphone_call_params_unref(params);
      break;
    }
    case HOLD:
      linphone_call_pause(call);
      break;
    case RESUME:
      linphone_call_resume(call);
      break;
    case HANG_UP:
      linphone_call_terminate(call);
      break;
  }
}

static int is_alive(LinphoneCall* call) {
  const LinphoneCallState state = linphone_call_get_state(call);
  return state != LinphoneCallStateEnd && state != LinphoneCallStateError &&
         state != LinphoneCallStateReleased;
}

static void drop(int index) {
  linphone_call_unref(waiting[index].call);
  waiting[index] = waiting[--count];
}

static void take_due(void) {
  for (int i = count; i-- > 0;) {
    struct waiting* one = &waiting[i];
    if (!is_alive(one->call)) {
      drop(i);
      continue;
    }
    if (now() < one->due) continue;
    take(one->call, one->next++);
    if (one->next == one->end || one->next->act == RING)
      drop(i);
    else
      one->due = now() + one->next->after;
  }
}

static void on_call(LinphoneCore* lc, LinphoneCall* call, LinphoneCallState state,
                    const char* message) {
  (void)lc;
  (void)message;
  // Never given back: 5.1.65 comes back to a call that went while its transfer failed, and dies.
  if (state == LinphoneCallStateIncomingReceived || state == LinphoneCallStateOutgoingInit)
    linphone_call_ref(call);
  if (state != LinphoneCallStateIncomingReceived || count == sizeof waiting / sizeof *waiting)
    return;
  const char* name = linphone_address_get_username(linphone_call_get_to_address(call));
  const struct user* user = users;
  for (size_t i = 0; name && i < sizeof users / sizeof *users; ++i)
    if (strcmp(users[i].name, name) == 0) user = &users[i];
  const struct step* steps = user->steps;
  waiting[count++] =
      (struct waiting){linphone_call_ref(call), steps,
                       steps + sizeof user->steps / sizeof *user->steps, now() + steps->after};
  if (steps->after == 0) take_due();
}

static int is_at(const LinphoneAddress* one, const LinphoneAddress* peer) {
  return is(linphone_address_get_domain(one), linphone_address_get_domain(peer)) &&
         linphone_address_get_port(one) == linphone_address_get_port(peer);
}

// The newest call with that peer: by the address of its Contact, or of who was called.
static LinphoneCall* call_with(const LinphoneAddress* peer) {
  LinphoneCall* found = NULL;
  for (const bctbx_list_t* at = linphone_core_get_calls(core); at; at = bctbx_list_next(at)) {
    LinphoneCall* call = bctbx_list_get_data(at);
    if (is_at(linphone_call_get_remote_address(call), peer)) found = call;
  }
  return found;
}

static int has_only(const Command* command, const char* const known[]) {
  for (int i = 0; i < command->count; ++i) {
    int is_known = is(command->names[i], "peer");
    for (const char* const* at = known; *at; ++at) is_known = is_known || is(command->names[i], *at);
    if (!is_known) return 0;
  }
  return 1;
}

// Of an argument; NULL without it.
static LinphoneAddress* address(const Command* command, const char* name) {
  const char* uri = argument(command, name);
  return uri ? linphone_factory_create_address(linphone_factory_get(), uri) : NULL;
}

static const char* make_call(const Command* command, LinphoneAddress* target) {
  static const char* const known[] = {"target", "redirects", NULL};
  if (!has_only(command, known)) return unsupported;  // redirections are followed anyway
  LinphoneCallParams* how = linphone_core_create_call_params(core, NULL);
  linphone_call_params_enable_video(how, 0);
  const LinphoneCall* call =
      target ? linphone_core_invite_address_with_params(core, target, how) : NULL;
  linphone_call_params_unref(how);
  return call ? NULL : "error it does not call";
}

// One request at a time: what comes meanwhile liblinphone refuses.
static int is_busy(LinphoneCall* call) {
  const LinphoneCallState state = linphone_call_get_state(call);
  return state == LinphoneCallStateUpdating || state == LinphoneCallStatePausing ||
         state == LinphoneCallStateResuming;
}

static const char* in_call(const Command* command, LinphoneCall* call) {
  const char* name = command->name;
  int status = -1;
  if (is(name, "hang-up") || is(name, "cancel") || is(name, "reset"))
    status = linphone_call_terminate(call);
  else if (is(name, "answer"))
    status = linphone_call_accept(call);
  else if (is(name, "hold") || is(argument(command, "kind"), "hold"))
    status = linphone_call_pause(call);
  else if (is(name, "resume") || is(argument(command, "kind"), "resume"))
    status = linphone_call_resume(call);
  else if (is(name, "refer") && !argument(command, "target") &&
           !argument(command, "subscription")) {
    LinphoneAddress* to = address(command, "to");
    status = to ? linphone_call_transfer_to(call, to) : -1;
    if (to) linphone_address_unref(to);
  } else
    return unsupported;
  if (status == 0) return NULL;
  return is_busy(call) ? "unsupported while a request is pending" : "error it is not possible now";
}

static const char* act_on(const Command* command, const LinphoneAddress* peer,
                          LinphoneAddress* target) {
  const char* name = command->name;
  static const char* known[] = {"hang-up", "cancel", "reset", "answer", "hold",
                                "resume",  "reinvite", "refer"};
  if (is(name, "call")) return make_call(command, target);
  int is_known = 0;
  for (size_t i = 0; i < sizeof known / sizeof *known; ++i) is_known = is_known || is(name, known[i]);
  if (!is_known) return unsupported;
  LinphoneCall* call = call_with(peer);
  if (call) return in_call(command, call);
  return is(name, "reset") ? NULL : "error there is no call with that peer";
}

static const char* carry_out(const Command* command) {
  LinphoneAddress* peer = address(command, "peer");
  LinphoneAddress* target = address(command, "target");
  const char* answer = peer ? act_on(command, peer, target) : "error there is no such peer";
  if (target) linphone_address_unref(target);
  if (peer) linphone_address_unref(peer);
  return answer;
}

// 100rel comes switched off, and calls without media end. Session timers stay off: with them 5.1.65
// answers nobody for 48 s after a REFER.
static void prepare_for_commands(void) {
  linphone_core_set_tag_100rel_support_level(core, LinphoneSupportLevelOptional);
  linphone_core_set_nortp_timeout(core, 24 * 3600);
}

int main(int argc, char** argv) {
  const int is_adapter = argc == 3 && is(argv[2], "adapter");
  if (argc != 2 && !is_adapter) {
    fprintf(stderr, "usage: ua CONFIG\n");
    return 3;
  }
  signal(SIGTERM, on_signal);
  signal(SIGINT, on_signal);
  linphone_logging_service_set_log_level_mask(linphone_logging_service_get(),
                                              getenv("LINPHONE_LOG") ? LinphoneLogLevelMessage : 0);
  LinphoneFactory* factory = linphone_factory_get();
  core = linphone_factory_create_core_3(factory, argv[1], NULL, NULL);
  LinphoneCoreCbs* callbacks = linphone_factory_create_core_cbs(factory);
  linphone_core_cbs_set_call_state_changed(callbacks, on_call);
  linphone_core_add_callbacks(core, callbacks);
  if (is_adapter) prepare_for_commands();
  linphone_core_start(core);
  say(is_adapter ? "ready calls=12 sut=yes" : "ready");
  while (!is_over) {
    struct pollfd commands = {.fd = STDIN_FILENO, .events = POLLIN};
    if (is_adapter && poll(&commands, 1, 0) > 0 && !take_commands(carry_out)) break;
    linphone_core_iterate(core);
    take_due();
    usleep(1000);
  }
  linphone_core_stop(core);
  return 0;
}
