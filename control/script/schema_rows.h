// A menu's properties as rows: what `schema` answers in every menu. No state; any thread.
#pragma once

#include "control/model/commands.h"

namespace maclane::script {

void serve_schema(model::Commands& commands);

}  // namespace maclane::script
