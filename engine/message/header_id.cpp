#include "engine/message/header_id.h"

#include <array>
#include <bit>
#include <cstring>

#include "engine/base/ascii.h"

namespace sipassay {

namespace {

struct Row {
  HeaderId id;
  std::string_view name;
  std::string_view compact = {};
};

// RFC 3261 20 and 7.3.3; the extensions' compact forms from the RFC that defines the field.
constexpr std::array rows{
    Row{HeaderId::Other, ""},
    Row{HeaderId::Accept, "Accept"},
    Row{HeaderId::AcceptEncoding, "Accept-Encoding"},
    Row{HeaderId::AcceptLanguage, "Accept-Language"},
    Row{HeaderId::AlertInfo, "Alert-Info"},
    Row{HeaderId::Allow, "Allow"},
    Row{HeaderId::AllowEvents, "Allow-Events", "u"},
    Row{HeaderId::AuthenticationInfo, "Authentication-Info"},
    Row{HeaderId::Authorization, "Authorization"},
    Row{HeaderId::CallId, "Call-ID", "i"},
    Row{HeaderId::CallInfo, "Call-Info"},
    Row{HeaderId::Contact, "Contact", "m"},
    Row{HeaderId::ContentDisposition, "Content-Disposition"},
    Row{HeaderId::ContentEncoding, "Content-Encoding", "e"},
    Row{HeaderId::ContentLanguage, "Content-Language"},
    Row{HeaderId::ContentLength, "Content-Length", "l"},
    Row{HeaderId::ContentType, "Content-Type", "c"},
    Row{HeaderId::CSeq, "CSeq"},
    Row{HeaderId::Date, "Date"},
    Row{HeaderId::ErrorInfo, "Error-Info"},
    Row{HeaderId::Event, "Event", "o"},
    Row{HeaderId::Expires, "Expires"},
    Row{HeaderId::From, "From", "f"},
    Row{HeaderId::InReplyTo, "In-Reply-To"},
    Row{HeaderId::InfoPackage, "Info-Package"},
    Row{HeaderId::Join, "Join"},
    Row{HeaderId::MaxForwards, "Max-Forwards"},
    Row{HeaderId::MimeVersion, "MIME-Version"},
    Row{HeaderId::MinExpires, "Min-Expires"},
    Row{HeaderId::MinSe, "Min-SE"},
    Row{HeaderId::Organization, "Organization"},
    Row{HeaderId::Path, "Path"},
    Row{HeaderId::Priority, "Priority"},
    Row{HeaderId::ProxyAuthenticate, "Proxy-Authenticate"},
    Row{HeaderId::ProxyAuthorization, "Proxy-Authorization"},
    Row{HeaderId::ProxyRequire, "Proxy-Require"},
    Row{HeaderId::RAck, "RAck"},
    Row{HeaderId::RSeq, "RSeq"},
    Row{HeaderId::Reason, "Reason"},
    Row{HeaderId::RecordRoute, "Record-Route"},
    Row{HeaderId::RecvInfo, "Recv-Info"},
    Row{HeaderId::ReferSub, "Refer-Sub"},
    Row{HeaderId::ReferTo, "Refer-To", "r"},
    Row{HeaderId::ReferredBy, "Referred-By", "b"},
    Row{HeaderId::Replaces, "Replaces"},
    Row{HeaderId::ReplyTo, "Reply-To"},
    Row{HeaderId::Require, "Require"},
    Row{HeaderId::RetryAfter, "Retry-After"},
    Row{HeaderId::Route, "Route"},
    Row{HeaderId::Server, "Server"},
    Row{HeaderId::ServiceRoute, "Service-Route"},
    Row{HeaderId::SessionExpires, "Session-Expires", "x"},
    Row{HeaderId::SipEtag, "SIP-ETag"},
    Row{HeaderId::SipIfMatch, "SIP-If-Match"},
    Row{HeaderId::Subject, "Subject", "s"},
    Row{HeaderId::SubscriptionState, "Subscription-State"},
    Row{HeaderId::Supported, "Supported", "k"},
    Row{HeaderId::TargetDialog, "Target-Dialog"},
    Row{HeaderId::Timestamp, "Timestamp"},
    Row{HeaderId::To, "To", "t"},
    Row{HeaderId::Unsupported, "Unsupported"},
    Row{HeaderId::UserAgent, "User-Agent"},
    Row{HeaderId::Via, "Via", "v"},
    Row{HeaderId::Warning, "Warning"},
    Row{HeaderId::WwwAuthenticate, "WWW-Authenticate"},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].id != static_cast<HeaderId>(i)) return false;
  return rows.size() == header_id_count;
}
static_assert(in_order(), "one row an id, in the order of the enumeration");

// A perfect hash over length, first, middle and last letter: one look-up and one comparison find a
// name. The multiplier was searched for; the static_assert proves it.
constexpr std::size_t table_size = 256;
constexpr std::uint32_t multiplier = 0xe4bc6e83U;

