import { z } from "zod";
import { instruments } from "../instruments/index.ts";
import type { InstrumentKind } from "../model/instrument.ts";
import type { Measurand } from "../model/recording.ts";
import { parsers } from "../parsers/index.ts";
import { sinks } from "../sinks/index.ts";
import { transports } from "../transports/index.ts";
import { NO_DASH } from "./conditions.ts";
import { Plan } from "./plan.ts";
import { type Problem, parseYaml, problemError, problemsOf } from "./problems.ts";

const NAME = /^[a-z0-9][a-z0-9-]*$/;
const SourceName = z.string().regex(NAME, "lower case letters, digits and dashes, for it names data and files");

type Options = [z.ZodObject, ...z.ZodObject[]];

const Command = z.array(z.string()).min(1);

/** How the device is reached while its meter measures, which the cable that charges it would spoil. */
const LINKS = ["usb", "wifi", "detached"] as const;

/** Commands that switch the device's USB socket, such as uhubctl or ykushcmd: program and arguments, no shell. */
export interface UsbPowerCommands {
  readonly off: readonly string[];
  readonly on: readonly string[];
}

/** What every calibration says beside its values, which stand in for the instrument's options of the same names. */
const CALIBRATED = {
  date: z
    .string()
    .refine((text) => !Number.isNaN(Date.parse(text)), "expected a date such as 2026-03-01 or 2026-03-01T09:30Z")
    .describe("When its gain was calibrated; `joulebench calibrate` writes it"),
  method: z.string().optional().describe("Against what"),
};

const instrumentOptions = instruments.map((each) =>
  each.options.safeExtend({
    kind: z.literal(each.kind),
    port: z.string().min(1).optional().describe("Serial port, best by its lasting name below /dev/serial/by-id"),
    baud: z.int().positive().default(each.baud),
    emulated: z.literal(each.kind).optional().describe("Firmware in an emulator, instead of a port"),
    ...(each.calibration ? { calibration: each.calibration.values.safeExtend(CALIBRATED).optional() } : {}),
  }),
);

const transportOptions = transports.map((each) => each.options.safeExtend({ kind: z.literal(each.kind) }));

/** The schema of a rig file, before what spans several keys is checked; docs/rig.md is tested against it. */
export const Rig = z.strictObject({
  name: SourceName,
  instruments: z.record(SourceName, z.discriminatedUnion("kind", instrumentOptions as unknown as Options)).default({}),
  measurand: z
    .string()
    .regex(/^[^.]+\.[^.]+$/, "expected <instrument>.<channel>, for example meter.main")
    .optional()
    .describe("Which watts count; without instruments none do, and times alone are measured"),
  calibration_max_age_days: z.number().positive().optional().describe("A session whose calibration is older, or missing, is not valid"),
  device: z
    .strictObject({
      transport: z.discriminatedUnion("kind", transportOptions as unknown as Options).default({ kind: "local" }),
      command: z.array(z.string()).optional().describe("The workload: program and arguments, no shell; `[]` for an app"),
      emulated: z.literal("phone").optional().describe("The simulated phone, instead of a command"),
      link: z.enum(LINKS).default("usb").describe("How the device is reached while its meter measures"),
      usb_power: z
        .strictObject({
          off: Command.describe("switches the power of the device's USB socket off: program and arguments, no shell"),
          on: Command.describe("switches it on again, which is done on every exit, a crash included"),
        })
        .optional(),
      clock: z
        .enum(["realtime", "monotonic", "boottime"])
        .optional()
        .describe("The clock of stamps that do not name theirs, where a loop on the device answers the pings; by default the loop's"),
      engine: z
        .record(z.string(), z.unknown())
        .optional()
        .describe("Defaults for the engine a plan drives on it: its kind and its options"),
      battery_wh: z.number().positive().optional().describe("energy of the full battery, to project requests per charge"),
      events: z.enum(parsers.map((each) => each.kind) as [string, ...string[]]).default("jsonl"),
    })
    .optional(),
  plan: Plan.prefault({}),
  keep_tape: z.enum(["compressed", "all"]).default("compressed").describe("How closed segments of the tape are kept"),
  tape_reserve_mib: z.int().min(0).max(1024).default(64).describe("Space kept back so that a session ends in order on a full disk"),
  sinks: z.strictObject(Object.fromEntries(sinks.map((each) => [each.kind, each.options.optional()]))).prefault({}),
  simulate: z
    .strictObject({
      seed: z.int().default(1),
      clock_offset_s: z.number().default(3.217),
      clock_ppm: z.number().min(-1000).max(1000).default(37),
      bridge_ppm: z.number().min(-10_000).max(10_000).default(-1200),
      shunt_ohm: z.number().positive().default(0.10005).describe("The emulated bridge's shunt as it is, whatever the rig believes"),
      load_w: z.number().min(0).optional().describe("A constant load on the emulated supply, instead of the phone"),
      load_file: z.string().min(1).optional().describe("Where programs announce what they are about to draw besides"),
    })
    .prefault({}),
});

