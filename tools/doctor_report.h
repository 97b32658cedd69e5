// A diagnosis to read.
#pragma once

#include <string>

#include "tools/doctor_diagnosis.h"

namespace sipassay::tools {

std::string diagnosis_text(const Diagnosis& diagnosis, bool has_colours);
// {"schema": 1, "sut": {…}, "symptoms": […], "users": […], "differences": N, "violations": N}
std::string diagnosis_json(const Diagnosis& diagnosis);

}  // namespace sipassay::tools
