#include "tools/doctor_diagnosis.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "engine/base/ascii.h"
#include "engine/message/header/all.h"
#include "engine/runner/values.h"
#include "reports/escape.h"
#include "tools/doctor_answer.h"

namespace sipassay::tools {
namespace {

using runner::Capability;
using runner::CapabilityKind;

constexpr Duration default_t1 = 500ms;

// Has it what it was asked for? Weakly: it refused in a way that fits who has it.
enum class Evidence : std::uint8_t { None, Lacks, Weak, Has };

// The user, the caller or the way is refused, and not what is asked for.
constexpr std::array who_is_refused{401, 403, 404, 407, 410, 480, 483, 603, 604};
constexpr std::array strong{415, 423, 469, 488, 489, 491};

Evidence evidence_of(int status) {
  if (status == 405 || status == 501) return Evidence::Lacks;
  if (status / 100 == 2 || std::ranges::find(strong, status) != strong.end()) return Evidence::Has;
  return status == 400 || status == 481 ? Evidence::Weak : Evidence::None;
}

// A word that can stand in a question and in a profile.
bool is_plain(std::string_view word) {
  return !word.empty() && word.size() <= 64 && std::ranges::all_of(word, [](char c) {
    return ascii::is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '+' || c == '/' ||
           c == '*';
  });
}

class Diagnostician {
 public:
  Diagnostician(const std::vector<Question>& questions,
                const std::vector<runner::CaseResult>& results) {
    for (std::size_t i = 0; i < std::min(questions.size(), results.size()); ++i)
      answers_.emplace_back(questions[i], results[i]);
  }

  Diagnosis run(const std::vector<AskedAddress>& addresses, const scenarios::Profile& known) {
    out_.addresses = addresses;
    out_.profile = known;
    look_at_life();
    look_at_name();
    look_at_options();
    look_at_addresses();
    look_at_calls();
    look_at_methods();
    look_at_extensions();
    look_at_packages();
    look_at_call_rules();
    find_roles();
    if (out_.profile.name.empty()) out_.profile.name = name_of_profile();
    return std::move(out_);
  }

 private:
  // --- finding answers

  const Answer* find(Ask ask, std::string_view subject = {}) const {
    const auto found = std::ranges::find_if(answers_, [&](const Answer& one) {
      return one.question().ask == ask && (subject.empty() || one.question().subject == subject);
    });
    return found == answers_.end() ? nullptr : &*found;
  }

  // The values of a list that the SUT gives: in its answer to OPTIONS, else wherever it does.
  std::optional<std::vector<std::string>> claimed(std::string_view header) const {
    const Message* source = nullptr;
    for (const Answer& answer : answers_)
      if (source = answer.with(header); source != nullptr) break;
    if (source == nullptr) return std::nullopt;
    std::vector<std::string> out;
    for (const std::string& value : runner::header_values(*source, header)) {
      std::string word = runner::value_token(value);
      if (is_plain(word) && out.size() < claimed_words_max) out.push_back(std::move(word));
    }
    return out;
  }

  static bool names(const std::optional<std::vector<std::string>>& list, std::string_view word) {
    return list && std::ranges::any_of(
                       *list, [&](const std::string& one) { return ascii::iequals(one, word); });
  }

  static std::string claim(std::string_view header,
                           const std::optional<std::vector<std::string>>& list,
                           std::string_view word) {
    if (!list) return fmt::format("no {}", header);
    return fmt::format("{}in {}", names(list, word) ? "" : "not ", header);
  }

  void add(std::string subject, std::string claim, std::string behaviour,
           std::string difference = {}, std::optional<Clause> clause = {}) {
    if (difference.empty()) clause.reset();
    out_.symptoms.push_back({std::move(subject), std::move(claim), std::move(behaviour),
                             std::move(difference), clause});
  }

  // What claim and behaviour agree on. Where they do not, the cases shall find out.
  void declare(CapabilityKind kind, std::string_view word, bool has) {
    out_.profile.declared.try_emplace({kind, std::string(word)}, has);
  }

  // --- what it is

  void look_at_life() {
    for (const Answer& answer : answers_)
      if (answer.result().outcome == runner::Outcome::Crash && out_.death.empty())
        out_.death =
            answer.spoken().empty()
                ? "the first message"
                : std::string(reports::printable(answer.spoken().front().message.start_line()));
  }

