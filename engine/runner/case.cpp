#include "engine/runner/case.h"

#include <algorithm>

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

bool is_disputed(const Case& one) {
  return std::ranges::find(one.tags, "disputed") != one.tags.end();
}

}  // namespace sipassay::runner
