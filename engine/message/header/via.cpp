#include "engine/message/header/via.h"

#include "engine/message/host.h"

namespace sipassay {

namespace {

// sent-protocol LWS
bool read_protocol(Reader& reader, Via& out) {
  if (reader.usual_protocol(out.protocol, out.version, out.transport)) return true;
  if (!reader.token(out.protocol)) return false;
  if (!reader.take_separator('/')) return reader.fail(ErrorCode::HeaderValue);
  if (!reader.token(out.version)) return false;
  if (!reader.take_separator('/')) return reader.fail(ErrorCode::HeaderValue);
  return reader.token(out.transport) &&
         (reader.skip_space() || reader.fail(ErrorCode::HeaderValue));
}

}  // namespace

bool Via::read(Reader& reader, Via& out) {
  if (!read_protocol(reader, out)) return false;
  if (!reader.host(out.host, out.is_ipv6)) return false;
  out.port.reset();
  if (reader.take_separator(':') && !reader.port(out.port)) return false;
  return reader.params(out.params);
}

void Via::write(Octets& out) const {
  out.add(protocol, '/', version, '/', transport, ' ');
  write_host(out, host, is_ipv6);
  if (port) {
    out += ':';
    out.add_number(*port);
  }
  out += params.text();
}

}  // namespace sipassay
