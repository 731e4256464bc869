import { engines } from "../engines/index.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { Cell } from "../rig/cells.ts";
import type { Rig } from "../rig/rig.ts";
import type { Bench } from "./bench.ts";
import { DEVICE } from "./device-decoder.ts";
import type { DeviceLink } from "./device-link.ts";
import { pause } from "./waiting.ts";
import { EngineWorkload, type Workload } from "./workload.ts";

/** What a session is to do with an engine: a cell of a plan, as far as the session needs it. */
export type Work = Pick<Cell, "plan" | "items">;

/**
 * Opens the engine of a rig on its device. All it hears and says stands on the tape as the device's; its channel ends
 * with `close`.
 *
 * @throws JoulebenchError `config` for what the plan or the device must change; `link`
 */
export async function openWorkload(bench: Bench, rig: Rig, work: Work, { device, signal: ended }: Driving): Promise<Workload> {
  const { kind: name, ...options } = rig.device?.engine ?? {};
  const kind = engines.find((each) => each.kind === name);
  if (!kind) throw new JoulebenchError("config", rig.name, `no engine is called ${String(name)}`);
  const { recorder, now } = bench;
  const givenUp = new AbortController();
  const signal = AbortSignal.any([ended, givenUp.signal]);
  const keep = (what: "rx" | "tx", text: string, host_ns: number): void =>
    recorder.append({ source: DEVICE, kind: what, host_ns, bytes: new TextEncoder().encode(`${text}\n`) });
  recorder.state(DEVICE, "open", now(), { engine: name });
  const engine = await kind.open(options, {
    transport: device.transport,
    now,
    signal,
    hear: (text, host_ns) => keep("rx", text, host_ns),
    say: (text) => {
      const host_ns = now();
      keep("tx", text, host_ns);
      return host_ns;
    },
  });
  const workload = new EngineWorkload(engine, work, {
    signal,
    state: (statement) => recorder.state(DEVICE, "control", now(), { statement }),
    pause: (duration_s) => pause(bench, duration_s, signal),
  });
  return {
    prepare: () => workload.prepare(),
    warmUp: () => workload.warmUp(),
    work: () => workload.work(),
    giveUp: () => givenUp.abort(),
    close: async () => {
      await workload.close();
      recorder.state(DEVICE, "close", now(), {});
    },
  };
}

/** Through which link an engine is driven, and until when. */
export interface Driving {
  readonly device: DeviceLink;
  readonly signal: AbortSignal;
}