/** One instrument as the rig names it: its own options plus where it is reached. */
export interface RigInstrument extends Readonly<Record<string, unknown>> {
  readonly kind: string;
  readonly port?: string;
  readonly baud: number;
  readonly emulated?: string;
  readonly calibration?: Calibration;
}

/** A calibration as the rig keeps it: its date, and the options it replaces. */
export interface Calibration extends Readonly<Record<string, unknown>> {
  readonly date: string;
  readonly method?: string;
}

export type Rig = Omit<z.infer<typeof Rig>, "instruments" | "device" | "sinks"> & {
  readonly instruments: Readonly<Record<string, RigInstrument>>;
  readonly device?: {
    readonly transport: Readonly<Record<string, unknown>> & { readonly kind: string };
    readonly command?: readonly string[];
    readonly emulated?: "phone";
    readonly link: (typeof LINKS)[number];
    readonly usb_power?: UsbPowerCommands;
    readonly clock?: "realtime" | "monotonic" | "boottime";
    readonly engine?: Readonly<Record<string, unknown>>;
    readonly battery_wh?: number;
    readonly events: string;
  };
  readonly sinks: Readonly<Record<string, unknown>>;
};

/** Parses a rig file. @throws JoulebenchError `config` with everything wrong at once, before anything is opened. */
export function parseRig(text: string, path: string): Rig {
  const source = parseYaml(text, path);
  if (source.value === null) throw problemError(path, source, [{ path: [], message: "is empty; `joulebench init` writes a rig" }]);
  const result = Rig.safeParse(source.value, { reportInput: true });
  const problems = [...(result.success ? [] : problemsOf(result.error)), ...(isRecord(source.value) ? crossCheck(source.value) : [])];
  if (problems.length > 0 || !result.success) throw problemError(path, source, problems);
  return result.data as unknown as Rig;
}

/** The rig as an earlier session stored it. @throws JoulebenchError `config` when it is no longer understood. */
export function storedRig(content: unknown, path: string): Rig {
  return parseRig(JSON.stringify(content ?? {}), path);
}

/** The kind and the options of an instrument, calibration applied, as its driver wants them. @throws RangeError for a source the rig has not. */
export function instrumentOf(
  rig: Rig,
  source: string,
): { readonly kind: InstrumentKind; readonly options: unknown; readonly rigged: RigInstrument } {
  const rigged = rig.instruments[source];
  const kind = instruments.find((each) => each.kind === rigged?.kind);
  if (!rigged || !kind) throw new RangeError(`no instrument ${source} in rig ${rig.name}`);
  const { kind: _kind, port: _port, baud: _baud, emulated: _emulated, calibration, ...options } = rigged;
  const { date: _date, method: _method, ...calibrated } = calibration ?? {};
  return { kind, options: { ...options, ...calibrated }, rigged };
}

