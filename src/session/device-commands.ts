import { JoulebenchError } from "../model/errors.ts";
import type { Finished, Transport } from "../model/transport.ts";
import { type Conditions, conditionsOf, READ_CONDITIONS } from "../rig/preflight.ts";
import type { Rig } from "../rig/rig.ts";
import { READ_TEMPERATURES, type Temperatures, temperaturesOf } from "../rig/temperature.ts";
import { transports } from "../transports/index.ts";

/** A command of a plan that takes longer hangs. */
const LIMIT_MS = 60_000;

/** The device between sessions: commands that run to their end. */
export interface DeviceCommands {
  /** @throws JoulebenchError `config` when the command does not end with 0, `link` when the device is lost */
  run(argv: readonly string[]): Promise<Finished>;
  temperatures(): Promise<Temperatures>;
  conditions(): Promise<Conditions>;
}

/** Whether there is a device that can be asked: an emulated one is no machine, and its host is not it. */
export const canBeAsked = ({ device }: Rig): boolean => device !== undefined && device.emulated === undefined;

/**
 * Reaches the rig's device for as long as `act` takes. Nothing of it stays open while a session is measured.
 *
 * @throws JoulebenchError `config` when its transport cannot run commands, `link` when it cannot be reached
 */
export async function onDevice<T>(rig: Rig, act: (device: DeviceCommands) => Promise<T>): Promise<T> {
  const wanted = rig.device?.transport;
  const kind = transports.find((each) => each.kind === wanted?.kind);
  if (!wanted || !kind) throw new JoulebenchError("config", rig.name, "has no device that can be asked");
  const transport = await kind.open(wanted, () => Number(process.hrtime.bigint()));
  try {
    return await act(commandsOf(transport, wanted.kind));
  } finally {
    await transport.close();
  }
}

/** @param name of the transport, for messages */
export function commandsOf(transport: Transport, name: string): DeviceCommands {
  const finish = (argv: readonly string[]): Promise<Finished> => {
    if (!transport.run)
      throw new JoulebenchError(
        "config",
        name,
        "this transport runs no commands between sessions; take settings and gates out of the plan",
      );
    return transport.run(argv, { limit_ms: LIMIT_MS });
  };
  return {
    run: async (argv) => {
      const finished = await finish(argv);
      if (finished.code !== 0) throw new JoulebenchError("config", shown(argv), `${howEnded(finished)}; it is a command of the plan`);
      return finished;
    },
    temperatures: async () => temperaturesOf((await finish(READ_TEMPERATURES)).output),
    conditions: async () => conditionsOf((await finish(READ_CONDITIONS)).output),
  };
}

function howEnded({ code, complaint }: Finished): string {
  const said = complaint.trim().split("\n").slice(-3).join(" / ");
  return `${code === null ? "was ended by a signal" : `ended with exit code ${code}`}${said ? `: ${said}` : ""}`;
}

/** An argument array for people: as a list, so that nobody takes it for a line of a shell. */
const shown = (argv: readonly string[]): string => JSON.stringify(argv).slice(0, 120);
