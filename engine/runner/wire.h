// What a row of misbehaviour.h sees and does: one message on the SUT's wire, all that crossed
// before, and the means to change, lose, hold up or make up messages.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/message/message.h"
#include "engine/runner/misbehaviour.h"

namespace sipassay::runner {

class Wire {
 public:
  Wire(bool from_sut, Message message, const std::vector<Crossed>& history, int& memory)
      : from_sut_(from_sut), message_(std::move(message)), history_(history), memory_(memory) {}

  // --- what crosses
  bool is_sent() const { return from_sut_; }
  const Message& message() const { return message_; }
  bool sends(Method method) const { return from_sut_ && is_request(method); }
  bool gets(Method method) const { return !from_sut_ && is_request(method); }
  bool gets_request() const { return !from_sut_ && message_.is_request(); }
  bool gets_request_with(std::string_view header) const;
  // A response to a request of that method, status from low to high.
  bool sends(Method of, int low, int high) const { return from_sut_ && is_response(of, low, high); }
  bool gets(Method of, int low, int high) const { return !from_sut_ && is_response(of, low, high); }
  // To a request of any method.
  bool sends(int low, int high) const { return from_sut_ && has_status(low, high); }
  bool gets(int low, int high) const { return !from_sut_ && has_status(low, high); }
  // A request that the SUT sends on: it has the Via of who sent it as well.
  bool forwards() const;
  bool forwards(Method method) const { return forwards() && is_request(method); }
  bool is_reliable_provisional() const;
  bool has_sdp() const;
  // The very octets crossed before in this direction.
  bool is_repeated() const;

  // --- what crossed before
  const std::vector<Crossed>& history() const { return history_; }
  // The last one that is so, this message not counted.
  const Message* last(bool from_sut, const std::function<bool(const Message&)>& is_so) const;
  const Message* last_request(bool from_sut, Method method) const;
  const Message* last_response(bool from_sut, Method of, int low, int high) const;
  // The first one that is so.
  const Message* first(bool from_sut, const std::function<bool(const Message&)>& is_so) const;
  // The request that is sent on, as it came to the SUT.
  const Message* original() const;
  // The row's own number; 0 at the start of the run.
  int& memory() { return memory_; }

  // --- what becomes of it
  Message& edit() { return message_; }
  void drop() { is_dropped_ = true; }
  void delay(Duration by) { delay_ = by; }
  // One more message from the SUT, behind this one.
  void send(Message message, Duration after = {});
  void send_again(const Message* message, Duration after = {});  // nullptr: nothing
  // A request from the SUT inside the dialog of this message: as the real one would be.
  std::optional<Message> make_request(std::string_view method) const;
  // A response of the SUT to this request.
  Message make_response(int status) const;
  // The SUT is not asked: that is its response to this request.
  void answer(int status);
  std::vector<Crossing> take();

 private:
  bool is_request(Method method) const {
    return message_.is_request() && message_.method() == method;
  }
  bool is_response(Method of, int low, int high) const;
  bool has_status(int low, int high) const;

  bool from_sut_;
  Message message_;
  const std::vector<Crossed>& history_;
  int& memory_;
  bool is_dropped_ = false;
  Duration delay_{};
  std::vector<Crossing> more_;
};

// --- parts of messages
bool is_response_to(const Message& message, Method of, int low, int high);
bool is_same_request(const Message& a, const Message& b);  // by Call-ID and CSeq
std::uint32_t cseq_number(const Message& message);         // 0: none
Method cseq_method(const Message& message);
std::string tag_of(const Message& message, HeaderId from_or_to);
std::string branch_of(const Message& message);
std::string contact_uri(const Message& message);  // of the first Contact; empty: none
void set_status(Message& message, int status);
void set_cseq(Message& message, std::uint32_t number);                      // the method stays
void set_tag(Message& message, HeaderId from_or_to, std::string_view tag);  // empty: none
void set_branch(Message& message, std::string_view branch);                 // of the top Via
void drop_body(Message& message);
Message without_top_via(const Message& response);  // as it goes one hop on
// The lines of the SDP body without their ends; nothing happens when there is no SDP.
void edit_sdp(Message& message, const std::function<void(std::vector<std::string>& lines)>& edit);

}  // namespace sipassay::runner
