// sipassay doctor: what is this SUT, what does it claim, what does it do?
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/agent/behaviour.h"
#include "engine/message/header/all.h"
#include "reports/escape.h"
#include "reports/totals.h"
#include "tools/commands.h"
#include "tools/doctor_answer.h"
#include "tools/doctor_diagnosis.h"
#include "tools/doctor_questions.h"
#include "tools/doctor_report.h"
#include "tools/files.h"
#include "tools/interrupt.h"
#include "tools/live.h"
#include "tools/outputs.h"
#include "tools/run_options.h"

namespace sipassay::tools {
namespace {

using runner::CaseResult;

// Users that are called when nobody names any: what test programs call theirs.
constexpr std::string_view usual_users[] = {"auto",   "ring",     "slow",   "busy",  "decline",
                                            "silent", "redirect", "nobody", "digest"};
constexpr unsigned default_jobs = 4;

class Doctor {
 public:
  Doctor(RunOptions options, std::vector<std::string> users)
      : options_(std::move(options)),
        users_(std::move(users)),
        known_(options_.profile.value_or(scenarios::Profile{})),
        named_(options_.sut.size()),
        hub_({.limits = {}, .keeps_octets = true}) {
    known_.domain = options_.domain;
    known_.login = options_.login;
    options_.knows_all_users = false;  // who is called is part of the question
    add_known_users();
    add_guesses();
    sut_.emplace(hub_, options_);
  }

  // Nothing when the SUT could not be asked; complaint() says why.
  std::optional<Diagnosis> examine();
  const std::string& complaint() const { return sut_->complaint(); }

 private:
  void add_known_users();
  void add_guesses();
  void first_round();
  void second_round(const Diagnosis& so_far);
  void questions_in_calls(const Diagnosis& so_far);
  void ask_all();
  std::vector<CaseResult> ask(std::vector<Question>& questions, unsigned jobs);
  void put(Ask ask, std::string subject = {}, std::string user = {});
  Diagnosis diagnosis() const;
  bool has_asked(Ask ask, std::string_view subject) const;