constexpr std::size_t slot(std::string_view name, std::uint32_t factor) {
  const auto at = [&name](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(name[i]) | 0x20U);
  };
  const std::uint32_t key = at(0) | at(name.size() / 2) << 8U | at(name.size() - 1) << 16U |
                            static_cast<std::uint32_t>(name.size()) << 24U;
  return static_cast<std::uint32_t>(key * factor) / (1U << 24U);
}

using Table = std::array<HeaderId, table_size>;

constexpr bool fill(Table& table, std::uint32_t factor) {
  for (HeaderId& cell : table) cell = HeaderId::Other;
  for (const Row& row : rows) {
    if (row.id == HeaderId::Other) continue;
    HeaderId& cell = table[slot(row.name, factor)];
    if (cell != HeaderId::Other) return false;
    cell = row.id;
  }
  return true;
}

constexpr Table make_table() {
  Table table{};
  fill(table, multiplier);
  return table;
}
constexpr bool is_perfect() {
  Table table{};
  return fill(table, multiplier);
}
static_assert(is_perfect(), "no two names share a slot");

constexpr Table names = make_table();

// The names in lower case, each in 32 octets: compared as four words.
struct LowerName {
  std::array<std::uint64_t, 4> words{};
};

constexpr std::uint64_t lower_word(std::string_view name, std::size_t from) {
  std::uint64_t out = 0;
  for (std::size_t i = from; i < name.size() && i < from + 8; ++i)
    out |= static_cast<std::uint64_t>(static_cast<unsigned char>(name[i]) | 0x20U)
           << (8U * (i - from));
  return out;
}

constexpr std::array<LowerName, header_id_count> make_lower_names() {
  std::array<LowerName, header_id_count> out{};
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t word = 0; word < 4; ++word)
      out[i].words[word] = lower_word(rows[i].name, word * 8);
  return out;
}
constexpr auto lower_names = make_lower_names();
static_assert(std::endian::native == std::endian::little, "header_id_from_padded loads words");

// The octets of a word that belong to a name of that length.
constexpr std::array<LowerName, header_name_padding + 1> make_keep() {
  std::array<LowerName, header_name_padding + 1> out{};
  for (std::size_t size = 0; size < out.size(); ++size)
    for (std::size_t i = 0; i < size; ++i)
      out[size].words[i / 8] |= std::uint64_t{0xff} << (8U * (i % 8));
  return out;
}
constexpr auto keep = make_keep();

constexpr std::array<HeaderId, 26> make_compact() {
  std::array<HeaderId, 26> out{};
  for (const Row& row : rows)
    if (!row.compact.empty()) out[static_cast<std::size_t>(row.compact[0] - 'a')] = row.id;
  return out;
}
constexpr auto compact_names = make_compact();

}  // namespace

HeaderId header_id_from(std::string_view name) {
  if (name.size() < 2) {
    if (name.empty() || !ascii::is_alpha(name[0])) return HeaderId::Other;
    return compact_names[static_cast<std::size_t>(ascii::lower(name[0]) - 'a')];
  }
  const HeaderId id = names[slot(name, multiplier)];
  return ascii::iequals(header_name(id), name) ? id : HeaderId::Other;
}

// The bit 0x20 makes letters lower and leaves "-" alone; the only other octet that it turns into
// one of a name's is CR, which ends no name that the line index let through.
HeaderId header_id_from_padded(std::string_view name) {
  if (name.size() < 2 || name.size() > header_name_padding) return header_id_from(name);
  const HeaderId id = names[slot(name, multiplier)];
  const auto& wanted = lower_names[static_cast<std::size_t>(id)].words;
  const auto& mask = keep[name.size()].words;
  std::array<std::uint64_t, 4> words;
  std::memcpy(words.data(), name.data(), sizeof words);
  std::uint64_t difference = 0;
  for (std::size_t i = 0; i < 4; ++i)
    difference |= ((words[i] | 0x2020202020202020U) & mask[i]) ^ wanted[i];
  return difference == 0 ? id : HeaderId::Other;
}

const FieldStart& field_start(HeaderId id) {
  static constexpr auto starts = [] {
    std::array<FieldStart, header_id_count> out{};
    for (const Row& row : rows) {
      FieldStart& start = out[static_cast<std::size_t>(row.id)];
      for (const char c : row.name) start.octets[start.size++] = c;
      for (const char c : std::string_view(": ")) start.octets[start.size++] = c;
    }
    return out;
  }();
  return starts[static_cast<std::size_t>(id)];
}

std::string_view header_name(HeaderId id) {
  return rows[static_cast<std::size_t>(id)].name;
}

std::string_view compact_name(HeaderId id) {
  return rows[static_cast<std::size_t>(id)].compact;
}

}  // namespace sipassay
