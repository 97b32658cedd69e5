#include "engine/runner/credentials.h"

#include <fmt/format.h>

#include <cstdint>
#include <optional>

#include "engine/agent/digest.h"

namespace sipassay::runner {

namespace {

// RFC 4648 4.
std::string base64(std::string_view octets) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < octets.size(); i += 3) {
    const auto group = octets.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (k < group.size() ? static_cast<unsigned char>(group[k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      out += k <= group.size() ? alphabet[bits >> (18 - 6 * k) & 63U] : '=';
  }
  return out;
}

}  // namespace

std::string basic_credentials(std::string_view user, std::string_view password) {
  return "Basic " + base64(fmt::format("{}:{}", user, password));
}

std::expected<bool, UnknownReference> put_credentials(const Message& response, const Login& login,
                                                      const CredentialsEdit& edit, Rng& rng,
                                                      const CheckContext& context,
                                                      Message& request) {
  std::optional<UnknownReference> problem;
  const auto text = [&](const std::optional<Template>& wanted, std::string_view otherwise) {
    if (!wanted) return std::string(otherwise);
    auto value = expand(*wanted, context.lookup);
    if (!value && !problem) problem = value.error();
    return value.value_or("");
  };
  const auto user = text(edit.user, login.user);
  const auto password = text(edit.password, login.password);
  const auto uri = text(edit.uri, request.request_uri());
  const auto nc = text(edit.nc, "00000001");
  const auto cnonce = rng.token(16);

  const auto challenges = agent::digest::challenges_of(response);
  request.remove(HeaderId::Authorization).remove(HeaderId::ProxyAuthorization);
  for (const auto& challenge : challenges) {
    const auto nonce = text(edit.nonce, challenge.nonce);
    const auto value = edit.is_basic
                           ? basic_credentials(user, password)
                           : agent::digest::credentials(challenge, {.user = user,
                                                                    .realm = challenge.realm,
                                                                    .password = password,
                                                                    .nonce = nonce,
                                                                    .cnonce = cnonce,
                                                                    .nc = nc,
                                                                    .method = request.method_text(),
                                                                    .uri = uri,
                                                                    .body = request.body()});
    request.add(challenge.is_proxy ? HeaderId::ProxyAuthorization : HeaderId::Authorization, value);
  }
  if (problem) return std::unexpected(*problem);
  return !challenges.empty();
}

}  // namespace sipassay::runner
