import type { Command } from "commander";
import type { LoadReference } from "../metrics/calibration.ts";
import { JoulebenchError } from "../model/errors.ts";
import { withCalibration } from "../rig/calibration.ts";
import { instrumentOf, parseRig, type Rig } from "../rig/rig.ts";
import { type CalibrationReadings, calibrationOf, readLoad, readZero } from "../session/calibrate.ts";
import type { WatchedChannel } from "../session/steady.ts";
import { writeWhole } from "../store/session-file.ts";
import { Asker } from "./ask.ts";
import { methodOf, type ReferenceFlags, referenceOf } from "./calibration-reference.ts";
import { calibrationText } from "./calibration-text.ts";
import { conclude, EXIT } from "./exit.ts";
import { readText } from "./read-file.ts";

export function registerCalibrate(program: Command): void {
  program
    .command("calibrate")
    .argument("<rig>", "rig file; the calibration is stored in it")
    .description("measure zero and gain of an instrument against a known resistor or a second meter")
    .option("--open", "nothing is connected: measure the zero current")
    .option("--resistor <ohm>", "this resistor is the load")
    .option("--resistor-uncertainty <percent>", "its standard uncertainty (k = 1), such as 0.1%")
    .option("--reference-current <A>", "a second meter in the same circuit shows this current")
    .option("--reference-voltage <V>", "a second meter shows this voltage over the load")
    .option("--reference-uncertainty <percent>", "standard uncertainty (k = 1) of what that meter shows")
    .option("--instrument <name>", "default: the one that measures the rig's measurand")
    .option("--seconds <number>", "length of each reading", "20")
    .option("--dry-run", "show the result, store nothing")
    .option("--json", "print the result as one JSON document")
    .addHelpText("after", HELP)
    .action((path: string, options: CalibrateOptions) => conclude(() => calibrateCommand(path, options)));
}

const HELP = `
Without --open and without a reference it asks, step by step. A limit of error
such as a tolerance of 0.5 % has the standard uncertainty 0.5 % / 1.73.

Examples:
  joulebench calibrate rigs/pi5.yaml
  joulebench calibrate rigs/pi5.yaml --open --resistor 10.02 \\
    --resistor-uncertainty 0.1% --reference-voltage 5.083 \\
    --reference-uncertainty 0.05%`;

interface CalibrateOptions extends ReferenceFlags {
  readonly open?: boolean;
  readonly instrument?: string;
  readonly seconds: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Shorter readings have too few samples for their batches. */
const LEAST_SECONDS = 1;

async function calibrateCommand(path: string, options: CalibrateOptions): Promise<number> {
  const text = readText(path, "a rig file; `joulebench init` writes one");
  const rig = parseRig(text, path);
  const at = channelOf(rig, options);
  const given = referenceOf(options);
  const isGuided = !options.open && given === undefined;
  const asker = new Asker();
  try {
    const { readings, method } = isGuided ? await guided(rig, at, asker) : await byFlags(rig, at, { options, given, asker });
    const outcome = calibrationOf(rig, at, readings, { now: new Date().toISOString(), method });
    const changed = withCalibration(text, path, at.source, outcome.calibration);
    if (!options.json) process.stdout.write(`${calibrationText(outcome, readings, at)}\n`);
    const isStored = !options.dryRun && (!isGuided || (await asker.confirm(`Store this in ${path}?`)));
    if (isStored) writeWhole(path, changed);
    if (options.json) {
      const { source: instrument, channel } = at;
      process.stdout.write(`${JSON.stringify({ instrument, channel, ...outcome, stored: isStored }, null, 1)}\n`);
    } else if (isStored)
      process.stdout.write(`stored in ${path}\nFor a session measured before: joulebench analyze SESSION --rig ${path}\n`);
    return EXIT.valid;
  } finally {
    asker.close();
  }
}

/** @throws JoulebenchError `config` when the rig has no such instrument */
function channelOf(rig: Rig, { instrument, seconds }: CalibrateOptions): WatchedChannel {
  const [measured, channel = ""] = rig.measurand?.split(".") ?? [];
  const source = instrument ?? measured;
  if (source === undefined) throw new JoulebenchError("config", rig.name, "has no instrument, so there is nothing to calibrate");
  if (!(source in rig.instruments))
    throw new JoulebenchError("config", source, `no such instrument in the rig; there are: ${Object.keys(rig.instruments).join(", ")}`);
  if (!(Number(seconds) >= LEAST_SECONDS))
    throw new JoulebenchError("config", `--seconds ${seconds}`, `expected a number from ${LEAST_SECONDS} on`);
  const { kind } = instrumentOf(rig, source);
  return { source, channel: source === measured ? channel : kind.channels[0]!, seconds: Number(seconds) };
}

interface Taken {
  readonly readings: CalibrationReadings;
  readonly method: string;
}

async function guided(rig: Rig, at: WatchedChannel, asker: Asker): Promise<Taken> {
  await asker.ask("Disconnect everything from the output of the meter, then press Enter.");
  announce("zero current", at);
  const zero = await readZero(rig, at);
  await asker.ask("Connect the load and let it get warm, then press Enter.");
  const flags = await asker.reference();
  const reference = referenceOf(flags)!;
  announce("load", at);
  return { readings: { zero, load: await readLoad(rig, at), reference }, method: methodOf(flags, true) };
}

interface ByFlags {
  readonly options: CalibrateOptions;
  readonly given: LoadReference | undefined;
  readonly asker: Asker;
}

/** What the flags name is measured at once; between the two steps the user has to connect the load. */
async function byFlags(rig: Rig, at: WatchedChannel, { options, given, asker }: ByFlags): Promise<Taken> {
  const isOpen = options.open === true;
  if (isOpen) announce("zero current", at);
  const zero = isOpen ? { zero: await readZero(rig, at) } : {};
  const method = methodOf(options, isOpen);
  if (!given) return { readings: zero, method };
  if (isOpen) await asker.ask("Connect the load and let it get warm, then press Enter.");
  announce("load", at);
  return { readings: { ...zero, load: await readLoad(rig, at), reference: given }, method };
}

const announce = (what: string, { source, channel, seconds }: WatchedChannel): void =>
  void process.stderr.write(`reading the ${what} of ${source}.${channel} for ${seconds} s…\n`);
