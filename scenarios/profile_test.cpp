#include "scenarios/profile.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "engine/base/rng.h"

namespace sipassay::scenarios {
namespace {

using runner::CapabilityKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr std::string_view address = R"(<address at="udp:192.0.2.7:5070"/>)";

LoadedProfile load(std::string_view inside, std::string_view attributes = "") {
  return read_profile(fmt::format(R"(<profile xmlns="urn:sipassay:profile:1" name="p" {}>
{}
</profile>)",
                                  attributes, inside),
                      "folder/p.xml");
}

// With an address before it.
LoadedProfile load_with(const std::string& inside) {
  return load(std::string(address) + inside);
}

std::string errors_of(const LoadedProfile& loaded) {
  std::string out;
  if (!loaded)
    for (const LoadError& error : loaded.error()) out += to_string(error) + "\n";
  return out;
}

constexpr std::string_view everything = R"(<note>Two lines
  &amp; $${more}</note>
<address at="udp:192.0.2.7:5070"/>
<address at="tcp:[2001:db8::7]:5071"/>
<user name="alice" behaves="auto late-offer"/>
<user name="bob" behaves="digest" login="bob" password="a&quot;b$${c"/>
<user behaves="all"/>
<login user="carol" password=""/>
<methods has="INVITE UPDATE" lacks="INFO"/>
<extensions has="100rel" lacks="Timer"/>
<event-packages lacks="presence"/>
<info-packages has="foo"/>
<body-types has="Application/SDP" lacks="multipart/mixed"/>
<run t1="100ms" jobs="16" timeout="2min" tolerance="1s"/>
<start command="../bin/ua" within="20s">
  <argument>--listen</argument><argument>${transport}:${host}:${port}</argument>
  <environment name="LOG" value="$${port} is ${port}"/>
</start>
<stop signal="INT" within="1500ms"/>
<reset command="rm -rf state &amp;&amp; mkdir state" shell="yes" directory="/srv/ua"/>
<trigger command="adapter"><argument>  spaces stay  </argument></trigger>)";

TEST(Profile, SaysAllThatTheFileSays) {
  const auto loaded = load(everything, R"(roles="uas registrar" domain="example.com")");
  ASSERT_EQ(errors_of(loaded), "");
  EXPECT_EQ(loaded->name, "p");
  EXPECT_EQ(loaded->note, "Two lines & ${more}");
  EXPECT_EQ(loaded->domain, "example.com");
  EXPECT_EQ(loaded->roles, (std::set{runner::SutRole::Uas, runner::SutRole::Registrar}));
  EXPECT_THAT(loaded->addresses, ElementsAre(Endpoint{Transport::Udp, "192.0.2.7", 5070},
                                             Endpoint{Transport::Tcp, "2001:db8::7", 5071}));
  ASSERT_EQ(loaded->users.size(), 2U);
  EXPECT_THAT(loaded->users[0].behaves, ElementsAre("auto", "late-offer"));
  EXPECT_EQ(loaded->users[0].login, std::nullopt);
  EXPECT_EQ(loaded->users[1].login, (runner::Login{"bob", "a\"b${c"}));
  EXPECT_TRUE(loaded->has_every_behaviour);
  EXPECT_EQ(loaded->login, (runner::Login{"carol", ""}));
  EXPECT_THAT(
      loaded->declared,
      ElementsAre(Pair(runner::Capability{CapabilityKind::Method, "INFO"}, false),
                  Pair(runner::Capability{CapabilityKind::Method, "INVITE"}, true),
                  Pair(runner::Capability{CapabilityKind::Method, "UPDATE"}, true),
                  Pair(runner::Capability{CapabilityKind::Extension, "100rel"}, true),
                  Pair(runner::Capability{CapabilityKind::Extension, "timer"}, false),
                  Pair(runner::Capability{CapabilityKind::EventPackage, "presence"}, false),
                  Pair(runner::Capability{CapabilityKind::InfoPackage, "foo"}, true),
                  Pair(runner::Capability{CapabilityKind::BodyType, "application/sdp"}, true),
                  Pair(runner::Capability{CapabilityKind::BodyType, "multipart/mixed"}, false)));
  EXPECT_EQ(loaded->t1, 100ms);
  EXPECT_EQ(loaded->jobs, 16U);
  EXPECT_EQ(loaded->timeout, 2min);
  EXPECT_EQ(loaded->tolerance, 1s);
  EXPECT_EQ(loaded->stop, (Stop{.command = {}, .signal = "INT", .within = 1500ms}));
}

