import type { EngineKind } from "../model/engine.ts";
import { app } from "./app.ts";
import { command } from "./command.ts";
import { llamaBench } from "./llama-bench.ts";
import { llamaCompletion } from "./llama-completion.ts";
import { llamaServer } from "./llama-server.ts";

/** Every way to make a device work; the plan names one by its `kind`. */
export const engines: readonly EngineKind[] = [llamaServer, llamaCompletion, llamaBench, command, app];
