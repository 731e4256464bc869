import type { EngineKind } from "../model/engine.ts";

/** Every engine whose workload can be driven from here; a plan names one by its `kind`. */
export const engines: readonly EngineKind[] = [];
