import type { EventParserKind } from "../model/parser.ts";
import { jsonl } from "./jsonl.ts";

/** Every log format we can read; the rig names one by its `kind`. */
export const parsers: readonly EventParserKind[] = [jsonl];
