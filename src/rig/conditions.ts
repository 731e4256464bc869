import { z } from "zod";

/** Why a program's name may not begin with a dash. */
export const NO_DASH = "expected a program first, not a dash, which shells take for an option; give its full path";

const Argv = z
  .array(z.string())
  .min(1)
  .refine(([program = ""]) => !program.startsWith("-"), NO_DASH);
const Zone = z.string().min(1).optional();
const Wait = z.number().positive().max(86_400);

/** What a zone must look like before a cell begins. Temperatures in °C. */
export const CoolDown = z
  .strictObject({
    zone: Zone.describe("Name of the thermal zone; left out, the warmest of all"),
    channel: z
      .string()
      .regex(/^temperature_degc:.+$/, "expected temperature_degc:<zone>")
      .optional()
      .describe("The same, as telemetry names it"),
    below_degc: z.number().optional(),
    within_degc_of_start: z.number().positive().optional().describe("of what it was before the first cell"),
    slope_degc_per_min: z.number().positive().optional().describe("Neither warming nor cooling faster than this"),
    hold_s: Wait.default(30).describe("All of it must hold this long; the slope is taken over it"),
    every_s: Wait.default(5),
    timeout_s: Wait.default(1800).describe("After this long the cell is given up as invalid, unmeasured"),
  })
  .check(({ value, issues }) => {
    const says = (message: string): void => void issues.push({ code: "custom", message, input: value });
    if (value.zone !== undefined && value.channel !== undefined) says("`zone` and `channel` exclude each other");
    if (value.below_degc === undefined && value.within_degc_of_start === undefined && value.slope_degc_per_min === undefined)
      says("expected at least one of below_degc, within_degc_of_start, slope_degc_per_min");
    if (value.timeout_s < value.hold_s) says("timeout_s is shorter than hold_s, so no cell could ever begin");
    if (value.hold_s < 2 * value.every_s) says("hold_s must be at least twice every_s, or it holds no slope");
  });
export type CoolDown = z.infer<typeof CoolDown>;

/** What can be read of a device before a cell, and how it is told. */
export const CHECKS = ["charging", "airplane_mode", "screen", "governor", "load", "free_memory_bytes", "battery_percent"] as const;
export type CheckName = (typeof CHECKS)[number];

const MEASURED: ReadonlySet<CheckName> = new Set(["load", "free_memory_bytes", "battery_percent"]);

export const Required = z
  .strictObject({
    check: z.enum(CHECKS),
    is: z.union([z.string(), z.boolean()], "expected a word, true or false").optional().describe("Required state"),
    at_least: z.number().optional(),
    at_most: z.number().optional(),
  })
  .check(({ value, issues }) => {
    const says = (message: string): void => void issues.push({ code: "custom", message, input: value });
    const isMeasured = MEASURED.has(value.check);
    if (isMeasured && value.is !== undefined) says(`${value.check} is a number: expected at_least or at_most`);
    if (!isMeasured && (value.at_least ?? value.at_most) !== undefined) says(`${value.check} is a state: expected \`is\``);
  });

/** A check by its name is read and recorded; one with a required value also decides whether the cell is measured. */
export const Check = z.preprocess((entry) => (typeof entry === "string" ? { check: entry } : entry), Required);
export type Check = z.infer<typeof Required>;

export const isRequired = ({ is, at_least, at_most }: Check): boolean =>
  is !== undefined || at_least !== undefined || at_most !== undefined;

/** What ends a cell that has begun. */
export const Limits = z.strictObject({
  temperature_degc: z.number().optional().describe("of the zone below; also a temperature that can no longer be read ends the cell"),
  zone: Zone.describe("Name of the thermal zone; left out, the warmest of all"),
  every_s: Wait.default(10).describe("The temperature is read this often, over the transport"),
  power_w: z.number().positive().optional().describe("of the measurand, mean over 100 ms"),
  request_s: Wait.default(600).describe("One request is given up after this long"),
});
export type Limits = z.infer<typeof Limits>;

/** A second load beside the measured work. */
export const Interference = z.strictObject({
  argv: Argv.describe("Program and arguments, no shell; it must run until it is ended"),
});
export type Interference = z.infer<typeof Interference>;

/** A command on the device before a cell, and the one that undoes it. */
export const Setting = z.strictObject({ set: Argv, restore: Argv });
export type Setting = z.infer<typeof Setting>;
