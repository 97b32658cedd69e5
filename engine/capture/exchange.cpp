#include "engine/capture/exchange.h"

#include <map>
#include <string>

#include "engine/message/header/all.h"

namespace sipassay::capture {
namespace {

using Key = std::vector<std::string>;

class Finder {
 public:
  Place place(const Captured& captured, std::size_t index) {
    const Message& message = captured.message;
    const auto cseq = message.maybe<CSeq>();
    const std::string number = cseq ? std::to_string(cseq->number) : "";
    const std::string method(cseq ? cseq->method_text : "");
    const auto via = message.get<Via>();
    const std::string branch(via ? via->branch() : "");
    const auto to = message.maybe<To>();
    const std::string tag(to ? to->tag() : "");
    const std::string call(message.raw(HeaderId::CallId));
    Place out;
    // The same request passed on has another branch, the same response one Via fewer.
    const Key whole{std::to_string(message.status()), call, number, method,
                    message.is_request() ? "" : tag};
    if (message.is_request()) {
      const Key key{captured.from.host,
                    captured.to.host,
                    branch,
                    std::string(message.method_text()),
                    call,
                    number};
      out.copy_of = find_or_add(requests_, key, index);
    } else {
      // RFC 3261 17.1.3: branch and method; the hosts, because ports may differ (18.2.2).
      const auto found =
          requests_.find({captured.to.host, captured.from.host, branch, method, call, number});
      if (found != requests_.end()) out.request = found->second;
      Key key = whole;
      key.insert(key.end(), {captured.from.host, captured.to.host, branch,
                             std::string(message.raw(HeaderId::RSeq))});
      out.copy_of = find_or_add(responses_, key, index);
    }
    for (const auto& [receiver, sender, earlier] : passed_[whole])
      if (receiver == captured.from.host && sender != captured.from) out.original = earlier;
    passed_[whole].push_back({captured.to.host, captured.from, index});
    return out;
  }

 private:
  struct Passed {
    std::string receiver;
    Endpoint sender;
    std::size_t index;
  };

  static std::optional<std::size_t> find_or_add(std::map<Key, std::size_t>& all, const Key& key,
                                                std::size_t index) {
    const auto [found, is_new] = all.try_emplace(key, index);
    if (is_new) return std::nullopt;
    return found->second;
  }

  std::map<Key, std::size_t> requests_, responses_;
  std::map<Key, std::vector<Passed>> passed_;
};

}  // namespace

std::vector<Place> places(std::span<const Captured> messages) {
  std::vector<Place> out;
  out.reserve(messages.size());
  Finder finder;
  for (std::size_t i = 0; i < messages.size(); ++i)
    out.push_back(messages[i].error ? Place{} : finder.place(messages[i], i));
  return out;
}

}  // namespace sipassay::capture
