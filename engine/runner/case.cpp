#include "engine/runner/case.h"

namespace sipassay::runner {

std::string_view to_string(SutRole role) {
  switch (role) {
    case SutRole::Uas:
      return "uas";
    case SutRole::Uac:
      return "uac";
    case SutRole::Proxy:
      return "proxy";
    case SutRole::Registrar:
      return "registrar";
    case SutRole::Redirect:
      return "redirect";
  }
  return {};
}

}  // namespace sipassay::runner
