// Properties of URIs and name-addrs, for any octets (two texts, the second behind the first NUL):
// - a URI that parses is equivalent to itself, and equivalence is symmetric;
// - what is written from its components parses to an equivalent URI, and writing is idempotent;
// - escaping undoes nothing: unescape(escape(x)) is x;
// - quoting and unquoting are inverse.
#include <cstdint>
#include <string>

#include "engine/message/name_addr.h"
#include "engine/message/params.h"
#include "engine/message/uri.h"
#include "fuzz/support.h"

namespace sipassay::fuzz {
namespace {

void one(std::string_view text) {
  const auto uri = parse_uri(text);
  trace().add(uri ? 0U : 1U + static_cast<unsigned>(uri.error().code));
  if (uri) {
    check(uri->text == text, "a URI's text is all of it");
    check(equivalent(*uri, *uri), "a URI is equivalent to itself", text);
    const Block written(uri->to_string());
    const auto again = parse_uri(written.view());
    check(again.has_value(), "a written URI parses", written.view());
    check(again->to_string() == written.view(), "writing a URI is idempotent", written.view());
    check(equivalent(*uri, *again), "a written URI is equivalent", written.view());
    std::size_t count = 0;
    for (const auto& param : uri->params) count += param.has_value ? 1U : 2U;
    trace().add(count);
  } else {
    check(uri.error().offset <= text.size(), "an error lies inside the text");
  }
  const auto name_addr = parse_name_addr(text);
  if (name_addr) {
    const std::string written = text_of(*name_addr);
    const Block copy(written);
    const auto again = parse_name_addr(copy.view());
    check(again.has_value(), "a written name-addr parses", written);
    const std::string twice = text_of(*again);
    check(written == twice, "writing a name-addr is idempotent", written);
    trace().add(written);
  }
  check(unescape(escape_user(text)) == text, "unescape undoes escape", text);
  check(unquote(quote(text)) == text, "unquote undoes quote", text);
}

}  // namespace
}  // namespace sipassay::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sipassay;
  using namespace sipassay::fuzz;
  trace().begin();
  const Block whole(data, size);
  const auto nul = whole.view().find('\0');
  const Block first(whole.view().substr(0, nul));
  const Block second(nul == std::string_view::npos ? std::string_view{}
                                                   : whole.view().substr(nul + 1));
  one(first.view());
  one(second.view());
  const auto a = parse_uri(first.view());
  const auto b = parse_uri(second.view());
  if (a && b) {
    const bool is_same = equivalent(*a, *b);
    check(is_same == equivalent(*b, *a), "equivalence is symmetric", whole.view());
    trace().add(is_same ? 1U : 0U);
  }
  return 0;
}