TEST(Profile, CommandsRunFromItsFolderAndKnowTheAddress) {
  const auto loaded = load(everything);
  ASSERT_EQ(errors_of(loaded), "");
  EXPECT_EQ(loaded->start->directory, "folder");
  const Command start = for_address(*loaded->start, loaded->addresses[0]);
  EXPECT_THAT(start.arguments, ElementsAre("../bin/ua", "--listen", "udp:192.0.2.7:5070"));
  EXPECT_THAT(start.environment, ElementsAre(Pair("LOG", "${port} is 5070")));
  EXPECT_EQ(start.within, 20s);
  EXPECT_FALSE(start.uses_shell);
  EXPECT_TRUE(loaded->reset->uses_shell);
  EXPECT_EQ(loaded->reset->directory, "/srv/ua");
  EXPECT_EQ(loaded->reset->within, 10s);
  EXPECT_THAT(loaded->trigger->arguments, ElementsAre("adapter", "  spaces stay  "));
}

TEST(Profile, WhatIsWrittenReadsBackAsTheSame) {
  for (const std::string_view inside : {everything, address}) {
    const auto loaded = load(inside, R"(roles="proxy" domain="a&amp;b")");
    ASSERT_EQ(errors_of(loaded), "");
    const std::string written = to_xml(*loaded);
    const auto again = read_profile(written, "folder/p.xml");
    ASSERT_EQ(errors_of(again), "") << written;
    EXPECT_EQ(*again, *loaded) << written;
    EXPECT_EQ(to_xml(*again), written);
  }
}

TEST(Profile, WhatXmlTreatsSpeciallyReadsBackAsTheSame) {
  constexpr std::string_view hostile[] = {"\"quoted\" 'twice'",
                                          "a & b < c > d ]]> e",
                                          "&amp;lt;",
                                          "one\ntwo\n\nthree\n",
                                          "\ttab\r\nand carriage return\r",
                                          " ",
                                          "\n",
                                          "\r",
                                          " \r ",
                                          "  around  ",
                                          "",
                                          "\x7f",
                                          "gr\xc3\xbc\xc3\x9f",
                                          "$${port} ${port} $",
                                          "<![CDATA[ x ]]>",
                                          "--> <!-- &#10;"};
  Profile profile;
  profile.file = "folder/p.xml";
  profile.name = "a \"b\" 'c' & <d> ${e}";
  profile.note = profile.name + " ]]>";
  profile.domain = profile.name;
  profile.addresses = {{Transport::Udp, "192.0.2.7", 5070}};
  profile.users = {{profile.name, {"a&b", "<c>"}, runner::Login{profile.name, "\"&<>'"}}};
  profile.declared = {{{CapabilityKind::Method, "<&\">"}, true}};
  auto& start = profile.start.emplace();
  start.arguments = {"ua \"x\" & <y>"};
  start.directory = "folder/\"x & <y>";
  for (const std::string_view text : hostile) {
    start.arguments.emplace_back(text);
    start.environment.emplace_back("V & \"" + std::to_string(start.environment.size()), text);
  }
  const std::string written = to_xml(profile);
  const auto again = read_profile(written, profile.file);
  ASSERT_EQ(errors_of(again), "") << written;
  EXPECT_EQ(again->start->arguments, start.arguments) << written;
  EXPECT_EQ(again->start->environment, start.environment) << written;
  EXPECT_EQ(*again, profile) << written;
  EXPECT_EQ(to_xml(*again), written);
}