/** The power that counts; undefined for a rig without a meter, which measures times alone. */
export function measurandOf(rig: Rig): Measurand | undefined {
  if (rig.measurand === undefined) return undefined;
  const [source = "", channel = ""] = rig.measurand.split(".");
  const { kind, options } = instrumentOf(rig, source);
  return { source, channel, accuracy: kind.accuracy(options, channel) };
}

/** What spans several keys; works on the raw value, so that it is reported together with the rest. */
function crossCheck(rig: Readonly<Record<string, unknown>>): Problem[] {
  const problems: Problem[] = [];
  const named = asRecord(rig.instruments);
  for (const [name, content] of Object.entries(named)) {
    const { port, emulated } = asRecord(content);
    if (port === undefined && emulated === undefined)
      problems.push({
        path: ["instruments", name],
        message: "expected `port: <path>`, or `emulated: <kind>` for none; `joulebench init` lists the ports",
      });
    if (port !== undefined && emulated !== undefined)
      problems.push({ path: ["instruments", name, "emulated"], message: "`port` and `emulated` exclude each other" });
  }
  if (rig.measurand === undefined && Object.keys(named).length > 0)
    problems.push({ path: ["measurand"], message: "missing: expected <instrument>.<channel>, for example meter.main" });
  if (Object.keys(named).length === 0 && rig.measurand === undefined && rig.device === undefined)
    problems.push({ path: [], message: "expected `instruments` and their `measurand`, or a `device`, or both: nothing could be measured" });
  if (typeof rig.measurand === "string" && rig.measurand.includes(".")) {
    const [source = "", channel = ""] = rig.measurand.split(".");
    const kind = instruments.find((each) => each.kind === asRecord(named[source]).kind);
    if (!(source in named))
      problems.push({
        path: ["measurand"],
        message: `no instrument is named ${source}; there are: ${Object.keys(named).join(", ") || "none"}`,
      });
    else if (kind && !kind.channels.includes(channel))
      problems.push({ path: ["measurand"], message: `${kind.kind} has no channel ${channel}; it has: ${kind.channels.join(", ")}` });
  }
  const { load_file, load_w } = asRecord(rig.simulate);
  if (load_file !== undefined && load_w === undefined)
    problems.push({ path: ["simulate", "load_file"], message: "needs `load_w`: what is drawn while nothing is announced" });
  return rig.device === undefined ? problems : [...problems, ...deviceProblems(asRecord(rig.device))];
}

function deviceProblems({ command, emulated, engine, transport }: Readonly<Record<string, unknown>>): Problem[] {
  const problems: Problem[] = [];
  const { kind: way = "local" } = asRecord(transport);
  if (command !== undefined && emulated !== undefined)
    problems.push({ path: ["device"], message: "expected `command: [program, argument, …]`, or `emulated: phone`, not both" });
  else if ((command ?? emulated ?? engine) === undefined)
    problems.push({
      path: ["device"],
      message: "expected `command: [program, argument, …]`, or `emulated: phone`, not both; or `engine: { kind: … }` for plans",
    });
  if (emulated !== undefined && way !== "local" && transports.some(({ kind }) => kind === way))
    problems.push({
      path: ["device", "transport"],
      message: `the emulated phone runs on this machine and is not reached by ${way}; leave \`transport\` out, or \`emulated\` for a real device`,
    });
  if (Array.isArray(command) && command.length === 0 && way !== "ios")
    problems.push({
      path: ["device", "command"],
      message: "expected a program; only an app on an iPhone (`kind: ios`) is started by hand",
    });
  if (Array.isArray(command) && String(command[0]).startsWith("-")) problems.push({ path: ["device", "command"], message: NO_DASH });
  return problems;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const asRecord = (value: unknown): Readonly<Record<string, unknown>> => (isRecord(value) ? value : {});
