// Challenges and credentials (RFC 3261 20.6, 20.7, 20.27, 20.28, 20.44; RFC 8760).
// One value a line: their commas separate parameters, not values (RFC 3261 7.3.1).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "engine/message/header_id.h"
#include "engine/message/params.h"
#include "engine/message/reader.h"

namespace sipassay {

// One more is Error{LimitExceeded}.
inline constexpr std::size_t auth_params_max = 64;

// A checked list of auth-param: `realm="x", nonce="y", qop=auth`.
class AuthParams {
 public:
  AuthParams() = default;
  static Parsed<AuthParams> parse(std::string_view text);
  // A list that the caller knows to be well-formed.
  static AuthParams from_checked(std::string_view text);
  static bool read(Reader& reader, AuthParams& out);

  std::optional<Param> find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name).has_value(); }
  // Without the quotes; quoted-pairs are not undone (unquote(find(name)->value) does).
  std::string_view value(std::string_view name) const;
  // In order: calls f(const Param&).
  template <class F>
  void for_each(F f) const {
    std::string_view rest = text_;
    Param param;
    while (next(rest, param)) f(param);
  }
  std::string_view text() const { return text_; }

 private:
  static bool next(std::string_view& rest, Param& out);
  std::string_view text_;
};

namespace detail {
bool read_scheme_and_params(Reader& reader, std::string_view& scheme, AuthParams& params);
}

template <HeaderId Id>
struct AuthenticationHeader {
  static constexpr HeaderId id = Id;
  std::string_view scheme;  // "Digest"; empty in AuthenticationHeader-Info
  AuthParams params;

  static bool read(Reader& reader, AuthenticationHeader& out) {
    if constexpr (Id == HeaderId::AuthenticationInfo)
      return AuthParams::read(reader, out.params);
    else
      return detail::read_scheme_and_params(reader, out.scheme, out.params);
  }
  static Parsed<AuthenticationHeader> parse(std::string_view value) {
    return parse_whole<AuthenticationHeader>(value);
  }
  void write(Octets& out) const {
    if constexpr (Id != HeaderId::AuthenticationInfo) {
      out.add(scheme, ' ');
    }
    out += params.text();
  }
};

using AuthenticationInfo = AuthenticationHeader<HeaderId::AuthenticationInfo>;
using Authorization = AuthenticationHeader<HeaderId::Authorization>;
using ProxyAuthenticate = AuthenticationHeader<HeaderId::ProxyAuthenticate>;
using ProxyAuthorization = AuthenticationHeader<HeaderId::ProxyAuthorization>;
using WwwAuthenticate = AuthenticationHeader<HeaderId::WwwAuthenticate>;

}  // namespace sipassay