TEST(Profile, WhatIsWrongSaysWhereAndWhat) {
  struct Row {
    std::string_view inside, error;
  };
  constexpr Row rows[] = {
      {"<adress at='udp:192.0.2.7'/>", "folder/p.xml:2:1: expected one of note, address, user"},
      {"<note/>", "folder/p.xml:1:1: expected an <address>; found none"},
      {"<address at='pigeon:x'/>", "2:10: expected an address such as udp:127.0.0.1:5060"},
      {"<address at='udp:192.0.2.7'/><address at='udp:192.0.2.8'/>",
       "expected one address a transport; found a second one for udp"},
      {"<address/>", "expected attribute at; found <address> without it"},
      {"<address at='udp:192.0.2.7' port='5'/>", "expected one of at; found attribute port"},
      {"<note/><note/>", "expected <note> once; found another one"},
      {"<user behaves='auto'/>", "expected attribute name"},
      {"<user name='x' behaves=''/>", "expected the behaviours that a caller meets"},
      {"<user name='x' behaves='all'/>", "expected all alone, without a name"},
      {"<user name='x' behaves='auto'/><user name='y' behaves='ring auto'/>",
       "expected each behaviour once; found \"auto\""},
      {"<user name='x' behaves='auto' login='y'/>",
       "expected attributes login and password; found only one of them"},
      {"<user name='' behaves='auto'/>", "expected 1 to 4096 octets; found 0"},
      {"<user name='a&#10;b' behaves='auto'/>",
       "expected text without control characters; found octet 0x0a"},
      {"<login user='x'/>", "expected attributes user and password; found only one of them"},
      {"<methods has='UPDATE' lacks='UPDATE'/>", "expected each word once; found \"UPDATE\" again"},
      {"<run t1='T1'/>", "expected a time from 1 ms to 60 s; found \"T1\""},
      {"<run t1='61s'/>", "expected a time from 1 ms to 60 s"},
      {"<run jobs='1001'/>", "expected a number from 1 to 1000; found \"1001\""},
      {"<start/>", "expected attribute command; found <start> without it"},
      {"<start command='x'>text</start>", "expected elements in <start>; found text \"text\""},
      {"<start command='x'><argument>${nobody}</argument></start>",
       "expected a parameter of the flow or a family of the scenario; found \"${nobody}\""},
      {"<start command='x'><environment name='A=B'/></start>", "expected a name without ="},
      {"<start command='x'><file/></start>", "expected one of argument, environment; found <file>"},
      {"<stop signal='TERM'/>", "expected <start> where there is <stop>; found none"},
      {"<start command='x'/><stop signal='STOP'/>", "expected one of TERM, INT, HUP, QUIT, KILL"},
      {"<start command='x'/><stop signal='TERM' command='y'/>",
       "expected a command or a signal; found both"},
      {"<start command='x' within='11min'/>", "expected a time from 1 ms to 600 s"},
  };
  for (const Row& row : rows)
    EXPECT_THAT(errors_of(load(row.inside)), HasSubstr(row.error)) << row.inside;
  EXPECT_THAT(errors_of(read_profile("<scenario/>", "p.xml")),
              HasSubstr("p.xml:1:1: expected <profile xmlns=\"urn:sipassay:profile:1\">"));
  EXPECT_THAT(errors_of(load(address, "roles='boss'")), HasSubstr("expected one of uas, uac"));
  EXPECT_THAT(errors_of(load_profile("no/such/file.xml")), HasSubstr("nothing of that name"));
}

TEST(Profile, HasLimits) {
  const auto repeated = [](std::string_view text, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i)
      out += fmt::format(fmt::runtime(text), fmt::arg("i", i));
    return out;
  };
  const auto command = [&](std::string_view child, std::size_t count) {
    return "<start command='x'>" + repeated(child, count) + "</start>";
  };
  const std::string argument = "<argument>{i}</argument>";
  const std::string variable = "<environment name='V{i}' value=''/>";
  const std::string user = "<user name='u{i}' behaves='b{i}'/>";
  struct Row {
    std::string at_most, one_more;
    std::string_view error;
  };
  const Row rows[] = {
      {command(argument, profile_arguments_max), command(argument, profile_arguments_max + 1),
       "at most 100 arguments"},
      {command(variable, profile_environment_max), command(variable, profile_environment_max + 1),
       "at most 100 variables"},
      {repeated(user, profile_users_max), repeated(user, profile_users_max + 1),
       "at most 1000 users"},
      {"<methods has='" + repeated("M{i} ", profile_words_max) + "'/>",
       "<methods has='" + repeated("M{i} ", profile_words_max + 1) + "'/>", "at most 1000 words"},
      {"<user behaves='a' name='" + std::string(profile_value_max, 'x') + "'/>",
       "<user behaves='a' name='" + std::string(profile_value_max + 1, 'x') + "'/>",
       "1 to 4096 octets; found 4097"},
      {"<start command='x'><argument>" + std::string(profile_value_max, 'x') +
           "</argument></start>",
       "<start command='x'><argument>" + std::string(profile_value_max + 1, 'x') +
           "</argument></start>",
       "at most 4096 octets; found 4097"},
      {"<methods lacks='" + std::string(profile_value_max, 'x') + "'/>",
       "<methods lacks='" + std::string(profile_value_max + 1, 'x') + "'/>",
       "words of at most 4096 octets"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(errors_of(load_with(row.at_most)), "") << row.error;
    EXPECT_THAT(errors_of(load_with(row.one_more)), HasSubstr(row.error));
  }
  EXPECT_THAT(errors_of(read_profile(std::string(file_octets_max + 1, ' '), "p.xml")),
              HasSubstr("at most 262144 octets"));
  EXPECT_THAT(errors_of(read_profile("<!DOCTYPE x [<!ENTITY a 'b'>]><x/>", "p.xml")),
              HasSubstr("a DOCTYPE"));
}

