// Profile → XML.
#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "scenarios/profile.h"

namespace sipassay::scenarios {
namespace {

using runner::CapabilityKind;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string attribute(std::string_view name, std::string_view value) {
  return fmt::format(" {}=\"{}\"", name, escaped(value));
}

// Where no address is put in, "${" is written "$${".
std::string plain(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("${")) out += '$';
    out += text[i];
  }
  return out;
}

std::string optional_attribute(std::string_view name, std::string_view value) {
  return value.empty() ? std::string() : attribute(name, value);
}

std::string time(Duration span) {
  if (span % 1s == 0us) return fmt::format("{}s", span / 1s);
  return fmt::format("{}ms", span / 1ms);
}

std::string words(const runner::Declared& declared, CapabilityKind kind, bool has) {
  std::string out;
  for (const auto& [capability, is_there] : declared)
    if (capability.kind == kind && is_there == has)
      out += (out.empty() ? "" : " ") + capability.word;
  return out;
}

class Writer {
 public:
  explicit Writer(const Profile& profile) : profile_(profile) {}

  std::string run() {
    out_ = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    std::string roles;
    for (const runner::SutRole role : profile_.roles)
      roles += fmt::format("{}{}", roles.empty() ? "" : " ", to_string(role));
    out_ += "<profile xmlns=\"urn:sipassay:profile:1\"" + attribute("name", plain(profile_.name)) +
            optional_attribute("roles", roles) +
            optional_attribute("domain", plain(profile_.domain)) + ">\n";
    if (!profile_.note.empty())
      out_ += fmt::format("  <note>{}</note>\n", escaped(plain(profile_.note)));
    for (const Endpoint& address : profile_.addresses)
      line("address", attribute("at", to_string(address)));
    users();
    capabilities();
    run_settings();
    if (profile_.start) command("start", *profile_.start);
    if (profile_.stop) stop();
    if (profile_.reset) command("reset", *profile_.reset);
    if (profile_.trigger) command("trigger", *profile_.trigger);
    return out_ + "</profile>\n";
  }

 private:
  void line(std::string_view name, std::string_view attributes) {
    out_ += fmt::format("  <{}{}/>\n", name, attributes);
  }

  void users() {
    if (profile_.has_every_behaviour) line("user", attribute("behaves", "all"));
    for (const ProfileUser& user : profile_.users) {
      std::string behaves;
      for (const std::string& one : user.behaves) behaves += (behaves.empty() ? "" : " ") + one;
      std::string login;
      if (user.login)
        login = attribute("login", plain(user.login->user)) +
                attribute("password", plain(user.login->password));
      line("user", attribute("name", plain(user.name)) + attribute("behaves", behaves) + login);
    }
    if (profile_.login)
      line("login", attribute("user", plain(profile_.login->user)) +
                        attribute("password", plain(profile_.login->password)));
  }

  void capabilities() {
    for (const auto& [name, kind] : {std::pair("methods", CapabilityKind::Method),
                                     std::pair("extensions", CapabilityKind::Extension),
                                     std::pair("event-packages", CapabilityKind::EventPackage),
                                     std::pair("info-packages", CapabilityKind::InfoPackage),
                                     std::pair("body-types", CapabilityKind::BodyType)}) {
      const std::string attributes =
          optional_attribute("has", words(profile_.declared, kind, true)) +
          optional_attribute("lacks", words(profile_.declared, kind, false));
      if (!attributes.empty()) line(name, attributes);
    }
  }

  void run_settings() {
    std::string attributes;
    if (profile_.t1) attributes += attribute("t1", time(*profile_.t1));
    if (profile_.jobs) attributes += attribute("jobs", std::to_string(*profile_.jobs));
    if (profile_.timeout) attributes += attribute("timeout", time(*profile_.timeout));
    if (!attributes.empty()) line("run", attributes);
  }

  void stop() {
    if (profile_.stop->command) return command("stop", *profile_.stop->command);
    line("stop", attribute("signal", profile_.stop->signal) +
                     attribute("within", time(profile_.stop->within)));
  }

  // As the reader puts it together.
  std::string directory_of(const Command& command) const {
    const std::filesystem::path whole(command.directory);
    const auto folder = std::filesystem::path(profile_.file).parent_path().lexically_normal();
    if (whole.is_absolute() != folder.is_absolute()) return command.directory;
    return whole.lexically_relative(folder.empty() ? "." : folder).string();
  }

  void command(std::string_view name, const Command& command) {
    const std::string directory = directory_of(command);
    out_ += fmt::format("  <{}{}{}{}{}", name, attribute("command", command.arguments.front()),
                        command.uses_shell ? attribute("shell", "yes") : "",
                        directory == "." ? "" : optional_attribute("directory", directory),
                        attribute("within", time(command.within)));
    if (command.arguments.size() == 1 && command.environment.empty()) {
      out_ += "/>\n";
      return;
    }
    out_ += ">\n";
    for (std::size_t i = 1; i < command.arguments.size(); ++i)
      out_ += fmt::format("    <argument>{}</argument>\n", escaped(command.arguments[i]));
    for (const auto& [variable, value] : command.environment)
      out_ += fmt::format("    <environment{}{}/>\n", attribute("name", variable),
                          attribute("value", value));
    out_ += fmt::format("  </{}>\n", name);
  }

  const Profile& profile_;
  std::string out_;
};

}  // namespace

std::string to_xml(const Profile& profile) {
  return Writer(profile).run();
}

}  // namespace sipassay::scenarios
