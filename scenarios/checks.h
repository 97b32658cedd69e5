// Parts of steps: what a message must be, what is checked on it, what is sent differently.
#pragma once

#include <string_view>
#include <vector>

#include "engine/runner/case.h"
#include "scenarios/element.h"

namespace sipassay::scenarios {

// method= or status= with of=, dialog=, peer=. At least one of the two unless may_be_any.
runner::Pattern read_pattern(Element& element);
// <header> and <sdp> inside an <expect> or <check>.
std::vector<runner::Check> read_checks(Element& element);
// sdp=, request-uri=, … and <set>, <add>, <remove>, … inside a <send> or <reply>; <credentials>
// where the step has any.
runner::MessageEdit read_edit(Element& element, runner::CredentialsEdit* credentials = nullptr);

// The name of a message that is in sight; empty text gives nothing to check.
std::string read_message_name(Element& element, std::string_view attribute, bool is_required);
// A new name for a message.
std::string read_new_name(Element& element);
// A dialog's name: the first use declares it.
std::string read_dialog_name(Element& element);
std::string read_peer_name(Element& element);

}  // namespace sipassay::scenarios
