import type { Block } from "../model/block.ts";
import type { HostNs } from "../model/clock.ts";
import type { Fault, JoulebenchError } from "../model/errors.ts";
import type { LoggedEvent } from "../model/parser.ts";
import type { Ping } from "../model/ping.ts";
import type { Lapse } from "../model/tape.ts";
import type { ClockTie, ResponderClock } from "../wire/responder.ts";

/** Statements the session itself puts on the tape about the course of a measurement. */
export type Mark = "idle_start" | "idle_end" | "workload_start" | "workload_end" | "interrupted";

/** What one record of the tape turned out to hold. */
export type Observation =
  | { readonly type: "block"; readonly block: Block; readonly host_ns: HostNs }
  | { readonly type: "event"; readonly event: LoggedEvent; readonly channel: number; readonly host_ns: HostNs }
  | { readonly type: "clock"; readonly clock: ResponderClock; readonly channel: number }
  | { readonly type: "tie"; readonly tie: ClockTie; readonly channel: number }
  | { readonly type: "ping"; readonly ping: Ping }
  | { readonly type: "pong"; readonly id: number; readonly host_ns: HostNs }
  | {
      readonly type: "edge";
      readonly source: string;
      readonly epoch: number;
      readonly input: string;
      readonly level: 0 | 1;
      readonly tick: number;
    }
  | { readonly type: "break"; readonly source: string; readonly from_s: number; readonly to_s: number }
  | { readonly type: "identity"; readonly source: string; readonly facts: Readonly<Record<string, string | number>> }
  | { readonly type: "ready"; readonly source: string }
  | { readonly type: "stopped"; readonly source: string }
  | { readonly type: "done"; readonly source: string }
  | { readonly type: "pulses_asked"; readonly epoch: number; readonly host_ns: HostNs }
  | { readonly type: "pulse"; readonly epoch: number; readonly on: number; readonly off: number; readonly isOnPongs: boolean }
  | { readonly type: "pulses_answered"; readonly answer: "done" | "unsupported"; readonly host_ns: HostNs }
  | { readonly type: "trigger"; readonly epoch: number; readonly level: 0 | 1; readonly tick: number; readonly host_ns: HostNs }
  | { readonly type: "lapse"; readonly lapse: Lapse }
  | { readonly type: "mark"; readonly mark: Mark; readonly host_ns: HostNs }
  | { readonly type: "fault"; readonly fault: Fault }
  | { readonly type: "failed"; readonly source: string; readonly error: JoulebenchError };
