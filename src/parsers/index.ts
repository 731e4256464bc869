import type { EventParserKind } from "../model/parser.ts";
import { jsonl } from "./jsonl.ts";
import { llamaBench } from "./llama-bench.ts";
import { llamaCli, llamaCompletion } from "./llama-completion.ts";
import { llamaServer } from "./llama-server.ts";
import { llmfarm } from "./llmfarm.ts";
import { logcatJsonl } from "./logcat-jsonl.ts";
import { mlc } from "./mlc.ts";

/** Every log format we can read; the rig names one by its `kind`. */
export const parsers: readonly EventParserKind[] = [jsonl, logcatJsonl, llamaServer, llamaCompletion, llamaCli, llamaBench, mlc, llmfarm];
