// Message's typed access. Included by message.h.
#pragma once
