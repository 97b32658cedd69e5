#include "engine/message/multipart.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/base/ascii.h"
#include "engine/message/header/media.h"
#include "engine/message/params.h"

namespace sipassay {

namespace {

constexpr std::size_t boundary_octets_max = 70;  // RFC 2046 5.1.1

// RFC 2046 5.1.1: bchars, the last not a space.
bool is_boundary(std::string_view text) {
  if (text.empty() || text.size() > boundary_octets_max || text.back() == ' ') return false;
  return std::ranges::all_of(text, [](char c) {
    return ascii::is_alnum(c) ||
           std::string_view("'()+_,-./:=? ").find(c) != std::string_view::npos;
  });
}

std::unexpected<Error> malformed(std::size_t offset, ErrorCode code = ErrorCode::Body) {
  return std::unexpected(Error{code, offset});
}

// A delimiter line in a multipart body.
struct Delimiter {
  std::size_t begin = 0;  // of the CRLF in front of it, or of the line if it is the first
  std::size_t end = 0;    // behind the line's CRLF
  bool is_close = false;
};

// Walks over the delimiter lines of one boundary.
class DelimiterReader {
 public:
  DelimiterReader(std::string_view body, std::string_view boundary)
      : body_(body), dash_boundary_("--" + std::string(boundary)) {}

  std::optional<Delimiter> next() {
    while (search_ <= body_.size()) {
      const auto line = body_.find(dash_boundary_, search_);
      if (line == std::string_view::npos) return std::nullopt;
      search_ = line + 1;
      const bool follows_crlf = line >= 2 && body_.substr(line - 2, 2) == "\r\n";
      if (line != 0 && !follows_crlf) continue;
      const auto found = read_line(line);
      if (!found) continue;
      // The CRLF that ends one delimiter line also begins the next (an empty part).
      search_ = found->end >= 2 ? found->end : 0;
      return found;
    }
    return std::nullopt;
  }

 private:
  // RFC 2046 5.1.1: boundary, perhaps "--", padding, CRLF; the body may end behind the last one.
  std::optional<Delimiter> read_line(std::size_t line) const {
    Delimiter out{line == 0 ? 0 : line - 2, 0, false};
    std::size_t at = line + dash_boundary_.size();
    if (body_.substr(at, 2) == "--") {
      out.is_close = true;
      at += 2;
    }
    while (at < body_.size() && (body_[at] == ' ' || body_[at] == '\t')) ++at;
    if (body_.substr(at, 2) == "\r\n") {
      out.end = at + 2;
      return out;
    }
    if (!out.is_close || at != body_.size()) return std::nullopt;
    out.end = at;
    return out;
  }

  std::string_view body_;
  std::string dash_boundary_;
  std::size_t search_ = 0;
};

// Header lines of a part and what they say. `begin` is the offset of the part in the whole body.
class PartReader {
 public:
  PartReader(std::string_view content, std::size_t begin) : content_(content), begin_(begin) {}

  Parsed<Part> run() {
    if (content_.starts_with("\r\n") || content_.empty()) {
      part_.body = content_.substr(std::min<std::size_t>(2, content_.size()));
      return part_;
    }
    std::size_t at = 0;
    while (at < content_.size() && content_.substr(at, 2) != "\r\n") {
      const auto end = line_end(at);
      if (++fields_ > part_fields_max) return malformed(begin_ + at, ErrorCode::LimitExceeded);
      if (!read_field(content_.substr(at, end - at)))
        return malformed(begin_ + at, ErrorCode::HeaderName);
      at = std::min(end + 2, content_.size());
    }
    part_.headers = content_.substr(0, at);
    part_.body = content_.substr(std::min(at + 2, content_.size()));
    return part_;
  }

 private:
  // End of a header field that begins there: its folds belong to it.
  std::size_t line_end(std::size_t at) const {
    while (true) {
      const auto end = content_.find("\r\n", at);
      if (end == std::string_view::npos) return content_.size();
      const char next = end + 2 < content_.size() ? content_[end + 2] : '\0';
      if (next != ' ' && next != '\t') return end;
      at = end + 2;
    }
  }

  bool read_field(std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return false;
    auto name = line.substr(0, colon);
    while (name.ends_with(' ') || name.ends_with('\t')) name.remove_suffix(1);
    if (!ascii::is_token(name)) return false;
    const auto value = ascii::trim(line.substr(colon + 1));
    for (auto& [known, into] : fields()) {
      if (!ascii::iequals(name, known)) continue;
      if (into->data() != nullptr) return false;  // twice: which one holds would be a guess
      *into = value.empty() ? line.substr(line.size(), 0) : value;
    }
    return true;
  }

