// SIGINT and SIGTERM: finish what is in hand, write what is known, say that it is partial.
#pragma once

namespace sipassay::tools {

// From now on the first signal only sets a flag; the second one ends the process.
void catch_interrupts();
bool is_interrupted();

}  // namespace sipassay::tools
