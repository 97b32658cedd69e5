#include "engine/runner/credentials.h"

#include <optional>

#include "engine/agent/digest.h"

namespace sipassay::runner {

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
                           ? agent::digest::basic_credentials(user, password)
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
