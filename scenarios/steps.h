// The steps of a scenario or flow.
#pragma once

#include <string>
#include <vector>

#include "engine/runner/case.h"
#include "scenarios/element.h"
#include "scenarios/reader.h"

namespace sipassay::scenarios {

class StepReader {
 public:
  StepReader(FlowLibrary* flows) : flows_(flows) {}

  // Appends the element's step, or the steps of the flow that it uses.
  void read(Element element, runner::Steps& out);
  // Elements that are steps.
  static bool is_step(std::string_view name);
  static std::vector<std::string_view> step_names();

 private:
  struct Row;
  static const std::vector<Row>& rows();

  void read_all(std::vector<Element> elements, runner::Steps& out);
  void sut(Element& element, runner::Steps& out);
  void send(Element& element, runner::Steps& out);
  void reply(Element& element, runner::Steps& out);
  void expect(Element& element, runner::Steps& out);
  void either(Element& element, runner::Steps& out);
  void unordered(Element& element, runner::Steps& out);
  void forbid(Element& element, runner::Steps& out);
  void again(Element& element, runner::Steps& out);
  void resend(Element& element, runner::Steps& out);
  void network(Element& element, runner::Steps& out);
  void wait(Element& element, runner::Steps& out);
  void state(Element& element, runner::Steps& out);
  void dialog(Element& element, runner::Steps& out);
  void check(Element& element, runner::Steps& out);
  void use(Element& element, runner::Steps& out);

  template <class T>
  void add(const Element& element, T action, runner::Steps& out);

  FlowLibrary* flows_;
  std::vector<std::string> open_flows_;
  std::size_t use_line_ = 0;
  std::size_t count_ = 0;
};

}  // namespace sipassay::scenarios
