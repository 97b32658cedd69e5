#include <variant>
#include <vector>

#include "engine/message/header/visit.h"
#include "engine/message/message_bench_peer.h"
#include "engine/message/parse.h"
#include "engine/message/serialise.h"

namespace sipassay::bench {

namespace {

// The compiler must assume that the value is looked at.
template <class T>
void look_at(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

template <class... Headers>
std::variant<std::monostate, Headers...> variant_of(TypeList<Headers...>);
using AnyHeader = decltype(variant_of(AllHeaders()));

struct Line {
  AnyHeader value;        // a typed value, or
  std::string_view name;  // a header field that has no type: name and value
  std::string_view text;
};

struct Kept {
  Message message;  // owns the octets that the values look into
  Uri request_uri;
  std::vector<Line> lines;
};

class Sipassay : public Peer {
 public:
  std::string_view name() const override { return "sipassay"; }
  std::string_view parse_means() const override {
    return "parse_message into a used Message, the Request-URI, then every value of every standard "
           "header field "
           "into its checked typed value (URIs and parameters included)";
  }
  std::string_view write_means() const override {
    return "start line, every header field from its typed value (URIs from their parts), body, "
           "into used memory";
  }

  bool parse(std::string_view octets) override {
    if (!parse_message(octets, message_)) return false;
    bool is_good = true;
    if (message_.is_request()) {
      const auto uri = message_.target();
      is_good = uri.has_value();
      look_at(uri);
    }
    visit_values(message_, [&is_good](const auto& value) {
      is_good = is_good && value.has_value();
      look_at(value);
    });
    return is_good;
  }

  bool keep(std::string_view octets) override {
    auto kept = std::make_unique<Kept>();
    if (!parse_message(octets, kept->message)) return false;
    const Message& message = kept->message;
    if (message.is_request()) {
      const auto uri = parse_uri(message.request_uri());
      if (!uri) return false;
      kept->request_uri = *uri;
    }
    for (std::size_t i = 0; i < message.field_count(); ++i) {
      const HeaderField field = message.field(i);
      if (field.id == HeaderId::Other) kept->lines.push_back({{}, field.name, field.value});
      AllHeaders::for_each([&]<class H>() {
        if (H::id != field.id) return;
        for (auto it = Values<H>::of_line(message, i); !it.is_end(); ++it)
          if (*it) kept->lines.push_back({**it, {}, {}});
      });
    }
    kept_.push_back(std::move(kept));
    return true;
  }
  std::size_t kept_count() const override { return kept_.size(); }

  std::size_t write(std::size_t index) override {
    const Kept& kept = *kept_[index];
    out_.clear();
    if (kept.message.is_request())
      write_request_line(out_, kept.message.method_text(), kept.request_uri);
    else
      write_status_line(out_, kept.message.status(), kept.message.reason());
    for (const Line& line : kept.lines) {
      std::visit(
          [&]<class H>(const H& value) {
            if constexpr (std::is_same_v<H, std::monostate>)
              write_field(out_, line.name, line.text);
            else
              write_field(out_, value);
          },
          line.value);
    }
    write_body(out_, kept.message.body());
    look_at(out_);
    return out_.size();
  }

 private:
  Message message_;
  std::vector<std::unique_ptr<Kept>> kept_;
  Octets out_;
};

}  // namespace

std::unique_ptr<Peer> make_sipassay() {
  return std::make_unique<Sipassay>();
}

}  // namespace sipassay::bench