  RunOptions options_;
  std::vector<std::string> users_;
  scenarios::Profile known_;
  std::size_t named_;  // so many of the addresses were named
  transport::Hub hub_;
  std::optional<LiveSut> sut_;
  std::vector<Question> questions_;
  std::vector<CaseResult> results_;  // of the first questions
};

// What --user says; what the profile says of the same behaviour gives way.
void Doctor::add_known_users() {
  auto& users = known_.users;
  for (const auto& [behaviour, name] : options_.users) {
    for (auto& user : users)
      if (user.name != name) std::erase(user.behaves, behaviour);
    const auto user = std::ranges::find(users, name, &scenarios::ProfileUser::name);
    if (user == users.end())
      users.push_back({name, {behaviour}, {}});
    else if (std::ranges::find(user->behaves, behaviour) == user->behaves.end())
      user->behaves.push_back(behaviour);
  }
  std::erase_if(users, [](const auto& user) { return user.behaves.empty(); });
}

// RFC 3261 18.2.1: who listens on UDP listens on TCP at the same port; the converse need not hold.
void Doctor::add_guesses() {
  const auto has = [this](Transport transport) {
    return std::ranges::find(options_.sut, transport, &Endpoint::transport) != options_.sut.end();
  };
  for (const auto& [named, guessed] :
       {std::pair(Transport::Udp, Transport::Tcp), std::pair(Transport::Tcp, Transport::Udp)}) {
    if (!has(named) || has(guessed)) continue;
    Endpoint guess = *std::ranges::find(options_.sut, named, &Endpoint::transport);
    guess.transport = guessed;
    options_.sut.push_back(guess);
  }
}

std::optional<Diagnosis> Doctor::examine() {
  if (!sut_->find()) return std::nullopt;
  first_round();
  ask_all();
  second_round(diagnosis());
  ask_all();
  sut_->stop();
  return diagnosis();
}

void Doctor::put(Ask ask, std::string subject, std::string user) {
  questions_.push_back(
      question(ask, std::move(subject), std::move(user), questions_.size() + 1, options_.domain));
  // A name that no behaviour has.
  Question& one = questions_.back();
  one.the_case.user = "user:" + one.user;
  options_.users[one.the_case.user] = one.user;
  for (const scenarios::ProfileUser& known : known_.users)
    if (known.name == one.user && known.login) options_.logins[one.the_case.user] = *known.login;
  if (ask == Ask::Datagram) one.the_case.transports = {Transport::Udp};
}

bool Doctor::has_asked(Ask ask, std::string_view subject) const {
  return std::ranges::any_of(
      questions_, [&](const Question& one) { return one.ask == ask && one.subject == subject; });
}

void Doctor::first_round() {
  put(Ask::Options);
  put(Ask::Hops);
  const bool has_udp = std::ranges::any_of(sut_->addresses(), [](const auto& one) {
    return one.sut.transport == Transport::Udp && one.complaint.empty();
  });
  if (has_udp) put(Ask::Datagram);
  for (const std::string& user : users_) put(Ask::Call, {}, user);
}

void Doctor::second_round(const Diagnosis& so_far) {
  // Who rings is there; the SUT itself, if nobody is.
  std::string user = so_far.answering_user;
  const auto there = std::ranges::find_if(so_far.users, &Patient::takes_calls);
  if (user.empty() && there != so_far.users.end()) user = there->user;
  // Its users may be known where the SUT itself is not.
  if (!user.empty()) put(Ask::Options, {}, user);
  put(Ask::Method, std::string(unknown_method), user);
  for (const std::string_view method : asked_methods) put(Ask::Method, std::string(method), user);
  put(Ask::Extension, std::string(unknown_word), user);
  for (const std::string_view tag : asked_extensions) put(Ask::Extension, std::string(tag), user);
  for (const std::string_view package : asked_packages)
    put(Ask::EventPackage, std::string(package), user);
  for (const std::string& package : so_far.claimed_packages)
    if (!has_asked(Ask::EventPackage, package)) put(Ask::EventPackage, package, user);
  for (const Patient& one : so_far.users)
    if (one.takes_calls) put(Ask::ReliableCall, {}, one.user);
  if (!so_far.answering_user.empty()) questions_in_calls(so_far);
}

void Doctor::questions_in_calls(const Diagnosis& so_far) {
  const std::string& user = so_far.answering_user;
  for (const Ask ask :
       {Ask::RequiresReliable, Ask::LateOffer, Ask::Reinvite, Ask::SessionTimer, Ask::Repeats})
    put(ask, {}, user);
  for (const std::string_view method : methods_asked_in_calls)
    put(Ask::MethodInCall, std::string(method), user);
  put(Ask::Info, std::string(unknown_word), user);
  for (const std::string& package : so_far.claimed_info_packages)
    if (!has_asked(Ask::Info, package)) put(Ask::Info, package, user);
}

// A user may be said to be busy because of our other calls: asked again when there are none.
bool has_found_lines_taken(const Question& question, const CaseResult& result) {
  const Answer answer(question, result);
  return std::ranges::any_of(answer.spoken(), [](const Spoken& one) {
    const int status = one.message.status();
    return one.is_from_sut && (status == 486 || status == 503 || status == 600);
  });
}

void Doctor::ask_all() {
  std::vector<Question> fresh(questions_.begin() + static_cast<std::ptrdiff_t>(results_.size()),
                              questions_.end());
  std::vector<CaseResult> results = ask(fresh, options_.jobs);
  std::vector<std::size_t> again;
  std::vector<Question> alone;
  for (std::size_t i = 0; i < results.size(); ++i)
    if (options_.jobs > 1 && has_found_lines_taken(fresh[i], results[i])) {
      again.push_back(i);
      alone.push_back(fresh[i]);
    }
  ++options_.seed;  // they are no retransmissions
  std::vector<CaseResult> second = ask(alone, 1);
  for (std::size_t i = 0; i < second.size(); ++i) results[again[i]] = std::move(second[i]);
  std::ranges::move(results, std::back_inserter(results_));
}

std::vector<CaseResult> Doctor::ask(std::vector<Question>& questions, unsigned jobs) {
  if (questions.empty() || is_interrupted()) return {};
  std::vector<runner::Case> cases;
  for (const Question& one : questions) cases.push_back(one.the_case);
  RunOptions options = options_;
  options.jobs = jobs;
  // What it has is asked here: nothing is taken for granted.
  if (options.profile) {
    options.profile->declared.clear();
    options.profile->roles.clear();
  }
  Progress progress(cases.size(), isatty(STDERR_FILENO) == 1);
  return run_live_cases(hub_, *sut_, cases, options, progress);
}

Diagnosis Doctor::diagnosis() const {
  std::vector<AskedAddress> addresses;
  for (std::size_t i = 0; i < options_.sut.size(); ++i)
    addresses.push_back({options_.sut[i], sut_->addresses()[i].complaint, i >= named_});
  return diagnose(questions_, results_, addresses, known_);
}

std::vector<std::string> users_to_ask(const po::variables_map& values, const RunOptions& options) {
  std::vector<std::string> out;
  const auto put = [&out](std::string user) {
    if (std::ranges::find(out, user) == out.end()) out.push_back(std::move(user));
  };
  for (const auto& [behaviour, user] : options.users) put(user);
  bool asks_all = false;
  for (const std::string& user : texts(values, "ask")) {
    if (user == "all")
      asks_all = true;
    else
      put(user);
  }
  if (asks_all)
    for (const agent::Behaviour& row : agent::behaviours()) put(std::string(row.user));
  if (out.empty())
    for (const std::string_view user : usual_users) put(std::string(user));
  return out;
}

// Its commands run where they ran before, wherever the file is.
scenarios::Profile moved_to(const std::string& file, scenarios::Profile profile) {
  namespace fs = std::filesystem;
  profile.file = fs::absolute(file).string();
  const auto fix = [](std::optional<scenarios::Command>& command) {
    if (command) command->directory = fs::absolute(command->directory).lexically_normal().string();
  };
  fix(profile.start);
  fix(profile.reset);
  fix(profile.trigger);
  if (profile.stop) fix(profile.stop->command);
  return profile;
}

}  // namespace

int doctor(const Arguments& arguments) {
  po::options_description options;
  add_sut_options(options);
  const auto text_value = [](const char* name) {
    return po::value<std::string>()->value_name(name);
  };
  auto add = options.add_options();
  add("ask", po::value<std::vector<std::string>>()->composing()->value_name("USER"),
      "a user of the SUT to call, to see what a caller meets; may be repeated. Default: those of "
      "--profile and --user, else a few usual names. \"all\": every name that sipassay ua knows");
  add("jobs", text_value("N"), "questions side by side (default 4)");
  add("seed", text_value("N"), "source of all tags, branches and Call-IDs");
  add("report", po::value<std::vector<std::string>>()->composing()->value_name("NAME[=FILE]"),
      "text (default) or json, any number of times; without FILE it goes to standard output");
  add("write", text_value("FILE"), "write the profile that the answers amount to");
  const auto values =
      parse({"doctor", "",
             "Asks a live SUT what it is and claims, and tries whether it is so: OPTIONS, every "
             "method, extensions,\nevent packages, calls to some users, CANCEL, reliable "
             "responses, re-INVITE, UPDATE, transports. Every call\nis ended. Exit status: 0 no "
             "difference to a MUST, 1 there is one or the SUT died, 2 the SUT does not answer."},
            arguments, options);
  if (!values) return reports::exit_as_expected;
  catch_interrupts();
  RunOptions wanted = run_options(*values);
  if (!wanted.is_live()) throw UsageError{"doctor takes --sut ADDRESS or --profile FILE"};
  if (values->count("jobs") == 0) wanted.jobs = default_jobs;
  // The user auto is a guess until somebody has named or called it.
  if (values->count("user") == 0 && (!wanted.profile || wanted.profile->users.empty()))
    wanted.users.clear();
  const auto where = report_wishes(*values, {"text", "json"});
  const std::string file = text(*values, "write");
  if (!file.empty()) check_writable(file);

  transport::allow_many_sockets();
  const auto users = users_to_ask(*values, wanted);
  Doctor doctor(wanted, users);
  auto diagnosis = doctor.examine();
  if (!diagnosis || is_interrupted()) {
    fmt::print(stderr, "sipassay: {}\n", is_interrupted() ? "interrupted" : doctor.complaint());
    return reports::exit_error;
  }
  for (const ReportWish& wish : where)
    write_report(wish.file,
                 wish.name == "json"
                     ? diagnosis_json(*diagnosis)
                     : diagnosis_text(*diagnosis, wish.file.empty() && has_colours(STDOUT_FILENO)));
  if (!file.empty()) write_file(file, to_xml(moved_to(file, std::move(diagnosis->profile))));
  return diagnosis->violations() > 0 || !diagnosis->death.empty() ? reports::exit_failed
                                                                  : reports::exit_as_expected;
}

}  // namespace sipassay::tools
