// <scenario> and <flow> elements → cases.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/runner/case.h"
#include "scenarios/catalogue.h"
#include "scenarios/element.h"
#include "scenarios/source.h"

namespace sipassay::scenarios {

// The flows of one root, read when first used. Their own errors count as errors of the user.
class FlowLibrary {
 public:
  explicit FlowLibrary(std::string folder) : folder_(std::move(folder)) {}

  struct Flow {
    std::unique_ptr<Source> source;
    pugi::xml_node root;
  };
  // Nothing when there is no such flow or it is broken; broken ones are in problems.
  const Flow* find(const std::string& name, Problems& problems);
  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
  std::map<std::string, Flow> flows_;
};

// What a scenario is read against; either part may be missing.
struct Library {
  FlowLibrary* flows = nullptr;
  const Catalogue* catalogue = nullptr;
};

// Every member of the family in one file (one case when there is no family).
std::vector<runner::Case> read_scenario(const Source& source, pugi::xml_node root,
                                        const Library& library, Problems& problems);

}  // namespace sipassay::scenarios
