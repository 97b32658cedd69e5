#include "engine/message/header/via.h"

#include "engine/message/host.h"

namespace sipassay {

bool Via::read(Reader& reader, Via& out) {
  if (!reader.token(out.protocol)) return false;
  if (!reader.take_separator('/')) return reader.fail(ErrorCode::HeaderValue);
  if (!reader.token(out.version)) return false;
  if (!reader.take_separator('/')) return reader.fail(ErrorCode::HeaderValue);
  if (!reader.token(out.transport)) return false;
  if (!reader.skip_space()) return reader.fail(ErrorCode::HeaderValue);
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
