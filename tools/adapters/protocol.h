// The protocol of adapters (README.md) for those that are written in C.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { line_max = 4096, arguments_max = 16 };

typedef struct {
  const char *number, *name;
  const char *names[arguments_max], *values[arguments_max];
  int count;
} Command;

static const char *argument(const Command *command, const char *name) {
  for (int i = 0; i < command->count; ++i)
    if (strcmp(command->names[i], name) == 0) return command->values[i];
  return NULL;
}

static int is(const char *value, const char *word) { return value && strcmp(value, word) == 0; }

static const char unsupported[] = "unsupported";

static void say(const char *line) {
  puts(line);
  fflush(stdout);
}

static int hex(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10
       : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// In place.
static void decode(char *value) {
  char *out = value;
  for (; *value; ++value) {
    if (*value == '%' && hex(value[1]) >= 0 && hex(value[2]) >= 0) {
      *out++ = (char)(hex(value[1]) * 16 + hex(value[2]));
      value += 2;
    } else {
      *out++ = *value;
    }
  }
  *out = 0;
}

static void take_command(char *line, const char *(*carry_out)(const Command *)) {
  Command command = {0};
  char *state = NULL;
  command.number = strtok_r(line, " ", &state);
  command.name = strtok_r(NULL, " ", &state);
  if (!command.name) return;
  for (char *field; (field = strtok_r(NULL, " ", &state)) && command.count < arguments_max;) {
    char *equals = strchr(field, '=');
    if (!equals) continue;
    *equals = 0;
    decode(equals + 1);
    command.names[command.count] = field;
    command.values[command.count++] = equals + 1;
  }
  const char *answer = carry_out(&command);
  printf("%s %s\n", command.number, answer ? answer : "ok");
  fflush(stdout);
}

// Reads what stands on standard input and carries it out; carry_out gives NULL for ok, else the rest
// of the answer. False at `quit` and at the end.
static int take_commands(const char *(*carry_out)(const Command *)) {
  static char buffer[2 * line_max];
  static size_t used;
  const ssize_t count = read(STDIN_FILENO, buffer + used, sizeof buffer - 1 - used);
  if (count <= 0) return 0;
  used += (size_t)count;
  buffer[used] = 0;
  char *begin = buffer;
  for (char *end; (end = strchr(begin, '\n')); begin = end + 1) {
    *end = 0;
    const char *space = strchr(begin, ' ');
    if (space && strncmp(space + 1, "quit", 4) == 0) return 0;
    take_command(begin, carry_out);
  }
  used -= (size_t)(begin - buffer);
  memmove(buffer, begin, used);
  return used < sizeof buffer - 1;  // no line is that long
}
