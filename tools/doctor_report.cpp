#include "tools/doctor_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "reports/escape.h"

namespace sipassay::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t subject_width = 44, claim_width = 18;

std::vector<std::string> role_names(const scenarios::Profile& profile) {
  std::vector<std::string> out;
  for (const runner::SutRole role : profile.roles) out.emplace_back(to_string(role));
  return out;
}

std::string state_of(const AskedAddress& address) {
  return address.complaint.empty() ? "answers" : reports::printable(address.complaint);
}

void head(const Diagnosis& diagnosis, std::string& out) {
  for (const AskedAddress& address : diagnosis.addresses)
    out += fmt::format("{:<10}{}{}\n", "address", to_string(address.at) + ": " + state_of(address),
                       address.is_guess ? " (not named, tried)" : "");
  out += fmt::format("{:<10}{}\n", "name",
                     diagnosis.name.empty() ? "none in Server or User-Agent" : diagnosis.name);
  const auto roles = role_names(diagnosis.profile);
  out += fmt::format("{:<10}{}\n", "roles",
                     roles.empty() ? "none was seen" : fmt::format("{}", fmt::join(roles, " ")));
}

void symptoms(const Diagnosis& diagnosis, bool has_colours, std::string& out) {
  out += fmt::format("\n  {:<{}} {:<{}} {}\n", "what", subject_width, "it claims", claim_width,
                     "it does");
  for (const Symptom& one : diagnosis.symptoms) {
    const bool differs = !one.difference.empty();
    const std::string line = fmt::format("{} {:<{}} {:<{}} {}", differs ? '!' : ' ', one.subject,
                                         subject_width, one.claim, claim_width, one.behaviour);
    out += differs && has_colours ? "\x1b[33m" + line + "\x1b[0m\n" : line + "\n";
    if (differs)
      out += fmt::format("!   {}{}\n", one.difference,
                         one.clause ? " (" + to_string(*one.clause) + ")" : "");
  }
}

void users(const Diagnosis& diagnosis, std::string& out) {
  if (diagnosis.users.empty()) return;
  out += "\n  user                 a caller meets\n";
  for (const Patient& user : diagnosis.users)
    out += fmt::format(
        "  {:<20} {}{}\n", reports::printable(user.user), user.meets,
        user.behaves.empty() ? "" : fmt::format("  -> {}", fmt::join(user.behaves, " ")));
}

std::string counted(std::size_t count, std::string_view thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

}  // namespace

std::string diagnosis_text(const Diagnosis& diagnosis, bool has_colours) {
  std::string out;
  head(diagnosis, out);
  symptoms(diagnosis, has_colours, out);
  users(diagnosis, out);
  if (!diagnosis.death.empty())
    out += fmt::format("\nThe SUT answers no more since it was sent {}\n", diagnosis.death);
  out += fmt::format("\n{}, {} of them to a MUST\n", counted(diagnosis.differences(), "difference"),
                     diagnosis.violations());
  return out;
}

std::string diagnosis_json(const Diagnosis& diagnosis) {
  Json out;
  out["schema"] = 1;
  Json& sut = out["sut"];
  sut["name"] = diagnosis.name;
  sut["roles"] = role_names(diagnosis.profile);
  sut["death"] = diagnosis.death;
  sut["addresses"] = Json::array();
  for (const AskedAddress& one : diagnosis.addresses)
    sut["addresses"].push_back({{"at", to_string(one.at)},
                                {"answers", one.complaint.empty()},
                                {"complaint", reports::printable(one.complaint)},
                                {"named", !one.is_guess}});
  out["symptoms"] = Json::array();
  for (const Symptom& one : diagnosis.symptoms)
    out["symptoms"].push_back({{"subject", one.subject},
                               {"claim", one.claim},
                               {"behaviour", one.behaviour},
                               {"difference", one.difference},
                               {"clause", one.clause ? to_string(*one.clause) : ""}});
  out["users"] = Json::array();
  for (const Patient& user : diagnosis.users)
    out["users"].push_back({{"user", reports::printable(user.user)},
                            {"meets", user.meets},
                            {"behaves", user.behaves}});
  out["differences"] = diagnosis.differences();
  out["violations"] = diagnosis.violations();
  return out.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace sipassay::tools
