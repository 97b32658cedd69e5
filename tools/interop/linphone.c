// A user agent on liblinphone for runs of the suite: no sound, no console.
//   ua CONFIG        listens where the configuration says, until SIGTERM
// The user that is called selects what the caller meets (users[]); any other answers at once.
// linphone-daemon does the same for one user, but takes in one datagram every 20 ms.
#include <linphone/core.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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
  LinphoneCore* core = linphone_call_get_core(call);
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

static void on_call(LinphoneCore* core, LinphoneCall* call, LinphoneCallState state,
                    const char* message) {
  (void)core;
  (void)message;
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

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: ua CONFIG\n");
    return 3;
  }
  signal(SIGTERM, on_signal);
  signal(SIGINT, on_signal);
  linphone_logging_service_set_log_level_mask(linphone_logging_service_get(),
                                              getenv("LINPHONE_LOG") ? LinphoneLogLevelMessage : 0);
  LinphoneFactory* factory = linphone_factory_get();
  LinphoneCore* core = linphone_factory_create_core_3(factory, argv[1], NULL, NULL);
  LinphoneCoreCbs* callbacks = linphone_factory_create_core_cbs(factory);
  linphone_core_cbs_set_call_state_changed(callbacks, on_call);
  linphone_core_add_callbacks(core, callbacks);
  linphone_core_start(core);
  puts("ready");
  fflush(stdout);
  while (!is_over) {
    linphone_core_iterate(core);
    take_due();
    usleep(1000);
  }
  linphone_core_stop(core);
  return 0;
}
