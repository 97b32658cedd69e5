#include "engine/runner/run.h"

#include <utility>

#include "engine/runner/script.h"

namespace sipassay::runner {

struct CaseRun::Impl {
  Impl(const Case& the_case, CaseOptions options, Instant now)
      : script(the_case, std::move(options), now) {}
  Script script;
};

CaseRun::CaseRun(const Case& the_case, CaseOptions options, Instant now)
    : impl_(std::make_unique<Impl>(the_case, std::move(options), now)) {}
CaseRun::~CaseRun() = default;
CaseRun::CaseRun(CaseRun&&) noexcept = default;
CaseRun& CaseRun::operator=(CaseRun&&) noexcept = default;

void CaseRun::handle(Input input, Instant now) {
  impl_->script.handle(std::move(input), now);
}
Output CaseRun::poll() {
  return impl_->script.poll();
}
bool CaseRun::is_done() const {
  return impl_->script.is_done();
}
CaseResult CaseRun::result() const {
  return impl_->script.result();
}

}  // namespace sipassay::runner
