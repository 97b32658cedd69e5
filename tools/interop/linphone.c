// A user agent on liblinphone for runs of the suite: no sound, no console.
//   ua CONFIG        listens where the configuration says, until SIGTERM
// The user that is called selects what the caller meets: busy 486, ring 180 and no answer, any other
// 200 at once. linphone-daemon does the same for one user, but takes in one datagram every 20 ms.
#include <linphone/core.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t is_over = 0;

static void on_signal(int number) {
  (void)number;
  is_over = 1;
}

static void on_call(LinphoneCore *core, LinphoneCall *call, LinphoneCallState state,
                    const char *message) {
  (void)core;
  (void)message;
  if (state != LinphoneCallStateIncomingReceived) return;
  const char *user = linphone_address_get_username(linphone_call_get_to_address(call));
  if (user && strcmp(user, "busy") == 0) {
    linphone_call_decline(call, LinphoneReasonBusy);
  } else if (!user || strcmp(user, "ring") != 0) {
    linphone_call_accept(call);
  }
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: ua CONFIG\n");
    return 3;
  }
  signal(SIGTERM, on_signal);
  signal(SIGINT, on_signal);
  linphone_logging_service_set_log_level_mask(
      linphone_logging_service_get(), getenv("LINPHONE_LOG") ? LinphoneLogLevelMessage : 0);
  LinphoneFactory *factory = linphone_factory_get();
  LinphoneCore *core = linphone_factory_create_core_3(factory, argv[1], NULL, NULL);
  LinphoneCoreCbs *callbacks = linphone_factory_create_core_cbs(factory);
  linphone_core_cbs_set_call_state_changed(callbacks, on_call);
  linphone_core_add_callbacks(core, callbacks);
  linphone_core_start(core);
  puts("ready");
  fflush(stdout);
  while (!is_over) {
    linphone_core_iterate(core);
    usleep(1000);
  }
  linphone_core_stop(core);
  return 0;
}
