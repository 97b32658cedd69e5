// A cursor over one header field value; the grammar rules that all typed headers are built from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/error.h"
#include "engine/message/chars.h"
#include "engine/message/name_addr.h"
#include "engine/message/params.h"
#include "engine/message/scan.h"
#include "engine/message/slack.h"
#include "engine/message/uri.h"

namespace sipassay {

// Every read function returns false after fail(): then error() says what and where. Between two
// elements the cursor stands behind the last octet of the element; white space is skipped by the
// rule that wants it.
//
// A text with slack is read in blocks, and by the usual_ functions where they can: they accept part
// of what the grammar allows, and leave the rest, and every complaint, to the exact way.
class Reader {
 public:
  explicit Reader(std::string_view text, Slack slack = Slack::No)
      : begin_(text.data()),
        at_(text.data()),
        end_(text.data() + text.size()),
        has_slack_(slack == Slack::Yes) {}

  bool is_done() const { return at_ == end_; }
  char peek() const { return at_ == end_ ? '\0' : *at_; }
  std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }
  std::string_view rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }
  const Error& error() const { return error_; }
  bool fail(ErrorCode code) { return fail(code, offset()); }
  bool fail(ErrorCode code, std::size_t offset) {
    error_ = Error{code, offset};
    return false;
  }
  void seek(std::size_t offset) { at_ = begin_ + offset; }
  std::string_view since(std::size_t start) const { return {begin_ + start, offset() - start}; }

  // SWS: true when there was some.
  [[gnu::always_inline]] bool skip_space() {
    if (at_ == end_ || !chars::is(*at_, chars::Space)) return false;
    do ++at_;
    while (at_ != end_ && chars::is(*at_, chars::Space));
    return true;
  }
  // That octet, if it comes next.
  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  // SWS octet SWS, if it comes next; otherwise nothing moves.
  [[gnu::always_inline]] bool take_separator(char c) {
    if (at_ == end_) return false;
    if (*at_ != c) {
      if (!chars::is(*at_, chars::Space)) return false;
      const char* const start = at_;
      skip_space();
      if (!take(c)) {
        at_ = start;
        return false;
      }
    } else {
      ++at_;
    }
    skip_space();
    return true;
  }
  // As many octets of the classes as there are. Letters, digits, "-" and "." must be among them.
  [[gnu::always_inline]] std::string_view span(unsigned classes) {
    if (!has_slack_) return span_of(classes);
    const char* const start = at_;
    at_ = scan::behind(start, end_, classes);
    return {start, static_cast<std::size_t>(at_ - start)};
  }
  // The same where there are often more than a block.
  std::string_view long_span(unsigned classes) {
    if (!has_slack_) return span_of(classes);
    const char* const start = at_;
    at_ = scan::behind_long(start, end_, classes);
    return {start, static_cast<std::size_t>(at_ - start)};
  }
  // The same for any classes.
  std::string_view span_of(unsigned classes) {
    const char* const start = at_;
    while (at_ != end_ && chars::is(*at_, classes)) ++at_;
    return {start, static_cast<std::size_t>(at_ - start)};
  }

  [[gnu::always_inline]] bool token(std::string_view& out,
                                    ErrorCode code = ErrorCode::HeaderValue) {
    out = span(chars::Token);
    return !out.empty() || fail(code);
  }
  // With its quotes.
  bool quoted_string(std::string_view& out);
  // A comment with its parentheses, nested ones included.
  bool comment(std::string_view& out);
  // 1*DIGIT, no larger than max.
  bool number(std::uint32_t& out, std::uint32_t max = UINT32_MAX) {
    if (has_slack_) {
      const scan::Number usual = scan::number(at_, end_);
      if (usual.size != 0 && usual.value <= max) {
        out = usual.value;
        at_ += usual.size;
        return true;
      }
    }
    return exact_number(out, max);
  }
  // hostname, IPv4address or IPv6reference (brackets taken off).
  bool host(std::string_view& out, bool& is_ipv6);
  // 1*DIGIT up to 65535.
  bool port(std::optional<std::uint16_t>& out);
  // *( SEMI generic-param )
  bool params(Params& out) {
    if (at_ == end_ || *at_ == ',') {
      out = Params();
      were_token_params_ = true;
      return true;
    }
    return (has_slack_ && usual_params(out)) || exact_params(out);
  }
  bool name_addr(NameAddr& out);
  // LAQUOT absoluteURI RAQUOT
  bool bracketed_uri(Uri& out);
  // callid: word [ "@" word ]
  bool call_id(std::string_view& out);
  // A sip or sips URI and what must stand behind it. False, nothing moved and no sense in `out`,
  // for anything unusual (userinfo with a password, URI headers, maddr, ttl, escapes in parameters,
  // other schemes).
  enum class UriEnd : std::uint8_t { Bracket, EndOfText };
  bool usual_uri(Uri& out, UriEnd end);
  // "SIP/2.0/" and a transport, then one space, which is taken. False, and nothing moved,
  // otherwise.
  bool usual_protocol(std::string_view& protocol, std::string_view& version,
                      std::string_view& transport);
  // The values of the parameters that params() read last are tokens, all of them.
  bool were_token_params() const { return were_token_params_; }
  // To the next comma outside quotes and angle brackets, or to the end; never fails.
  void skip_list_element();

 private:
  bool take_pair();
  bool exact_params(Params& out);
  bool exact_number(std::uint32_t& out, std::uint32_t max);
  // reader_usual.cpp: true when they read it; otherwise nothing has moved.
  bool usual_params(Params& out);
  bool usual_host(std::string_view& out, bool& is_ipv6);

  const char* begin_;
  const char* at_;
  const char* end_;
  bool has_slack_;
  bool were_token_params_ = false;
  Error error_;
};

// One whole value of type H: LWS around it is allowed, anything behind it is an error.
template <class H>
Parsed<H> parse_whole(std::string_view value, Slack slack = Slack::No) {
  Reader reader(value, slack);
  reader.skip_space();
  Parsed<H> out(std::in_place);
  bool is_good = H::read(reader, *out);
  if (is_good) {
    reader.skip_space();
    is_good = reader.is_done() || reader.fail(ErrorCode::HeaderValue);
  }
  if (!is_good) out = std::unexpected(reader.error());
  return out;
}

}  // namespace sipassay
