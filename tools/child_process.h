// For tests: runs a program and collects what it says.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace sipassay::tools {

struct Exit {
  int status = -1;  // exit status; 128 + N when signal N ended it
  std::string out, err;
};

struct Start {
  std::vector<std::string> environment = {};  // "NAME=value", besides ours
  int signal = 0;                             // sent once `after` has passed
  std::chrono::milliseconds after{0};
  std::chrono::milliseconds limit{60'000};  // then it is killed
};

// arguments[0] is the program's path. No shell.
Exit start(const std::vector<std::string>& arguments, const Start& how = {});

// A program that runs beside the test and is killed with it.
class Background {
 public:
  // arguments[0] is the program's path. No shell. Its standard error is the test's.
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
