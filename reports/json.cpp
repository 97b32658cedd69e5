#include "reports/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "engine/base/ascii.h"
#include "reports/escape.h"
#include "reports/totals.h"

namespace sipassay::reports {
namespace {

using runner::CaseResult;
using runner::ReportedFinding;
using runner::RunInfo;
using runner::RunResult;
using runner::TranscriptEntry;
using Json = nlohmann::ordered_json;

constexpr std::array levels{Level::Must,      Level::MustNot, Level::Should,
                            Level::ShouldNot, Level::May,     Level::Stated};
constexpr std::array roles{runner::SutRole::Uas, runner::SutRole::Uac, runner::SutRole::Proxy,
                           runner::SutRole::Registrar, runner::SutRole::Redirect};

// --- writing

Json strings(const std::vector<std::string>& texts) {
  Json out = Json::array();
  for (const std::string& text : texts) out.push_back(printable(text));
  return out;
}

Json run_to_json(const RunInfo& run) {
  Json out;
  out["version"] = printable(run.version);
  out["seed"] = std::to_string(run.seed);
  out["sut"] = printable(run.sut);
  out["sut_name"] = printable(run.sut_name);
  out["options"] = strings(run.options);
  out["started"] = printable(run.started);
  out["partial"] = run.partial;
  out["partial_reason"] = printable(run.partial_reason);
  return out;
}

Json totals_to_json(const RunResult& result) {
  const Totals sums = totals(result);
  Json out = Json::object();
  for (std::size_t i = 0; i < outcome_count; ++i)
    if (sums.counts[i] != 0)
      out[std::string(to_string(static_cast<runner::Outcome>(i)))] = sums.counts[i];
  return out;
}

Json message_to_json(const TranscriptEntry& entry) {
  Json out;
  out["at"] = entry.at.time_since_epoch().count();
  out["from"] = printable(entry.from);
  out["to"] = printable(entry.to);
  out["transport"] = to_string(entry.transport);
  out["retransmission"] = entry.is_retransmission;
  out["lost"] = entry.was_lost;
  out["octets"] = base64(entry.octets);
  out["text"] = printable_lines(entry.octets);
  return out;
}

Json finding_to_json(const ReportedFinding& finding) {
  Json out;
  out["rule"] = printable(finding.rule);
  out["clause"] = printable(finding.clause);
  out["expected"] = printable_lines(finding.expected);
  out["observed"] = printable_lines(finding.observed);
  out["count"] = finding.count;
  out["message"] = finding.message;
  return out;
}

Json expectation_to_json(const runner::Expectation& known) {
  Json out;
  out["outcomes"] = printable(known.outcomes);
  out["actual"] = runner::to_string(known.actual);
  out["clause"] = printable(known.clause);
  out["reason"] = printable_lines(known.reason);
  out["where"] = printable(known.where);
  return out;
}

Json case_to_json(const CaseResult& one) {
  Json out;
  out["id"] = printable(one.id);
  out["title"] = printable_lines(one.title);
  out["rows"] = strings(one.rows);
  out["level"] = to_string(one.level);
  out["role"] = runner::to_string(one.role);
  out["transport"] = to_string(one.transport);
  out["clause"] = printable(one.clause);
  out["requirement"] = printable_lines(one.requirement);
  out["file"] = printable(one.file);
  out["line"] = one.line;
  out["outcome"] = runner::to_string(one.outcome);
  out["reason"] = printable_lines(one.reason);
  out["expected"] = printable_lines(one.expected);
  out["observed"] = printable_lines(one.observed);
  out["header"] = printable(one.header);
  out["offending"] = one.offending;
  out["seed"] = std::to_string(one.seed);
  out["took"] = one.took.count();
  out["repeat"] = printable(one.repeat);
  out["messages"] = Json::array();
  for (const TranscriptEntry& entry : one.messages)
    out["messages"].push_back(message_to_json(entry));
  out["findings"] = Json::array();
  for (const ReportedFinding& finding : one.findings)
    out["findings"].push_back(finding_to_json(finding));
  if (one.expectation) out["expectation"] = expectation_to_json(*one.expectation);
  return out;
}

// --- reading

// Reads members of one object. The first fault is kept in `error`; later reads are harmless.
class Reader {
 public:
  Reader(const Json& object, std::string path, std::string& error)
      : object_(object), path_(std::move(path)), error_(error) {
    if (!object_.is_object()) fail("", "expected an object");
  }

