// Profile → XML.
#include <fmt/format.h>

#include <filesystem>
#include <pugixml.hpp>
#include <sstream>
#include <string>
#include <string_view>

#include "scenarios/profile.h"

namespace sipassay::scenarios {
namespace {

using runner::CapabilityKind;

// Where no address is put in, "${" is written "$${".
std::string plain(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("${")) out += '$';
    out += text[i];
  }
  return out;
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

void set(pugi::xml_node node, const char* name, const std::string& value) {
  node.append_attribute(name).set_value(value.c_str());
}

void set_if_any(pugi::xml_node node, const char* name, const std::string& value) {
  if (!value.empty()) set(node, name, value);
}

// A reader drops blanks that are all the text of an element, but for those of a CDATA section.
void set_text(pugi::xml_node node, const std::string& text) {
  if (text.empty()) return;
  const bool is_blank = text.find_first_not_of(" \t\n") == std::string::npos;
  node.append_child(is_blank ? pugi::node_cdata : pugi::node_pcdata).set_value(text.c_str());
}

class Writer {
 public:
  explicit Writer(const Profile& profile) : profile_(profile) {}

  std::string run() {
    auto declaration = document_.append_child(pugi::node_declaration);
    set(declaration, "version", "1.0");
    set(declaration, "encoding", "UTF-8");
    root_ = document_.append_child("profile");
    set(root_, "xmlns", "urn:sipassay:profile:1");
    set(root_, "name", plain(profile_.name));
    std::string roles;
    for (const runner::SutRole role : profile_.roles)
      roles += fmt::format("{}{}", roles.empty() ? "" : " ", to_string(role));
    set_if_any(root_, "roles", roles);
    set_if_any(root_, "domain", plain(profile_.domain));
    if (!profile_.note.empty()) set_text(root_.append_child("note"), plain(profile_.note));
    for (const Endpoint& address : profile_.addresses)
      set(root_.append_child("address"), "at", to_string(address));
    users();
    capabilities();
    run_settings();
    if (profile_.start) command("start", *profile_.start);
    if (profile_.stop) stop();
    if (profile_.reset) command("reset", *profile_.reset);
    if (profile_.trigger) command("trigger", *profile_.trigger);
    return text();
  }

 private:
  void users() {
    if (profile_.has_every_behaviour) set(root_.append_child("user"), "behaves", "all");
    for (const ProfileUser& user : profile_.users) {
      auto node = root_.append_child("user");
      set(node, "name", plain(user.name));
      set(node, "behaves", fmt::format("{}", fmt::join(user.behaves, " ")));
      if (user.login) login(node, "login", *user.login);
    }
    if (profile_.login) login(root_.append_child("login"), "user", *profile_.login);
  }

  static void login(pugi::xml_node node, const char* user, const runner::Login& login) {
    set(node, user, plain(login.user));
    set(node, "password", plain(login.password));
  }

  void capabilities() {
    for (const auto& [name, kind] : {std::pair("methods", CapabilityKind::Method),
                                     std::pair("extensions", CapabilityKind::Extension),
                                     std::pair("event-packages", CapabilityKind::EventPackage),
                                     std::pair("info-packages", CapabilityKind::InfoPackage),
                                     std::pair("body-types", CapabilityKind::BodyType)}) {
      const std::string has = words(profile_.declared, kind, true);
      const std::string lacks = words(profile_.declared, kind, false);
      if (has.empty() && lacks.empty()) continue;
      auto node = root_.append_child(name);
      set_if_any(node, "has", has);
      set_if_any(node, "lacks", lacks);
    }
  }

  void run_settings() {
    if (!profile_.t1 && !profile_.jobs && !profile_.timeout && !profile_.tolerance) return;
    auto node = root_.append_child("run");
    if (profile_.t1) set(node, "t1", time(*profile_.t1));
    if (profile_.jobs) set(node, "jobs", std::to_string(*profile_.jobs));
    if (profile_.timeout) set(node, "timeout", time(*profile_.timeout));
    if (profile_.tolerance) set(node, "tolerance", time(*profile_.tolerance));
  }

  void stop() {
    if (profile_.stop->command) return command("stop", *profile_.stop->command);
    auto node = root_.append_child("stop");
    set(node, "signal", profile_.stop->signal);
    set(node, "within", time(profile_.stop->within));
  }

  // As the reader puts it together.
  std::string directory_of(const Command& command) const {
    const std::filesystem::path whole(command.directory);
    const auto folder = std::filesystem::path(profile_.file).parent_path().lexically_normal();
    if (whole.is_absolute() != folder.is_absolute()) return command.directory;
    return whole.lexically_relative(folder.empty() ? "." : folder).string();
  }

  void command(const char* name, const Command& command) {
    auto node = root_.append_child(name);
    set(node, "command", command.arguments.front());
    if (command.uses_shell) set(node, "shell", "yes");
    const std::string directory = directory_of(command);
    if (directory != ".") set_if_any(node, "directory", directory);
    set(node, "within", time(command.within));
    for (std::size_t i = 1; i < command.arguments.size(); ++i)
      set_text(node.append_child("argument"), command.arguments[i]);
    for (const auto& [variable, value] : command.environment) {
      auto child = node.append_child("environment");
      set(child, "name", variable);
      set(child, "value", value);
    }
  }

  std::string text() const {
    std::ostringstream stream;
    document_.save(stream, "  ", pugi::format_default, pugi::encoding_utf8);
    // pugixml leaves a CR in text as it is, and readers take it for a line feed.
    std::string out;
    for (const char c : stream.str()) {
      if (c == '\r')
        out += "&#13;";
      else
        out += c;
    }
    return out;
  }

  const Profile& profile_;
  pugi::xml_document document_;
  pugi::xml_node root_;
};

}  // namespace

std::string to_xml(const Profile& profile) {
  return Writer(profile).run();
}

}  // namespace sipassay::scenarios
