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

}  // namespace sipassay::tools