  std::string text(const char* key) {
    const Json* value = member(key);
    if (value == nullptr) return {};
    if (!value->is_string()) return fail(key, "expected a string"), std::string();
    return value->get<std::string>();
  }

  std::uint64_t count(const char* key) {
    const Json* value = member(key);
    if (value == nullptr) return 0;
    if (!value->is_number_unsigned()) return fail(key, "expected a whole number"), 0;
    return value->get<std::uint64_t>();
  }

  std::int64_t integer(const char* key) {
    const Json* value = member(key);
    if (value == nullptr) return 0;
    if (!value->is_number_integer()) return fail(key, "expected an integer"), 0;
    return value->get<std::int64_t>();
  }

  bool truth(const char* key) {
    const Json* value = member(key);
    if (value == nullptr) return false;
    if (!value->is_boolean()) return fail(key, "expected true or false"), false;
    return value->get<bool>();
  }

  // A 64-bit number in decimal digits.
  std::uint64_t number_text(const char* key) {
    const std::string digits = text(key);
    const auto value = ascii::number<std::uint64_t>(digits);
    if (!value) fail(key, "expected a decimal number in quotes");
    return value.value_or(0);
  }

  std::vector<std::string> texts(const char* key) {
    std::vector<std::string> out;
    const Json* value = array(key);
    if (value == nullptr) return out;
    for (const Json& one : *value) {
      if (!one.is_string()) return fail(key, "expected strings"), out;
      out.push_back(one.get<std::string>());
    }
    return out;
  }

  // The value whose name is the member's text.
  template <class Values>
  auto named(const char* key, const Values& values, auto name) {
    const std::string wanted = text(key);
    const auto found = std::ranges::find_if(
        values, [&](const auto& value) { return std::string_view(name(value)) == wanted; });
    if (found != std::ranges::end(values)) return *found;
    fail(key,
         fmt::format("unknown value \"{}\"", printable(std::string_view(wanted).substr(0, 40))));
    return *std::ranges::begin(values);
  }

  // Calls read(Reader&) for each object of an array.
  void each(const char* key, auto read) {
    const Json* value = array(key);
    if (value == nullptr) return;
    for (std::size_t i = 0; i < value->size() && error_.empty(); ++i) {
      Reader inner((*value)[i], fmt::format("{}{}[{}]", dotted(), key, i), error_);
      if (error_.empty()) read(inner);
    }
  }

  // Calls read(Reader&) for an object that need not be there.
  void maybe(const char* key, auto read) {
    if (!error_.empty() || !object_.contains(key)) return;
    Reader inner(object_[key], dotted() + key, error_);
    if (error_.empty()) read(inner);
  }

  void fail(const char* key, std::string_view what) {
    if (!error_.empty()) return;
    const std::string where = *key == 0 ? path_ : dotted() + key;
    error_ = fmt::format("{}: {}", where.empty() ? "top level" : where, what);
  }

  const Json* member(const char* key) {
    if (!error_.empty()) return nullptr;
    const auto found = object_.find(key);
    if (found == object_.end()) return fail(key, "missing"), nullptr;
    return &*found;
  }

 private:
  const Json* array(const char* key) {
    const Json* value = member(key);
    if (value == nullptr) return nullptr;
    if (!value->is_array()) return fail(key, "expected an array"), nullptr;
    return value;
  }
  std::string dotted() const { return path_.empty() ? "" : path_ + "."; }

