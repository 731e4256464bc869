import type { SinkKind } from "../model/sink.ts";
import { influx } from "./influx.ts";

/** Every sink a rig file may name. A new one is a new file and one line here. */
export const sinks: readonly SinkKind[] = [influx];
