#include "scenarios/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>

#include "engine/base/ascii.h"
#include "scenarios/element.h"
#include "scenarios/source.h"

namespace sipassay::scenarios {
namespace {

using runner::CapabilityKind;

constexpr std::string_view profile_namespace = "urn:sipassay:profile:1";
constexpr std::string_view role_words[] = {"uas", "uac", "proxy", "registrar", "redirect"};
constexpr Duration command_time_max = 10min;

struct CapabilityElement {
  std::string_view name;
  CapabilityKind kind;
};
constexpr CapabilityElement capability_elements[] = {
    {"methods", CapabilityKind::Method},
    {"extensions", CapabilityKind::Extension},
    {"event-packages", CapabilityKind::EventPackage},
    {"info-packages", CapabilityKind::InfoPackage},
    {"body-types", CapabilityKind::BodyType},
};

// What a command's texts may name; for_address() puts it in.
const Parameters& address_parameters() {
  static const Parameters parameters{
      {"host", "${host}"}, {"port", "${port}"}, {"transport", "${transport}"}};
  return parameters;
}

class ProfileReader {
 public:
  ProfileReader(const Source& source, const std::string& file, Problems& problems)
      : source_(source), problems_(problems) {
    out_.file = file;
  }

  Profile read(pugi::xml_node node) {
    Element root(node, {source_, problems_, parameters_, names_});
    if (root.name() != "profile" || root.text_or("xmlns", "") != profile_namespace) {
      root.wrong(fmt::format("<profile xmlns=\"{}\">", profile_namespace),
                 fmt::format("<{}>", root.name()));
      return std::move(out_);
    }
    out_.name = plain_value(root, "name", true);
    out_.domain = plain_value(root, "domain", false);
    for (const std::string& word : words(root, "roles")) {
      const auto role = std::ranges::find(role_words, word);
      if (role == std::end(role_words))
        root.wrong("roles", one_of(role_words), fmt::format("\"{}\"", word));
      else
        out_.roles.insert(static_cast<runner::SutRole>(role - std::begin(role_words)));
    }
    root.done();
    for (Element& child : root.children()) one(child);
    if (out_.addresses.empty()) root.wrong("an <address>", "none");
    if (out_.stop && !out_.start) root.wrong("<start> where there is <stop>", "none");
    return std::move(out_);
  }

 private:
  struct Row;
  void one(Element& element);

  // --- values