  const Json& object_;
  std::string path_;
  std::string& error_;
};

Transport read_transport(Reader& in) {
  const auto transport = transport_from(in.text("transport"));
  if (!transport) in.fail("transport", "unknown transport");
  return transport.value_or(Transport::Udp);
}

RunInfo read_run(Reader& in) {
  RunInfo out;
  out.version = in.text("version");
  out.seed = in.number_text("seed");
  out.sut = in.text("sut");
  out.sut_name = in.text("sut_name");
  out.options = in.texts("options");
  out.started = in.text("started");
  out.partial = in.truth("partial");
  out.partial_reason = in.text("partial_reason");
  return out;
}

TranscriptEntry read_message(Reader& in) {
  TranscriptEntry out;
  out.at = Instant(Duration(in.integer("at")));
  out.from = in.text("from");
  out.to = in.text("to");
  out.transport = read_transport(in);
  out.is_retransmission = in.truth("retransmission");
  out.was_lost = in.truth("lost");
  auto octets = from_base64(in.text("octets"));
  if (!octets) in.fail("octets", "expected base64");
  out.octets = std::move(octets).value_or("");
  return out;
}

ReportedFinding read_finding(Reader& in) {
  ReportedFinding out;
  out.rule = in.text("rule");
  out.clause = in.text("clause");
  out.expected = in.text("expected");
  out.observed = in.text("observed");
  out.count = static_cast<unsigned>(std::min<std::uint64_t>(in.count("count"), 0xffffffffU));
  out.message = in.count("message");
  return out;
}

runner::Outcome read_outcome(Reader& in, const char* key) {
  const auto outcome = runner::outcome_from(in.text(key));
  if (!outcome) in.fail(key, "unknown outcome");
  return outcome.value_or(runner::Outcome::Error);
}

runner::Expectation read_expectation(Reader& in) {
  runner::Expectation out;
  out.outcomes = in.text("outcomes");
  out.actual = read_outcome(in, "actual");
  out.clause = in.text("clause");
  out.reason = in.text("reason");
  out.where = in.text("where");
  return out;
}

CaseResult read_case(Reader& in) {
  CaseResult out;
  out.id = in.text("id");
  out.title = in.text("title");
  out.rows = in.texts("rows");
  out.level = in.named("level", levels, [](Level level) { return to_string(level); });
  out.role = in.named("role", roles, [](runner::SutRole role) { return runner::to_string(role); });
  out.transport = read_transport(in);
  out.clause = in.text("clause");
  out.requirement = in.text("requirement");
  out.file = in.text("file");
  out.line = in.count("line");
  out.outcome = read_outcome(in, "outcome");
  out.reason = in.text("reason");
  out.expected = in.text("expected");
  out.observed = in.text("observed");
  out.header = in.text("header");
  out.offending = in.integer("offending");
  out.seed = in.number_text("seed");
  out.took = Duration(in.integer("took"));
  out.repeat = in.text("repeat");
  in.each("messages", [&](Reader& inner) { out.messages.push_back(read_message(inner)); });
  in.each("findings", [&](Reader& inner) { out.findings.push_back(read_finding(inner)); });
  in.maybe("expectation", [&](Reader& inner) { out.expectation = read_expectation(inner); });
  return out;
}

}  // namespace

void render_json(const RunResult& result, const RenderOptions&, std::string& out) {
  Json document;
  document["schema"] = json_schema_version;
  document["run"] = run_to_json(result.run);
  document["totals"] = totals_to_json(result);
  document["cases"] = Json::array();
  for (const CaseResult& one : result.cases) document["cases"].push_back(case_to_json(one));
  out += document.dump(1);
  out += '\n';
}

std::expected<RunResult, std::string> load_json(std::string_view text) {
  if (text.size() > json_octets_max) return std::unexpected("larger than this program reads");
  const Json document = Json::parse(text, nullptr, false);
  if (document.is_discarded()) return std::unexpected("not JSON");

  std::string error;
  RunResult out;
  Reader in(document, "", error);
  if (const std::uint64_t schema = in.count("schema");
      error.empty() && schema != json_schema_version)
    in.fail("schema", fmt::format("version {} is not {}", schema, json_schema_version));
  if (const Json* run = in.member("run")) {
    Reader inner(*run, "run", error);
    out.run = read_run(inner);
  }
  in.each("cases", [&](Reader& inner) { out.cases.push_back(read_case(inner)); });
  if (!error.empty()) return std::unexpected(error);
  return out;
}

}  // namespace sipassay::reports
