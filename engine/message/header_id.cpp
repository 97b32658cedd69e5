#include "engine/message/header_id.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

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

// A name as two words: its first and its last eight octets in lower case, the same twice when it is
// no longer than that, zeros behind it when it is shorter.
struct Words {
  std::uint64_t first, last;
};
constexpr std::size_t word = sizeof(std::uint64_t);
// This bit makes letters lower and leaves "-" alone; the only other octet that it turns into one of
// a name's is CR, which ends no name.
constexpr std::uint64_t lower_bits = 0x2020202020202020U;
static_assert(std::endian::native == std::endian::little, "octets are loaded as words");

// What a name's size says: which octets of its words belong to it, and where its last word begins.
// Looked up, because a branch on the size would be hard to predict.
struct Shape {
  std::uint64_t keep = 0;
  std::size_t last = 0;
};
constexpr std::array<Shape, header_name_max + 1> make_shapes() {
  std::array<Shape, header_name_max + 1> out{};
  for (std::size_t size = 1; size < out.size(); ++size) {
    out[size].keep = size > word ? out[size - 1].keep : out[size - 1].keep << 8U | 0xffU;
    out[size].last = std::max(size, word) - word;
  }
  return out;
}
constexpr auto shapes = make_shapes();

constexpr std::uint64_t lower_word(std::string_view octets) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < octets.size(); ++i)
    out |= std::uint64_t{static_cast<unsigned char>(octets[i])} << (8U * i);
  return (out | lower_bits) & shapes[octets.size()].keep;
}

struct Entry {
  Words words{};
  std::uint64_t middle = 0;  // of a name longer than two words: the eight octets behind the first
  std::uint8_t size = 0;
  HeaderId id = HeaderId::Other;
};

constexpr Entry entry_of(std::string_view name, HeaderId id) {
  Entry out{{lower_word(name.substr(0, word)), lower_word(name.substr(shapes[name.size()].last))},
            0,
            static_cast<std::uint8_t>(name.size()),
            id};
  if (name.size() > 2 * word) out.middle = lower_word(name.substr(word, word));
  return out;
}

// A perfect hash: one look-up and one comparison find a name. Long and compact names together.
constexpr unsigned slot_bits = 10;
constexpr std::size_t slot(const Words& words, std::uint64_t factor) {
  return static_cast<std::size_t>((words.first + (words.last >> 3U)) * factor >> (64U - slot_bits));
}

constexpr std::size_t entry_count =
    static_cast<std::size_t>(
        std::ranges::count_if(rows, [](const Row& row) { return !row.compact.empty(); })) +
    rows.size();

struct Table {
  std::uint64_t factor = 0;
  std::array<Entry, entry_count> entries{};                       // the first one is no name
  std::array<std::uint8_t, std::size_t{1} << slot_bits> slots{};  // into entries

  // False when two names share a slot.
  constexpr bool fill() {
    slots.fill(0);
    for (std::size_t i = 1; i < entries.size(); ++i) {
      std::uint8_t& cell = slots[slot(entries[i].words, factor)];
      if (cell != 0) return false;
      cell = static_cast<std::uint8_t>(i);
    }
    return true;
  }
};

consteval Table make_table() {
  Table table;
  std::size_t count = 0;
  for (const Row& row : rows) table.entries[count++] = entry_of(row.name, row.id);
  for (const Row& row : rows)
    if (!row.compact.empty()) table.entries[count++] = entry_of(row.compact, row.id);
  // Tries multipliers until one spreads the names: a new name needs no other care.
  table.factor = 0x9e3779b97f4a7c15U;
  while (!table.fill()) table.factor = table.factor * 6364136223846793005U + 1442695040888963406U;
  return table;
}
constexpr Table table = make_table();

std::uint64_t load(const char* at) {
  std::uint64_t out = 0;
  std::memcpy(&out, at, sizeof out);
  return out;
}

}  // namespace

HeaderId header_id_from_padded(std::string_view name) {
  const Shape& shape = shapes[name.size()];
  const Words words{(load(name.data()) | lower_bits) & shape.keep,
                    (load(name.data() + shape.last) | lower_bits) & shape.keep};
  const Entry& entry = table.entries[table.slots[slot(words, table.factor)]];
  // All differences at once: one branch.
  if (((entry.words.first ^ words.first) | (entry.words.last ^ words.last) |
       (entry.size ^ name.size())) != 0)
    return HeaderId::Other;
  if (entry.middle != 0 && (load(name.data() + word) | lower_bits) != entry.middle)
    return HeaderId::Other;
  return entry.id;
}

HeaderId header_id_from(std::string_view name) {
  if (name.size() > header_name_max || name.find('\r') != std::string_view::npos)
    return HeaderId::Other;
  std::array<char, header_name_max + word> padded{};
  std::ranges::copy(name, padded.begin());
  return header_id_from_padded({padded.data(), name.size()});
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