  std::optional<std::string> value(Element& element, std::string_view name, bool is_required) {
    auto text = is_required ? element.required(name) : element.text(name);
    if (!text) return std::nullopt;
    if (text->empty() || text->size() > profile_value_max) {
      element.wrong(name, fmt::format("1 to {} octets", profile_value_max),
                    fmt::format("{}", text->size()));
      return std::nullopt;
    }
    // What ends up in a line of a message or of a process must not end that line.
    const auto control = std::ranges::find_if(
        *text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (control == text->end()) return text;
    element.wrong(name, "text without control characters",
                  fmt::format("octet 0x{:02x}", static_cast<unsigned char>(*control)));
    return std::nullopt;
  }

  // "$${" is a plain "${" where no address is put in.
  static std::string plain(std::string text) {
    for (std::size_t at = 0; (at = text.find("$${", at)) != std::string::npos; ++at)
      text.erase(at, 1);
    return text;
  }

  std::string plain_value(Element& element, std::string_view name, bool is_required) {
    return plain(value(element, name, is_required).value_or(""));
  }

  std::vector<std::string> words(Element& element, std::string_view name) {
    auto out = element.words(name);
    if (out.size() > profile_words_max) {
      element.wrong(name, fmt::format("at most {} words", profile_words_max),
                    fmt::format("{}", out.size()));
      out.resize(profile_words_max);
    }
    for (const std::string& word : out)
      if (word.size() > profile_value_max) {
        element.wrong(name, fmt::format("words of at most {} octets", profile_value_max),
                      fmt::format("{}", word.size()));
        return {};
      }
    return out;
  }

  std::optional<Duration> time(Element& element, std::string_view name, Duration low,
                               Duration high) {
    const auto span = element.span(name);
    if (!span) return std::nullopt;
    if (span->t1_multiple == 0 && span->fixed >= low && span->fixed <= high) return span->fixed;
    element.wrong(name, fmt::format("a time from {} ms to {} s", low / 1ms, high / 1s),
                  fmt::format("\"{}\"", element.text_or(name, "")));
    return std::nullopt;
  }

  std::optional<runner::Login> credentials(Element& element, std::string_view user_name,
                                           bool is_required) {
    const auto user = value(element, user_name, is_required);
    const auto password = element.text("password");
    if (!user && !password) return std::nullopt;
    if (!user || !password) {
      if (is_required || user.has_value() != password.has_value())
        element.wrong(fmt::format("attributes {} and password", user_name),
                      fmt::format("only one of them"));
      return std::nullopt;
    }
    return runner::Login{plain(*user), plain(*password)};
  }

  // --- elements

  void note(Element& element) { out_.note = plain(element.sentence()); }

  void address(Element& element) {
    const auto written = value(element, "at", true);
    element.is_empty();
    if (!written) return;
    const auto endpoint = endpoint_from(*written);
    if (!endpoint)
      return element.wrong("at", "an address such as udp:127.0.0.1:5060 or tcp:[::1]:5060",
                           fmt::format("\"{}\"", *written));
    const bool is_known = std::ranges::any_of(out_.addresses, [&](const Endpoint& other) {
      return other.transport == endpoint->transport;
    });
    if (is_known)
      return element.wrong("at", "one address a transport",
                           fmt::format("a second one for {}", to_string(endpoint->transport)));
    out_.addresses.push_back(*endpoint);
  }

  void user(Element& element) {
    element.is_empty();
    ProfileUser one;
    one.behaves = words(element, "behaves");
    const bool is_every = one.behaves == std::vector<std::string>{"all"};
    one.name = plain_value(element, "name", !is_every);
    one.login = credentials(element, "login", false);
    if (one.behaves.empty())
      return element.wrong("behaves", "the behaviours that a caller meets: auto, ring, busy",
                           "none");
    if (is_every && one.name.empty()) {
      out_.has_every_behaviour = true;
      return;
    }
    for (const std::string& behaviour : one.behaves)
      if (behaviour == "all" || !behaviours_.insert(behaviour).second)
        element.wrong("behaves",
                      behaviour == "all" ? "all alone, without a name" : "each behaviour once",
                      fmt::format("\"{}\"", behaviour));
    if (out_.users.size() == profile_users_max)
      return element.wrong(fmt::format("at most {} users", profile_users_max), "more");
    out_.users.push_back(std::move(one));
  }

  void login(Element& element) {
    element.is_empty();
    out_.login = credentials(element, "user", true);
  }

  void capabilities(Element& element) {
    element.is_empty();
    const auto kind =
        std::ranges::find(capability_elements, element.name(), &CapabilityElement::name)->kind;
    for (const auto& [name, has] : {std::pair("has", true), std::pair("lacks", false)})
      for (std::string& word : words(element, name)) {
        if (kind == CapabilityKind::Extension || kind == CapabilityKind::BodyType)
          word = ascii::to_lower(word);
        if (!out_.declared.try_emplace({kind, word}, has).second)
          element.wrong(name, "each word once", fmt::format("\"{}\" again", word));
      }
  }

  void run(Element& element) {
    element.is_empty();
    out_.t1 = time(element, "t1", 1ms, 60s);
    out_.timeout = time(element, "timeout", 10ms, 3600s);
    out_.tolerance = time(element, "tolerance", 1ms, 10s);
    if (const auto jobs = element.number("jobs", 1, profile_jobs_max))
      out_.jobs = static_cast<unsigned>(*jobs);
  }

  void start(Element& element) { out_.start = command(element); }
  void reset(Element& element) { out_.reset = command(element); }
  void trigger(Element& element) { out_.trigger = command(element); }

  void stop(Element& element) {
    Stop stop;
    if (element.has("command")) {
      if (element.has("signal")) element.wrong("signal", "a command or a signal", "both");
      stop.command = command(element);
      if (stop.command) stop.within = stop.command->within;
      (void)element.text("signal");
    } else {
      element.is_empty();
      if (const auto signal = element.choice("signal", stop_signals))
        stop.signal = stop_signals[*signal];
      stop.within = time(element, "within", 0ms, command_time_max).value_or(stop.within);
    }
    out_.stop = std::move(stop);
  }

  std::optional<Command> command(Element& element) {
    Command out;
    const auto program = value(element, "command", true);
    out.uses_shell = element.flag("shell").value_or(false);
    out.directory = folder_of(value(element, "directory", false).value_or("."));
    out.within = time(element, "within", 1ms, command_time_max).value_or(out.within);
    if (program) out.arguments.push_back(*program);
    for (Element& child : element.children()) {
      if (child.name() == "argument")
        argument(child, out);
      else if (child.name() == "environment")
        variable(child, out);
      else
        child.unknown_here(std::vector<std::string_view>{"argument", "environment"});
      child.done();
    }
    return out;
  }

  void argument(Element& element, Command& out) {
    if (out.arguments.size() > profile_arguments_max)
      return element.wrong(fmt::format("at most {} arguments", profile_arguments_max), "more");
    std::string text = element.content();
    if (text.size() > profile_value_max)
      return element.wrong(fmt::format("at most {} octets", profile_value_max),
                           fmt::format("{}", text.size()));
    out.arguments.push_back(std::move(text));
  }

  void variable(Element& element, Command& out) {
    element.is_empty();
    const auto name = value(element, "name", true);
    const std::string text = element.text_or("value", "");
    if (text.size() > profile_value_max)
      element.wrong("value", fmt::format("at most {} octets", profile_value_max),
                    fmt::format("{}", text.size()));
    if (!name) return;
    if (name->find('=') != std::string::npos)
      return element.wrong("name", "a name without =", fmt::format("\"{}\"", *name));
    if (out.environment.size() == profile_environment_max)
      return element.wrong(fmt::format("at most {} variables", profile_environment_max), "more");
    out.environment.emplace_back(*name, text);
  }

  // "." or a path without a slash at its end.
  std::string folder_of(const std::string& directory) const {
    const auto folder = std::filesystem::path(out_.file).parent_path();
    std::string whole = (folder / directory).lexically_normal().string();
    if (whole.size() > 1 && whole.ends_with('/')) whole.pop_back();
    return whole.empty() ? "." : whole;
  }

  const Source& source_;
  Problems& problems_;
  const Parameters parameters_{};
  Names names_;
  Profile out_;
  std::set<std::string_view> seen_;
  std::set<std::string> behaviours_;
};

struct ProfileReader::Row {
  std::string_view name;
  void (ProfileReader::*read)(Element&);
  bool may_repeat = false;
  bool is_command = false;  // its texts may name the address
};

void ProfileReader::one(Element& element) {
  static constexpr Row rows[] = {
      {"note", &ProfileReader::note},
      {"address", &ProfileReader::address, true},
      {"user", &ProfileReader::user, true},
      {"login", &ProfileReader::login},
      {"methods", &ProfileReader::capabilities},
      {"extensions", &ProfileReader::capabilities},
      {"event-packages", &ProfileReader::capabilities},
      {"info-packages", &ProfileReader::capabilities},
      {"body-types", &ProfileReader::capabilities},
      {"run", &ProfileReader::run},
      {"start", &ProfileReader::start, false, true},
      {"stop", &ProfileReader::stop, false, true},
      {"reset", &ProfileReader::reset, false, true},
      {"trigger", &ProfileReader::trigger, false, true},
  };
  const auto row = std::ranges::find(rows, element.name(), &Row::name);
  if (row == std::end(rows)) {
    std::vector<std::string_view> known;
    for (const Row& each : rows) known.push_back(each.name);
    return element.unknown_here(known);
  }
  if (!seen_.insert(element.name()).second && !row->may_repeat)
    element.wrong(fmt::format("<{}> once", row->name), "another one");
  Element inside(element.node(), {source_, problems_,
                                  row->is_command ? address_parameters() : parameters_, names_});
  (this->*row->read)(inside);
  inside.done();
}

LoadedProfile read(std::string text, const std::string& file, Problems& problems) {
  Source source(file, std::move(text));
  Profile out;
  if (const auto root = source.parse(problems))
    out = ProfileReader(source, file, problems).read(*root);
  if (problems.any()) return std::unexpected(problems.take());
  return out;
}

std::string with_address(const std::string& text, const Endpoint& sut) {
  const std::pair<std::string_view, std::string> values[] = {
      {"$${", "${"},
      {"${host}", sut.host},
      {"${port}", std::to_string(sut.port)},
      {"${transport}", std::string(to_string(sut.transport))}};
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto rest = std::string_view(text).substr(at);
    const auto found = std::ranges::find_if(
        values, [&](const auto& value) { return rest.starts_with(value.first); });
    if (found == std::end(values)) {
      out += text[at++];
      continue;
    }
    out += found->second;
    at += found->first.size();
  }
  return out;
}

}  // namespace

Command for_address(Command command, const Endpoint& sut) {
  command.directory = with_address(command.directory, sut);
  for (std::string& argument : command.arguments) argument = with_address(argument, sut);
  for (auto& [name, value] : command.environment) value = with_address(value, sut);
  return command;
}

LoadedProfile read_profile(std::string_view xml, const std::string& file) {
  Problems problems;
  if (xml.size() > file_octets_max) {
    problems.add({file, 0, 0, fmt::format("at most {} octets", file_octets_max),
                  fmt::format("{}", xml.size())});
    return std::unexpected(problems.take());
  }
  return read(std::string(xml), file, problems);
}

LoadedProfile load_profile(const std::string& file) {
  Problems problems;
  auto text = read_file(file, problems);
  if (!text) return std::unexpected(problems.take());
  return read(std::move(*text), file, problems);
}

}  // namespace sipassay::scenarios