  void look_at_name() {
    for (const char* header : {"Server", "User-Agent"})
      for (const Answer& answer : answers_)
        if (const Message* message = answer.with(header); message != nullptr && out_.name.empty())
          out_.name = reports::printable(
              runner::message_value(*message, ascii::to_lower(header)).value_or(""));
  }

  std::string name_of_profile() const {
    std::string out;
    for (const char c : ascii::to_lower(out_.name.substr(0, out_.name.find_first_of("/ ("))))
      if (ascii::is_alnum(c) || c == '-') out += c;
    return out.empty() ? "sut" : out;
  }

  void look_at_options() {
    const Answer* answer = find(Ask::Options);
    if (answer == nullptr) return;
    for (const Answer& other : answers_)
      if (other.question().ask == Ask::Options && answer->status() / 100 != 2) answer = &other;
    std::string missing;
    if (answer->status() / 100 == 2)
      for (const char* header :
           {"Allow", "Accept", "Accept-Encoding", "Accept-Language", "Supported"})
        if (runner::header_lines(answer->final()->message, header) == 0)
          missing += fmt::format("{}{}", missing.empty() ? "without " : ", ", header);
    add("OPTIONS", "", answer->outcome(), missing, Clause{3261, "11.2", Level::Should});
    for (const char* header : {"Allow", "Supported", "Accept", "Allow-Events", "Recv-Info"}) {
      const auto list = claimed(header);
      add(header, "", !list ? "absent" : list->empty() ? "empty" : ascii::comma_list(*list));
    }
    if (const Answer* large = find(Ask::Datagram); large != nullptr)
      add(fmt::format("a datagram of {} octets", large_octets), "", large->outcome(),
          large->status() == 0 ? "any datagram up to 65,535 octets is to be handled" : "",
          Clause{3261, "18.1.1", Level::Must});
  }

  void look_at_addresses() {
    out_.profile.addresses.clear();
    for (const AskedAddress& one : out_.addresses) {
      if (one.complaint.empty()) {
        out_.profile.addresses.push_back(one.at);
        continue;
      }
      if (!one.is_guess || one.at.transport != Transport::Tcp) continue;
      add(fmt::format("TCP at {}", host_port(one.at)), "listens on UDP", one.complaint,
          "who listens on UDP must listen on TCP there", Clause{3261, "18.2.1", Level::Must});
    }
  }

  // --- who answers

  void look_at_calls() {
    std::map<std::string, std::vector<std::string>> behaves;  // by user
    for (const Answer& answer : answers_) {
      const Ask ask = answer.question().ask;
      if (ask != Ask::Call && ask != Ask::ReliableCall) continue;
      const Meeting met = meeting(answer);
      if (met.behaviour == "auto" && out_.answering_user.empty())
        out_.answering_user = answer.question().user;
      if (ask == Ask::Call) {
        compare_with_known(answer.question().user, met);
        out_.users.push_back(
            {answer.question().user, met.text, {}, met.is_answered || met.has_rung});
        if (!met.behaviour.empty()) behaves[answer.question().user].push_back(met.behaviour);
      } else if (met.behaviour.starts_with("reliable")) {
        behaves[answer.question().user].push_back(met.behaviour);
        for (Patient& user : out_.users)
          if (user.user == answer.question().user) user.meets += "; with 100rel " + met.text;
      }
    }
    if (const Answer* late = find(Ask::LateOffer);
        late != nullptr && late->status() / 100 == 2 && runner::sdp_of(late->final()->message))
      behaves[late->question().user].emplace_back("late-offer");
    for (Patient& user : out_.users) user.behaves = behaves[user.user];
    write_users();
  }

  // Behaviours that a call tells apart; what else a user is said to do nobody has seen.
  void compare_with_known(const std::string& name, const Meeting& met) {
    const auto known = std::ranges::find(out_.profile.users, name, &scenarios::ProfileUser::name);
    if (known == out_.profile.users.end() || met.behaviour.empty()) return;
    for (const std::string& behaviour : known->behaves) {
      if (std::ranges::find(known->behaves, met.behaviour) != known->behaves.end()) return;
      if (is_seen_in_calls(behaviour))
        return add("user " + reports::printable(name), "said to behave as " + behaviour, met.text,
                   "it behaves as " + met.behaviour);
    }
  }

