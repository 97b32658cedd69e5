// Whether a request is processed at all: the checks of RFC 3261 8.2 in its order, as one table a
// method and one function. Nothing is changed here, so a refused request leaves no trace.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/agent/response.h"
#include "engine/base/clause.h"
#include "engine/message/message.h"

namespace sipassay::agent {

// What becomes of a method outside a dialog; inside one the session decides.
enum class Outside : std::uint8_t {
  Ignored,   // ACK: never answered
  NoDialog,  // 481: has no meaning without a dialog
  NotOurs,   // 405: known, but not what this user agent does
  Invite,
  Options,
  Message,
  Refer,
  Subscribe,
  Register,
  Cancel,  // the transaction layer has matched it already
};
struct MethodRow {
  Method method;
  bool is_allowed;  // listed in Allow
  Outside outside;
  bool needs_contact;  // 400 without one
  Clause clause;
};
// A row for every known method; any other is 501 (21.5.2).
std::span<const MethodRow> method_rows();
const MethodRow* method_row(Method method);
// Value of Allow: the methods of the rows that are allowed; REGISTER is a registrar's only.
std::vector<std::string> allowed_methods(bool is_registrar = false);

struct Capabilities {
  bool is_registrar = false;
  std::vector<std::string> supported;  // option tags
  std::vector<std::string> recv_info;  // Info-Packages (RFC 6086)
};

// 8.2.2, 8.1.1, 20: what every request must have. 400, or 505 for another version.
std::optional<Refusal> check_form(const Message& request);
// 8.2.1 method, 8.2.2.1 Request-URI, 8.2.2.3 Require, 8.2.3 content. Merged requests (8.2.2.2), the
// called user and the dialog are the caller's checks.
std::optional<Refusal> check_method(const Message& request, const Capabilities& capabilities);
std::optional<Refusal> check_request_uri(const Message& request);
std::optional<Refusal> check_require(const Message& request, const Capabilities& capabilities);
std::optional<Refusal> check_content(const Message& request);
// 20.1: whether Accept, if there is one, has room for that media type ("application/sdp").
bool accepts(const Message& request, std::string_view media_type);

}  // namespace sipassay::agent
