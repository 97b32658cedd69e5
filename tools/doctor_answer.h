// The messages of one question, read.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/time.h"
#include "engine/message/message.h"
#include "engine/runner/result.h"
#include "tools/doctor_questions.h"

namespace sipassay::tools {

struct Spoken {
  Instant at{};
  bool is_from_sut = false;
  bool is_copy = false;
  Message message;
};

class Answer {
 public:
  Answer(const Question& question, const runner::CaseResult& result);

  const Question& question() const { return *question_; }
  const runner::CaseResult& result() const { return *result_; }
  // What came and went, the dialogs and the probe that end the question included.
  const std::vector<Spoken>& spoken() const { return spoken_; }

  // The last final response to requests of that method with the Call-ID of the question; null:
  // none.
  const Spoken* final(std::string_view method) const;
  const Spoken* final() const;  // to the request that the question is about
  // "200 OK", "no answer".
  std::string outcome() const;
  int status() const;  // 0: no answer
  // The first one from the SUT with that header field.
  const Message* with(std::string_view header) const;
  // Of the call or transaction that the question began.
  bool belongs(const Message& message) const;
  // Since the INVITE was sent the first time.
  Duration since_call(const Spoken& one) const { return one.at - spoken_.front().at; }

 private:
  const Question* question_;
  const runner::CaseResult* result_;
  std::vector<Spoken> spoken_;
  std::string call_id_;
};

// "404 Not Found", harmless.
std::string describe_response(const Message& response);

// What a caller met, of Ask::Call and Ask::ReliableCall.
struct Meeting {
  std::string text;       // "180 Ringing after 0.0 s, no final answer in 4.0 s"
  std::string behaviour;  // "ring"; empty: like none that has a name
  bool is_answered = false;
  bool has_rung = false;
};
Meeting meeting(const Answer& answer);
// A behaviour that meeting() finds in a call without extensions.
bool is_seen_in_calls(std::string_view behaviour);

}  // namespace sipassay::tools