// Whatever stands in the file: errors that say where, or a profile that can be written again.
TEST(Profile, SurvivesDamage) {
  const std::string sound = fmt::format(
      R"(<profile xmlns="urn:sipassay:profile:1" name="p" roles="uas">{}</profile>)", everything);
  Rng rng(7);
  std::size_t loaded_count = 0;
  for (int i = 0; i < 4000; ++i) {
    std::string text = sound;
    for (std::uint64_t damages = rng.between(1, 4); damages > 0; --damages) {
      const std::size_t at = rng.between(0, text.size() - 1);
      const std::size_t length = std::min<std::size_t>(rng.between(1, 12), text.size() - at);
      switch (rng.between(0, 3)) {
        case 0:
          text.erase(at, length);
          break;
        case 1:
          text.insert(at, text.substr(rng.between(0, text.size() - 1), length));
          break;
        case 2:
          text[at] = static_cast<char>(rng.between(0, 255));
          break;
        default:
          text.insert(at, "${");
      }
      if (text.empty()) text = " ";
    }
    const auto loaded = read_profile(text, "folder/p.xml");
    if (!loaded) {
      EXPECT_FALSE(loaded.error().empty());
      EXPECT_LE(loaded.error().size(), errors_max);
      continue;
    }
    ++loaded_count;
    const auto again = read_profile(to_xml(*loaded), "folder/p.xml");
    ASSERT_TRUE(again) << text << "\n" << to_xml(*loaded) << errors_of(again);
    EXPECT_TRUE(*again == *loaded) << text << "\n" << to_xml(*loaded);
  }
  EXPECT_GT(loaded_count, 100U);
}

TEST(Profile, WritesDirectoriesFromItsFolder) {
  for (const std::string file : {"p.xml", "a/b/p.xml", "../p.xml", "/srv/x/p.xml"})
    for (const std::string directory : {".", "..", "x/y", "../../z", "/srv/ua"}) {
      const auto loaded = read_profile(
          fmt::format(R"(<profile xmlns="urn:sipassay:profile:1" name="p">{}<start command="x"
          directory="{}"/></profile>)",
                      address, directory),
          file);
      ASSERT_EQ(errors_of(loaded), "");
      const auto again = read_profile(to_xml(*loaded), file);
      ASSERT_EQ(errors_of(again), "") << to_xml(*loaded);
      EXPECT_EQ(again->start->directory, loaded->start->directory) << file << " " << directory;
    }
}

TEST(Profile, KeepsToTheSchema) {
  const std::string folder = testing::TempDir() + "sipassay.profile." + std::to_string(getpid());
  std::filesystem::create_directories(folder);
  const auto check = [&](const std::string& text) {
    std::ofstream(folder + "/p.xml", std::ios::binary) << text;
    const std::string command = fmt::format(
        "xmllint --noout --nonet --schema '{}/scenarios/profile.xsd' '{}/p.xml' >'{}/log' 2>&1",
        SIPASSAY_SOURCE_DIR, folder, folder);
    return std::system(command.c_str()) == 0;
  };
  const auto loaded = load(everything, R"(roles="uas registrar" domain="example.com")");
  ASSERT_EQ(errors_of(loaded), "");
  EXPECT_TRUE(check(to_xml(*loaded)));
  EXPECT_TRUE(check(to_xml(*load(address))));
  EXPECT_FALSE(check("<profile xmlns='urn:sipassay:profile:1' name='x'><pigeon/></profile>"));
  EXPECT_FALSE(check("<profile xmlns='urn:sipassay:profile:1'><address at='udp:x'/></profile>"));
  std::filesystem::remove_all(folder);
}

// Of the stacks that tools/interop starts.
TEST(Profile, OursAreSoundAndKeepToTheSchema) {
  const std::filesystem::path folder = SIPASSAY_SOURCE_DIR "/tools/profiles";
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto loaded = load_profile(entry.path().string());
    EXPECT_EQ(errors_of(loaded), "");
    ASSERT_TRUE(loaded && (loaded->start || loaded->trigger));
    const Command& program = loaded->start ? *loaded->start : *loaded->trigger;
    EXPECT_TRUE(
        std::filesystem::exists(std::filesystem::path(program.directory) / program.arguments[0]))
        << entry.path();
    const std::string command =
        fmt::format("xmllint --noout --nonet --schema '{}/scenarios/profile.xsd' '{}' 2>/dev/null",
                    SIPASSAY_SOURCE_DIR, entry.path().string());
    EXPECT_EQ(std::system(command.c_str()), 0) << entry.path();
    ++count;
  }
  EXPECT_GE(count, 5U);
}

}  // namespace
}  // namespace sipassay::scenarios
