#include "tools/catalogue.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "reports/escape.h"

namespace sipassay::tools {
namespace {

using runner::Case;

std::vector<std::string> transport_names(const Case& one) {
  std::vector<std::string> out;
  for (const Transport transport : one.transports) out.emplace_back(to_string(transport));
  return out;
}

void print_tsv(const std::vector<Case>& cases) {
  fmt::print("id\tsut\tlevel\ttransport\tuser\tneeds\ttags\tclause\ttitle\tfile\n");
  for (const Case& one : cases)
    fmt::print("{}\t{}\t{}\t{}\t{}\t{}\t{}\tRFC {} section {}\t{}\t{}\n", one.id,
               runner::to_string(one.role), to_string(one.level),
               fmt::join(transport_names(one), " "), one.user, fmt::join(one.needs, " "),
               fmt::join(one.tags, " "), one.clause_rfc, one.clause_section,
               reports::printable(one.title), reports::printable(one.file));
}

void print_json(const std::vector<Case>& cases) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const Case& one : cases) {
    nlohmann::ordered_json row;
    row["id"] = one.id;
    row["rows"] = one.rows;
    row["sut"] = runner::to_string(one.role);
    row["level"] = to_string(one.level);
    row["transport"] = transport_names(one);
    row["user"] = one.user;
    row["needs"] = one.needs;
    row["tags"] = one.tags;
    row["breaks"] = one.breaks;
    row["rfc"] = one.clause_rfc;
    row["section"] = one.clause_section;
    row["title"] = reports::printable(one.title);
    row["file"] = reports::printable(one.file);
    all.push_back(std::move(row));
  }
  fmt::print("{}\n", all.dump(1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

ListFormat list_format(const po::variables_map& values) {
  const std::string written = text(values, "list-format");
  if (written.empty() || written == "tsv") return ListFormat::Tsv;
  if (written == "json") return ListFormat::Json;
  throw UsageError{
      fmt::format("--list-format takes tsv or json, not \"{}\"", reports::printable(written))};
}

void print_cases(const std::vector<Case>& cases, ListFormat format) {
  if (format == ListFormat::Json)
    print_json(cases);
  else
    print_tsv(cases);
}

}  // namespace sipassay::tools
