// Other programs: started, heard, ended. No shell anywhere.
#pragma once

#include <chrono>
#include <expected>
#include <string>
#include <vector>

namespace sipassay::tools {

struct Launch {
  std::vector<std::string> arguments;         // the program first, by PATH when it has no slash
  std::vector<std::string> environment = {};  // "NAME=value", besides ours
  std::string directory = {};       // where it runs, and from where its path goes; empty: here
  int in = -1, out = -1, err = -1;  // descriptors; -1: nothing comes in, ours for the others
  bool leads_group = false;         // a process group of its own, which ends when we do
};

// The process id of the program, which runs; or why it does not, on one line.
std::expected<int, std::string> spawn(const Launch& launch);

struct Exit {
  int status = -1;  // exit status; 128 + N when signal N ended it
  std::string out, err;
};

struct Start {
  std::vector<std::string> environment = {};  // "NAME=value", besides ours
  std::string directory = {};
  int signal = 0;  // sent once `after` has passed
  std::chrono::milliseconds after{0};
  std::chrono::milliseconds limit{60'000};  // then it and what it has started are killed
};

// Runs a program to its end and collects what it says; status 126 when it cannot be run.
Exit start(const std::vector<std::string>& arguments, const Start& how = {});

// For tests: a program that runs beside the test and is killed with it.
class Background {
 public:
  // Its standard error is the test's.
  explicit Background(const std::vector<std::string>& arguments);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // Its next line of output, without the line end; empty at the end or when patience is over.
  std::string line(std::chrono::milliseconds patience = std::chrono::milliseconds(30'000));
  bool is_running();
  // Sends the signal and waits: the exit status, 128 + N when signal N ended it.
  int end(int signal);

 private:
  int out_ = -1;
  int pid_ = -1;
  int status_ = -1;
  std::string buffer_;
};

}  // namespace sipassay::tools