  // A behaviour has one user in a profile: that of its name, else the first.
  void write_users() {
    auto& profile = out_.profile;
    std::set<std::string> taken;
    for (const auto& user : profile.users) taken.insert(user.behaves.begin(), user.behaves.end());
    const auto give = [&](const std::string& user, const std::string& behaviour) {
      if (!taken.insert(behaviour).second) return;
      const auto known = std::ranges::find(profile.users, user, &scenarios::ProfileUser::name);
      if (known != profile.users.end())
        known->behaves.push_back(behaviour);
      else
        profile.users.push_back({user, {behaviour}, {}});
    };
    for (const bool is_namesake : {true, false})
      for (const Patient& user : out_.users)
        for (const std::string& behaviour : user.behaves)
          if ((user.user == behaviour) == is_namesake) give(user.user, behaviour);
  }

  // --- what it can do

  void look_at_methods() {
    const auto allow = claimed("Allow");
    for (const std::string_view method : asked_methods) look_at_method(method, allow);
    if (answers_at_once()) {
      declare_agreed(CapabilityKind::Method, "INVITE", allow, Evidence::Has);
      if (allow && !names(allow, "INVITE"))
        add("method INVITE", claim("Allow", allow, "INVITE"), "200 OK",
            "it is understood, and Allow does not name it", Clause{3261, "20.5", Level::Must});
    }
    const Answer* unknown = find(Ask::Method, unknown_method);
    if (unknown == nullptr) return;
    const int status = unknown->status();
    const bool has_allow =
        status != 0 && runner::header_lines(unknown->final()->message, "Allow") > 0;
    std::string difference;
    Clause clause{3261, "21.5.2", Level::Stated};
    if (status == 405 && !has_allow) {
      difference = "405 without Allow";
      clause = {3261, "8.2.1", Level::Must};
    } else if (status != 405 && status != 501 &&
               std::ranges::find(who_is_refused, status) == who_is_refused.end()) {
      difference = "405 or 501 is the answer to a method that is not known";
    }
    add("an unknown method", "", unknown->outcome() + (has_allow ? " with Allow" : ""), difference,
        clause);
  }

  void look_at_method(std::string_view method,
                      const std::optional<std::vector<std::string>>& allow) {
    const Answer* outside = find(Ask::Method, method);
    if (outside == nullptr) return;
    const Answer* inside = method == "INFO" ? find(Ask::Info) : find(Ask::MethodInCall, method);
    if (inside != nullptr && inside->final() == nullptr) inside = nullptr;
    const Answer& best = inside != nullptr ? *inside : *outside;
    Evidence evidence = evidence_of(best.status());
    const bool is_named = names(allow, method);
    if (evidence == Evidence::Lacks && is_named && inside == nullptr && lives_in_dialogs(method))
      evidence = Evidence::None;
    std::string difference;
    Clause clause{3261, "20.5", Level::Stated};
    if (evidence == Evidence::Has && allow && !is_named) {
      difference = "it is understood, and Allow does not name it";
      clause.level = Level::Must;
    } else if (evidence == Evidence::Lacks && is_named) {
      difference = "Allow names it, and it is refused";
    } else if (best.status() == 0 && is_named) {
      difference = "Allow names it, and it is not answered";
    }
    add(fmt::format("method {}", method), claim("Allow", allow, method),
        best.outcome() + (inside != nullptr ? " in a call" : ""), difference, clause);
    declare_agreed(CapabilityKind::Method, method, allow, evidence);
  }

  void declare_agreed(CapabilityKind kind, std::string_view word,
                      const std::optional<std::vector<std::string>>& list, Evidence evidence) {
    const bool is_named = names(list, word);
    if (evidence == Evidence::Lacks && !is_named) declare(kind, word, false);
    if ((evidence == Evidence::Has && (is_named || !list)) ||
        (evidence == Evidence::Weak && is_named))
      declare(kind, word, true);
  }

  // 420 to what it does not know; else its answers to what it may know say nothing.
  void look_at_extensions() {
    const auto supported = claimed("Supported");
    const Answer* unknown = find(Ask::Extension, unknown_word);
    if (unknown != nullptr)
      add("an unknown extension that is required", "", unknown->outcome(),
          unknown->status() / 100 == 2 ? "420 is due" : "", Clause{3261, "8.2.2.3", Level::Must});
    const bool is_honest = unknown != nullptr && unknown->status() == 420;
    for (const std::string_view tag : asked_extensions) {
      const Answer* answer = find(Ask::Extension, tag);
      if (answer == nullptr) continue;
      const Evidence evidence = answer->status() == 420                    ? Evidence::Lacks
                                : is_honest && answer->status() / 100 == 2 ? Evidence::Has
                                                                           : Evidence::None;
      look_at_extension(tag, supported, answer->outcome(), evidence);
    }
    if (const Answer* reliable = find(Ask::RequiresReliable))
      look_at_extension("100rel", supported, meeting(*reliable).text,
                        evidence_of_100rel(*reliable));
  }

