#include "engine/runner/adapt.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/ascii.h"
#include "engine/message/header_id.h"

namespace sipassay::runner {

namespace {

constexpr std::string_view cookie = "z9hG4bK";  // RFC 3261 8.1.1.7

struct Replacement {
  std::size_t begin, end;
  std::string text;
};

struct Field {
  HeaderId id;
  std::size_t begin, end;  // of the value, folded lines and all
};

// Header fields until the empty line, or the end.
std::vector<Field> fields_of(std::string_view octets) {
  std::vector<Field> out;
  std::size_t at = octets.find("\r\n");
  while (at != std::string_view::npos) {
    at += 2;
    std::size_t end = octets.find("\r\n", at);
    while (end != std::string_view::npos && end + 2 < octets.size() &&
           (octets[end + 2] == ' ' || octets[end + 2] == '\t'))
      end = octets.find("\r\n", end + 2);
    if (end == at || end == std::string_view::npos) break;
    const std::size_t colon = octets.substr(0, end).find(':', at);
    if (colon != std::string_view::npos)
      out.push_back({header_id_from(ascii::trim(octets.substr(at, colon - at))), colon + 1, end});
    at = end;
  }
  return out;
}

std::size_t skip_space(std::string_view octets, std::size_t at, std::size_t end) {
  while (at < end && ascii::is_space(octets[at])) ++at;
  return at;
}

std::size_t skip_word(std::string_view octets, std::size_t at, std::size_t end) {
  while (at < end && !ascii::is_space(octets[at]) && octets[at] != ';' && octets[at] != ',') ++at;
  return at;
}

// SIP / 2.0 / TRANSPORT SENT-BY ;branch = VALUE, with LWS anywhere.
void adapt_via(std::string_view octets, const Field& via, const AdaptTo& to,
               std::vector<Replacement>& out) {
  const auto name_end = octets.find('/', via.begin);
  const auto version_end = name_end < via.end ? octets.find('/', name_end + 1) : name_end;
  if (version_end >= via.end) return;
  const auto transport = skip_space(octets, version_end + 1, via.end);
  const auto transport_end = skip_word(octets, transport, via.end);
  const auto sent_by = skip_space(octets, transport_end, via.end);
  if (transport == transport_end || sent_by == via.end) return;
  auto sent_by_end = std::min(octets.find_first_of(";,", sent_by), via.end);
  while (sent_by_end > sent_by && ascii::is_space(octets[sent_by_end - 1])) --sent_by_end;
  out.push_back({transport, transport_end, std::string(via_token(to.peer.transport))});
  out.push_back({sent_by, sent_by_end, host_port(to.peer)});

  const auto value_end = std::min(octets.find(',', sent_by_end), via.end);
  std::size_t at = sent_by_end;
  while ((at = octets.find(';', at)) < value_end) {
    at = skip_space(octets, at + 1, value_end);
    if (!ascii::istarts_with(octets.substr(at, value_end - at), "branch")) continue;
    at = skip_space(octets, at + 6, value_end);
    if (at == value_end || octets[at] != '=') continue;
    const auto branch = skip_space(octets, at + 1, value_end);
    const auto branch_end = skip_word(octets, branch, value_end);
    if (!ascii::iequals(octets.substr(branch, branch_end - branch), cookie))
      out.push_back({branch_end, branch_end, to.token});
    return;
  }
}

void adapt_request_uri(std::string_view octets, const AdaptTo& to, std::vector<Replacement>& out) {
  const auto line_end = octets.find("\r\n");
  const auto begin = octets.find(' ');
  const auto end = octets.rfind(" SIP/", line_end);
  if (begin >= line_end || end == std::string_view::npos || end <= begin) return;
  out.push_back({begin + 1, end, to.request_uri});
}

}  // namespace

std::string adapt_raw(std::string octets, const RawAdaptation& what, const AdaptTo& to) {
  std::vector<Replacement> changes;
  if (what.request_uri) adapt_request_uri(octets, to, changes);
  bool has_via = false;
  for (const auto& field : fields_of(octets)) {
    if (what.via && field.id == HeaderId::Via && !std::exchange(has_via, true))
      adapt_via(octets, field, to, changes);
    if (!what.call_id || field.id != HeaderId::CallId) continue;
    const auto begin = skip_space(octets, field.begin, field.end);
    changes.push_back({begin, begin, to.token});
  }
  // From the back: what is replaced does not move what is still to be replaced.
  std::ranges::sort(changes, std::greater{}, &Replacement::begin);
  for (const auto& change : changes)
    octets.replace(change.begin, change.end - change.begin, change.text);
  if (what.end && octets.find("\r\n\r\n") == std::string::npos) octets += "\r\n";
  return octets;
}

}  // namespace sipassay::runner
