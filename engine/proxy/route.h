// What a proxy does to the messages that it sends on (RFC 3261 16.4, 16.6), as functions without
// state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/endpoint.h"
#include "engine/message/message.h"
#include "engine/message/uri.h"

namespace sipassay::proxy {

// Names and addresses of one proxy.
struct Place {
  std::string domain;           // empty: the addresses alone
  std::vector<Endpoint> local;  // where it listens; not empty

  // A resource that this proxy is responsible for (16.5): its domain, or one of its hosts, whatever
  // port it listens on.
  bool serves(const Uri& uri) const;
  // An address of this proxy: no port is the default one.
  bool is_here(const Uri& uri) const;
  bool is_here(std::string_view host, std::uint16_t port) const;
};

// 16.4: undoes what a strict router did, strips an maddr that names us, takes our own Route off.
void preprocess(Message& request, const Place& place, const Flow& flow);

// RFC 5393 4.2.1: the second part of a branch, of all that the way of the request depends on and
// not of its method.
std::string loop_mark(const Message& request, std::uint64_t secret);
// RFC 5393 4.2.2: a Via of ours has that mark already.
bool has_looped(const Message& request, std::string_view mark, const Place& place);

// RFC 5393 5.3.3: the Max-Breadth that a request came with, or what it is given.
inline constexpr unsigned breadth_max = 60;
unsigned breadth_of(const Message& request);

struct Hop {
  std::string target;  // the new Request-URI; what may not stand in one is left out
  std::string path;    // Path of the binding (RFC 3327), put before all Route values
  Endpoint local;      // for Record-Route
  unsigned breadth = breadth_max;
};
// 16.6 steps 1 to 5: a copy for that target; Via, strict routers and Content-Length come after.
Message copy_for(const Message& request, const Hop& hop);
// 16.6 step 6: the request as a strict router wants it, if the first Route is one. True: the next
// hop is the Request-URI, whatever Route says (step 7).
bool rewrite_for_strict_router(Message& copy);

}  // namespace sipassay::proxy