  static Evidence evidence_of_100rel(const Answer& answer) {
    const bool is_reliable = std::ranges::any_of(answer.spoken(), [](const Spoken& one) {
      return one.is_from_sut && one.message.is_response() && one.message.status() < 200 &&
             one.message.has(HeaderId::RSeq);
    });
    if (answer.status() == 420) return Evidence::Lacks;
    return is_reliable                  ? Evidence::Has
           : answer.status() / 100 == 2 ? Evidence::Weak
                                        : Evidence::None;
  }

  void look_at_extension(std::string_view tag,
                         const std::optional<std::vector<std::string>>& supported,
                         std::string behaviour, Evidence evidence) {
    std::string difference;
    if (evidence == Evidence::Has && supported && !names(supported, tag))
      difference = "it is understood, and Supported does not name it";
    if (evidence == Evidence::Lacks && names(supported, tag))
      difference = "Supported names it, and it is refused";
    add(fmt::format("extension {}", tag), claim("Supported", supported, tag), std::move(behaviour),
        difference, Clause{3261, "20.37", Level::Stated});
    declare_agreed(CapabilityKind::Extension, tag, supported, evidence);
  }

  void look_at_packages() {
    const auto events = claimed("Allow-Events");
    for (const Answer& answer : answers_) {
      if (answer.question().ask != Ask::EventPackage) continue;
      const std::string& package = answer.question().subject;
      const int status = answer.status();
      const Evidence evidence = status == 489       ? Evidence::Lacks
                                : status / 100 == 2 ? Evidence::Has
                                                    : Evidence::None;
      std::string difference;
      if (evidence == Evidence::Lacks && names(events, package))
        difference = "Allow-Events names it, and it is refused";
      if (evidence == Evidence::Has && events && !names(events, package))
        difference = "it is served, and Allow-Events does not name it";
      add("event package " + package, claim("Allow-Events", events, package), answer.outcome(),
          difference, Clause{6665, "8.2.2", Level::Stated});
      declare_agreed(CapabilityKind::EventPackage, package, events, evidence);
    }
    out_.claimed_packages = events.value_or(std::vector<std::string>{});
    const auto infos = claimed("Recv-Info");
    out_.claimed_info_packages = infos.value_or(std::vector<std::string>{});
    for (const Answer& answer : answers_) {
      if (answer.question().ask != Ask::Info || answer.question().subject == unknown_word) continue;
      const std::string& package = answer.question().subject;
      const int status = answer.status();
      add("Info Package " + package, claim("Recv-Info", infos, package), answer.outcome(),
          status == 469 ? "Recv-Info names it, and it is refused" : "",
          Clause{6086, "4.2.2", Level::Stated});
      if (status / 100 == 2) declare(CapabilityKind::InfoPackage, package, true);
    }
  }

  // --- how it behaves in calls

  bool answers_at_once() const { return !out_.answering_user.empty(); }

  void look_at_call_rules() {
    look_at_cancel();
    if (const Answer* late = find(Ask::LateOffer)) {
      const bool is_answered = late->status() / 100 == 2;
      const bool has_offer = is_answered && runner::sdp_of(late->final()->message).has_value();
      add("an INVITE without SDP", "", late->outcome() + (has_offer ? " with an offer" : ""),
          is_answered && !has_offer ? "the offer is due in the 2xx" : "",
          Clause{3261, "13.2.1", Level::Must});
    }
    if (const Answer* reinvite = find(Ask::Reinvite))
      add("a re-INVITE with the same streams", "", reinvite->outcome());
    look_at_timer();
    look_at_repeats();
  }

  void look_at_cancel() {
    for (const Answer& answer : answers_) {
      const Spoken* cancelled = answer.final("CANCEL");
      if (answer.question().ask != Ask::Call || cancelled == nullptr) continue;
      const Spoken* invite = answer.final("INVITE");
      const int status = invite == nullptr ? 0 : invite->message.status();
      std::string difference;
      if (cancelled->message.status() / 100 != 2)
        difference = "a CANCEL that matches is answered 200";
      else if (status != 487)
        difference = "the INVITE is answered 487";
      add("CANCEL of a call to " + reports::printable(answer.question().user), "",
          fmt::format("{}, then {} to the INVITE", describe_response(cancelled->message),
                      status == 0 ? "nothing" : describe_response(invite->message)),
          difference, Clause{3261, "9.2", Level::Should});
      return;
    }
  }