  std::array<std::pair<std::string_view, std::string_view*>, 4> fields() {
    return {{{"Content-Type", &part_.content_type},
             {"Content-Disposition", &part_.content_disposition},
             {"Content-ID", &part_.content_id},
             {"Content-Transfer-Encoding", &part_.content_transfer_encoding}}};
  }

  std::string_view content_;
  std::size_t begin_;
  std::size_t fields_ = 0;
  Part part_;
};

// One entity: a whole body, or a part of a multipart.
struct Entity {
  std::string_view content_type;
  std::string_view content_disposition;
  std::string_view transfer_encoding;
  std::string_view octets;
};

bool is_any_of(const std::vector<std::string_view>& names, std::string_view name) {
  return names.empty() ||
         std::ranges::any_of(names, [&](std::string_view n) { return ascii::iequals(n, name); });
}

// RFC 3261 27.x, RFC 2045 6: no decoding is needed for these.
bool is_plain_encoding(std::string_view encoding) {
  return encoding.empty() || ascii::iequals(encoding, "binary") ||
         ascii::iequals(encoding, "8bit") || ascii::iequals(encoding, "7bit");
}

class ContentsReader {
 public:
  ContentsReader(std::string_view whole, const BodySupport& support)
      : whole_(whole), support_(support) {}

  Parsed<BodyContents> run(const Entity& entity) {
    const auto done = read(entity, 0, false);
    if (!done) return std::unexpected(done.error());
    return std::move(out_);
  }

 private:
  using Done = std::expected<bool, Error>;  // true: understood

  std::size_t offset_of(std::string_view part) const {
    return static_cast<std::size_t>(part.data() - whole_.data());
  }

  Done read(const Entity& entity, std::size_t depth, bool ignores_handling) {
    const auto type = ContentType::parse(entity.content_type);
    if (!type) return malformed(offset_of(entity.octets), ErrorCode::HeaderValue);
    BodyPart part{entity.content_type, type->is("application", "sdp") ? "session" : "render", false,
                  entity.octets};
    if (!entity.content_disposition.empty()) {
      const auto disposition = ContentDisposition::parse(entity.content_disposition);
      if (!disposition) return malformed(offset_of(entity.octets), ErrorCode::HeaderValue);
      part.disposition = disposition->type;
      part.is_optional = disposition->is_optional();
    }
    if (ascii::iequals(type->type, "multipart")) return read_multipart(*type, part, depth);
    return read_leaf(*type, entity, part, ignores_handling);
  }

  Done read_leaf(const ContentType& type, const Entity& entity, const BodyPart& part,
                 bool ignores_handling) {
    if (++leaves_ > parts_max) return malformed(offset_of(entity.octets), ErrorCode::LimitExceeded);
    const bool is_sdp = type.is("application", "sdp");
    const bool is_session = ascii::iequals(part.disposition, "session");
    std::string name = std::string(type.type) + '/' + std::string(type.subtype);
    // Only SDP can describe a session (RFC 3261 13.2.1).
    const bool is_understood =
        is_any_of(support_.types, name) && is_any_of(support_.dispositions, part.disposition) &&
        (!is_session || is_sdp) && is_plain_encoding(entity.transfer_encoding);
    if (!is_understood && !part.is_optional && !ignores_handling) refuse(part);
    if (is_sdp && is_session && is_understood && !out_.session) {
      out_.session = part;
    } else if (is_sdp && ascii::iequals(part.disposition, "early-session") && !out_.early_session) {
      out_.early_session = part;
    } else {
      out_.others.push_back(part);
    }
    return is_understood;
  }

  void refuse(const BodyPart& part) {
    if (!out_.unsupported) out_.unsupported = part;
  }

  Done read_multipart(const ContentType& type, const BodyPart& part, std::size_t depth) {
    if (depth >= multipart_depth_max)
      return malformed(offset_of(part.octets), ErrorCode::LimitExceeded);
    const auto body = parse_multipart(part.octets, multipart_boundary(part.content_type));
    if (!body) {
      if (part.is_optional) return false;
      return malformed(offset_of(part.octets) + body.error().offset, body.error().code);
    }
    return ascii::iequals(type.subtype, "alternative") ? read_alternative(*body, part, depth)
                                                       : read_mixed(*body, depth);
  }

  static Entity entity_of(const Part& part) {
    return Entity{part.content_type.data() == nullptr ? "text/plain" : part.content_type,
                  part.content_disposition, part.content_transfer_encoding, part.body};
  }

  // RFC 5621 4.2; 7.3: multipart/related and unknown subtypes are treated as mixed.
  Done read_mixed(const Multipart& body, std::size_t depth) {
    for (const auto& part : body.parts) {
      const auto done = read(entity_of(part), depth + 1, false);
      if (!done) return done;
    }
    return true;
  }

