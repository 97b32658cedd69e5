#include "reports/json.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "reports/testdata/sample.h"

namespace sipassay::reports {
namespace {

using Json = nlohmann::json;

std::string rendered(const runner::RunResult& result) {
  std::string out;
  render_json(result, {}, out);
  return out;
}

TEST(Json, EqualResultsGiveEqualOctets) {
  EXPECT_EQ(rendered(testdata::sample()), rendered(testdata::sample()));
}

TEST(Json, IsReadBack) {
  const auto loaded = load_json(rendered(testdata::sample()));
  ASSERT_TRUE(loaded) << loaded.error();
  EXPECT_EQ(rendered(*loaded), rendered(testdata::sample()));
  const runner::RunResult original = testdata::sample();
  ASSERT_EQ(loaded->cases.size(), original.cases.size());
  for (std::size_t i = 0; i < original.cases.size(); ++i) {
    ASSERT_EQ(loaded->cases[i].messages.size(), original.cases[i].messages.size());
    for (std::size_t k = 0; k < original.cases[i].messages.size(); ++k)
      EXPECT_EQ(loaded->cases[i].messages[k].octets, original.cases[i].messages[k].octets);
  }
}

// The part of JSON Schema that result.schema.json uses. Returns the first fault, or nothing.
std::string violation(const Json& schema, const Json& value, const Json& root,
                      const std::string& at) {
  if (schema.contains("$ref")) {
    const std::string name =
        schema["$ref"].get<std::string>().substr(std::string("#/$defs/").size());
    return violation(root["$defs"][name], value, root, at);
  }
  if (schema.contains("const") && schema["const"] != value) return at + ": not the constant";
  if (schema.contains("enum")) {
    bool is_one = false;
    for (const Json& one : schema["enum"]) is_one = is_one || one == value;
    if (!is_one) return at + ": not one of the values";
  }
  if (schema.contains("type")) {
    const std::string type = schema["type"];
    const bool fits =
        (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
        (type == "string" && value.is_string()) || (type == "boolean" && value.is_boolean()) ||
        (type == "integer" && value.is_number_integer());
    if (!fits) return at + ": not of type " + type;
  }
  if (value.is_object()) {
    for (const Json& name : schema.value("required", Json::array()))
      if (!value.contains(name.get<std::string>()))
        return at + ": lacks " + name.get<std::string>();
    for (const auto& [name, member] : value.items()) {
      const Json properties = schema.value("properties", Json::object());
      const Json extra = schema.value("additionalProperties", Json(true));
      if (!properties.contains(name) && extra == Json(false))
        return at + "." + name + ": undocumented";
      const Json& inner = properties.contains(name) ? properties[name] : extra;
      if (!inner.is_object()) continue;
      if (std::string fault = violation(inner, member, root, at + "." + name); !fault.empty())
        return fault;
    }
  }
  if (value.is_array() && schema.contains("items"))
    for (const Json& one : value)
      if (std::string fault = violation(schema["items"], one, root, at + "[]"); !fault.empty())
        return fault;
  return "";
}

Json schema() {
  std::ifstream in(std::string(SIPASSAY_SOURCE_DIR) + "/reports/result.schema.json");
  return Json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
}

TEST(Json, KeepsItsSchema) {
  const Json rules = schema();
  const Json document = Json::parse(rendered(testdata::sample()));
  EXPECT_EQ(violation(rules, document, rules, "$"), "");
}

TEST(Json, SchemaRefusesWhatItMust) {
  const Json rules = schema();
  Json document = Json::parse(rendered(testdata::sample()));
  document["cases"][0]["outcome"] = "MAYBE";
  EXPECT_NE(violation(rules, document, rules, "$"), "");
  document = Json::parse(rendered(testdata::sample()));
  document["cases"][0]["colour"] = 1;
  EXPECT_NE(violation(rules, document, rules, "$"), "");
  document = Json::parse(rendered(testdata::sample()));
  document["run"].erase("seed");
  EXPECT_NE(violation(rules, document, rules, "$"), "");
}

TEST(Json, EveryMemberOfTheSchemaIsDescribed) {
  const auto look = [](const auto& self, const Json& node, const std::string& at) -> void {
    if (node.contains("properties"))
      for (const auto& [name, member] : node["properties"].items()) {
        EXPECT_TRUE(member.contains("description") || member.contains("$ref")) << at << "." << name;
        self(self, member, at + "." + name);
      }
    if (node.contains("items")) self(self, node["items"], at + "[]");
    if (node.contains("$defs"))
      for (const auto& [name, member] : node["$defs"].items()) self(self, member, name);
  };
  look(look, schema(), "$");
}

TEST(LoadJson, SaysWhatIsWrongAndWhere) {
  struct Row {
    const char* text;
    const char* error;
  };
  const Row rows[] = {
      {"", "not JSON"},
      {"{", "not JSON"},
      {"\xff", "not JSON"},
      {"[]", "top level: expected an object"},
      {"{}", "schema: missing"},
      {R"({"schema": 2})", "schema: version 2 is not 1"},
      {R"({"schema": "1"})", "schema: expected a whole number"},
      {R"({"schema": 1})", "run: missing"},
      {R"({"schema": 1, "run": []})", "run: expected an object"},
      {R"({"schema": 1, "run": {"version": 3}})", "run.version: expected a string"},
      {R"({"schema": 1, "run": {"version": "", "seed": "-1"}})",
       "run.seed: expected a decimal number in quotes"},
  };
  for (const Row& row : rows) {
    const auto loaded = load_json(row.text);
    ASSERT_FALSE(loaded) << row.text;
    EXPECT_EQ(loaded.error(), row.error);
  }
}

TEST(LoadJson, NamesTheCaseAtFault) {
  Json document = Json::parse(rendered(testdata::sample()));
  document["cases"][3]["outcome"] = "MAYBE";
  EXPECT_EQ(load_json(document.dump()).error(), "cases[3].outcome: unknown outcome");
  document = Json::parse(rendered(testdata::sample()));
  document["cases"][9]["messages"][1]["octets"] = "*";
  EXPECT_EQ(load_json(document.dump()).error(), "cases[9].messages[1].octets: expected base64");
}

TEST(LoadJson, SurvivesDeepNesting) {
  EXPECT_FALSE(load_json(std::string(200000, '[')));
  EXPECT_FALSE(load_json(std::string(100000, '[') + std::string(100000, ']')));
}

TEST(LoadJson, SurvivesTruncationAtEveryOctet) {
  const std::string whole = rendered(testdata::sample());
  for (std::size_t length = 0; length + 1 < whole.size(); length += 7)
    EXPECT_FALSE(load_json(std::string_view(whole).substr(0, length))) << length;
}

}  // namespace
}  // namespace sipassay::reports