  void look_at_timer() {
    const Answer* timer = find(Ask::SessionTimer);
    if (timer == nullptr || timer->status() / 100 != 2) return;
    const auto expires = runner::header_values(timer->final()->message, "Session-Expires");
    const auto supported = claimed("Supported");
    add("a session timer that is asked for", claim("Supported", supported, "timer"),
        expires.empty() ? "200 without Session-Expires"
                        : "Session-Expires: " + reports::printable(expires.front()),
        expires.empty() && names(supported, "timer")
            ? "Supported names timer, and the 2xx grants none"
            : "",
        Clause{4028, "9", Level::Stated});
  }

  void look_at_repeats() {
    const Answer* repeats = find(Ask::Repeats);
    if (repeats == nullptr || repeats->status() / 100 != 2) return;
    std::vector<Instant> copies;
    for (const Spoken& one : repeats->spoken()) {
      if (!one.is_from_sut && one.message.method() == Method::Ack) break;
      if (one.is_from_sut && one.message.is_response() && one.message.status() / 100 == 2)
        copies.push_back(one.at);
    }
    std::string text;
    for (std::size_t i = 1; i < copies.size(); ++i)
      text += fmt::format("{}{}", text.empty() ? "repeated after " : ", ",
                          (copies[i] - copies[i - 1]) / 1ms);
    add("a 2xx that is not acknowledged", "", text.empty() ? "not repeated" : text + " ms",
        text.empty() ? "it is repeated until the ACK comes" : "",
        Clause{3261, "13.3.1.4", Level::Must});
    if (copies.size() < 2 || out_.profile.t1) return;
    // RFC 3261 13.3.1.4: the first interval is T1. A stack that keeps to 500 ms need not say so.
    const Duration first = copies[1] - copies[0];
    const Duration rounded = std::max<Duration>(first / 10ms * 10ms, 10ms);
    if (first < default_t1 / 2 || first > 2 * default_t1) out_.profile.t1 = rounded;
  }

  void find_roles() {
    using runner::SutRole;
    auto& roles = out_.profile.roles;
    const bool is_agent = std::ranges::any_of(out_.users, [](const Patient& user) {
      return std::ranges::any_of(user.behaves, [](const std::string& behaviour) {
        return behaviour == "auto" || behaviour == "ring" || behaviour == "slow" ||
               behaviour == "busy" || behaviour == "decline";
      });
    });
    const bool redirects = std::ranges::any_of(out_.users, [](const Patient& user) {
      return std::ranges::find(user.behaves, "redirect") != user.behaves.end();
    });
    const Answer* fetch = find(Ask::Method, "REGISTER");
    const bool registers = fetch != nullptr && fetch->status() / 100 == 2;
    const Answer* hops = find(Ask::Hops);
    const bool passes_on = hops != nullptr && hops->status() == 483;
    // RFC 3261 6: a user agent is both.
    if (is_agent) roles.insert({SutRole::Uas, SutRole::Uac});
    if (registers) roles.insert(SutRole::Registrar);
    if (redirects) roles.insert(SutRole::Redirect);
    if (passes_on) roles.insert(SutRole::Proxy);
    add("bindings that are asked for (REGISTER)", "", fetch == nullptr ? "" : fetch->outcome());
    add("a request for elsewhere without hops left", "", hops == nullptr ? "" : hops->outcome());
  }

  std::vector<Answer> answers_;
  Diagnosis out_;
};

}  // namespace

std::size_t Diagnosis::violations() const {
  return static_cast<std::size_t>(std::ranges::count_if(symptoms, [](const Symptom& one) {
    return one.clause && (one.clause->level == Level::Must || one.clause->level == Level::MustNot);
  }));
}

std::size_t Diagnosis::differences() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(symptoms, [](const Symptom& one) { return !one.difference.empty(); }));
}

Diagnosis diagnose(const std::vector<Question>& questions,
                   const std::vector<runner::CaseResult>& results,
                   const std::vector<AskedAddress>& addresses, const scenarios::Profile& known) {
  return Diagnostician(questions, results).run(addresses, known);
}

}  // namespace sipassay::tools