  // RFC 5621 6.1: the last part that is understood; 8.3: handling of the parts is ignored.
  Done read_alternative(const Multipart& body, const BodyPart& whole, std::size_t depth) {
    for (auto part = body.parts.rbegin(); part != body.parts.rend(); ++part) {
      auto before = out_;
      const auto done = read(entity_of(*part), depth + 1, true);
      if (!done || *done) return done;
      out_ = std::move(before);
    }
    if (!whole.is_optional) refuse(whole);
    return false;
  }

  std::string_view whole_;
  const BodySupport& support_;
  std::size_t leaves_ = 0;
  BodyContents out_;
};

void append_part(std::string& out, const Part& part) {
  if (!part.headers.empty()) {
    out += part.headers;
    if (!part.headers.ends_with("\r\n")) out += "\r\n";
  } else {
    if (!part.content_type.empty())
      out.append("Content-Type: ").append(part.content_type) += "\r\n";
    if (!part.content_disposition.empty())
      out.append("Content-Disposition: ").append(part.content_disposition) += "\r\n";
    if (!part.content_id.empty()) out.append("Content-ID: ").append(part.content_id) += "\r\n";
    if (!part.content_transfer_encoding.empty())
      out.append("Content-Transfer-Encoding: ").append(part.content_transfer_encoding) += "\r\n";
  }
  out += "\r\n";
  out += part.body;
}

}  // namespace

Parsed<Multipart> parse_multipart(std::string_view body, std::string_view boundary) {
  if (!is_boundary(boundary)) return malformed(0, ErrorCode::Parameter);
  DelimiterReader delimiters(body, boundary);
  auto open = delimiters.next();
  if (!open || open->is_close) return malformed(open ? open->begin : body.size());
  Multipart out;
  out.preamble = body.substr(0, open->begin);
  while (true) {
    const auto close = delimiters.next();
    if (!close) return malformed(body.size());  // no close-delimiter
    if (out.parts.size() == parts_max) return malformed(open->begin, ErrorCode::LimitExceeded);
    // An empty part: its delimiter's CRLF is the one that ended the line before.
    const std::size_t length = close->begin > open->end ? close->begin - open->end : 0;
    auto part = PartReader(body.substr(open->end, length), open->end).run();
    if (!part) return std::unexpected(part.error());
    out.parts.push_back(*part);
    if (close->is_close) {
      out.epilogue = body.substr(close->end);
      return out;
    }
    open = close;
  }
}

std::string multipart_boundary(std::string_view content_type) {
  const auto type = ContentType::parse(content_type);
  if (!type || !ascii::iequals(type->type, "multipart")) return {};
  const auto boundary = type->params.find("boundary");
  return boundary ? unquote(boundary->value) : std::string{};
}

std::string make_multipart(const std::vector<Part>& parts, std::string_view boundary) {
  std::string out;
  for (const auto& part : parts) {
    out.append(out.empty() ? "--" : "\r\n--").append(boundary) += "\r\n";
    append_part(out, part);
  }
  out.append(out.empty() ? "--" : "\r\n--").append(boundary) += "--\r\n";
  return out;
}

Parsed<BodyContents> body_contents(const Message& message, const BodySupport& support) {
  const auto body = message.body();
  if (body.empty()) return BodyContents{};
  const auto encoding = message.raw(HeaderId::ContentEncoding);
  if (!encoding.empty() && !ascii::iequals(encoding, "identity")) {
    BodyContents out;
    out.is_encoded = true;
    out.unsupported = BodyPart{message.raw(HeaderId::ContentType), "render", false, body};
    return out;
  }
  // RFC 3261 20.15: a body MUST have a Content-Type; more than one is no better.
  if (message.line_count(HeaderId::ContentType) == 0) return malformed(0, ErrorCode::HeaderMissing);
  if (message.line_count(HeaderId::ContentType) > 1 ||
      message.line_count(HeaderId::ContentDisposition) > 1)
    return malformed(0, ErrorCode::HeaderRepeated);
  return ContentsReader(body, support)
      .run(Entity{
          message.raw(HeaderId::ContentType), message.raw(HeaderId::ContentDisposition), {}, body});
}

std::optional<std::string_view> session_description(const Message& message) {
  const auto contents = body_contents(message);
  if (!contents || !contents->session) return std::nullopt;
  return contents->session->octets;
}

std::string_view accepted_media_types() {
  return "application/sdp, multipart/mixed, multipart/alternative, message/sipfrag, text/plain";
}

}  // namespace sipassay
