import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { fitPings } from "../clock/ping-map.ts";
import type { JoulebenchError } from "../model/errors.ts";
import type { Ping } from "../model/ping.ts";
import type { Identity, Transport } from "../model/transport.ts";
import { frequenciesOf, READ_FREQUENCIES } from "../rig/frequency.ts";
import type { Conditions } from "../rig/preflight.ts";
import type { Rig } from "../rig/rig.ts";
import type { Temperatures } from "../rig/temperature.ts";
import { forkBias, type ResponderClock } from "../wire/responder.ts";
import type { Bench } from "./bench.ts";
import { type Asked, engineFindings, workloadFinding } from "./check-programs.ts";
import { canBeAsked, commandsOf } from "./device-commands.ts";
import type { DeviceLink } from "./device-link.ts";
import { outlives } from "./device-process.ts";
import { attempt, bad, type Finding, findingOf, good } from "./finding.ts";
import type { Observation } from "./observation.ts";

const PINGS = 64;
/** A workload may take this long to load until it listens. */
const GREETING_MS = 10_000;
const UNKNOWN = "unknown";

/**
 * Reaches the rig's device and reports on it: who it is, its clock, what can be read there, its engine.
 *
 * Nothing heavier than a loop that answers pings is started, but where the workload alone can answer them: there it is
 * started and never told to begin.
 */
export async function deviceFindings(bench: Bench, rig: Rig, seen: readonly Observation[]): Promise<Finding[]> {
  const { device } = rig;
  if (!device) return [];
  let link: DeviceLink | undefined;
  const failed = await attempt(async () => {
    link = await bench.openDevice("looked at");
    if (await link.greet(GREETING_MS)) await link.ping(PINGS);
  });
  if (!link || failed) return [refused(failed, device.command)];
  const { transport, identity } = link;
  const findings = [good("device", told(identity)), ...clockFindings(seen)];
  const lost = await attempt(async () => {
    if (canBeAsked(rig) && canRun(transport)) findings.push(...(await askedFindings(transport, rig)));
  });
  if (lost) findings.push(findingOf(lost));
  return [...findings, ...(await linkFindings(rig, transport))];
}

const canRun = (transport: Transport): transport is Transport & Asked => transport.run !== undefined;

function refused(failed: JoulebenchError | undefined, command: readonly string[] | undefined): Finding {
  const isCommand = failed !== undefined && failed.subject === command?.[0];
  return bad("device", `${failed?.message ?? "is not there"}${isCommand ? "; correct device.command in the rig" : ""}`);
}

/** Model, serial, system, boot: as far as the device says them. */
function told({ transport, model, serial, os_build, system, cpu, soc, boot_id, app }: Identity): string {
  const named = { serial, soc, boot: boot_id?.slice(0, 8) };
  const facts = Object.entries(named).flatMap(([key, value]) => (value ? [`${key} ${value}`] : []));
  const words = [transport, app, model ?? cpu, ...facts, os_build ?? system].filter((each): each is string => Boolean(each));
  return words.join(", ");
}

const MUST_ANSWER = 'it must answer "ping <id>" lines, see docs/device-protocol.md';

function clockFindings(seen: readonly Observation[]): Finding[] {
  const what = "device clock";
  const pings = seen.flatMap((each): Ping[] => (each.type === "ping" ? [each.ping] : []));
  const clock = seen.flatMap((each) => (each.type === "clock" ? [each.clock] : [])).at(-1);
  if (pings.length === 0) return [bad(what, `no ping was answered in ${GREETING_MS / 1000} s; ${MUST_ANSWER}`)];
  const fit = fitPings(pings, what, 0);
  if (!fit.map) return [bad(what, `${fit.reason}; ${MUST_ANSWER}`)];
  const { round_trip_min_s: best_s, round_trip_median_s: median_s, bound_s } = fit.facts;
  const trip = `round trip ${ms(best_s)} at best, ${ms(median_s)} median; known within ${ms(bound_s)}`;
  if (!clock) return [good(what, `the workload answers: ${trip}`)];
  return [good(what, `${answering(clock, best_s)}: ${trip}`), tieFinding(clock, seen)];
}

const METHODS = { python3: "python3", epochrealtime: "$EPOCHREALTIME of its shell", date: "date" } as const;

function answering({ method, forks }: ResponderClock, roundTrip_min_s: number): string {
  const { bias_s, u_s } = forkBias(roundTrip_min_s);
  const late = forks ? ` (a process per stamp, late by ${ms(bias_s)} ± ${ms(u_s)}, which is taken off; python3 would be better)` : "";
  return `${METHODS[method]} answers${late}`;
}

function tieFinding({ clock, ties }: ResponderClock, seen: readonly Observation[]): Finding {
  const isTied = seen.some((each) => each.type === "tie");
  if (ties.length > 1 && !isTied) return bad("clock ties", "asked for and not answered; events of other clocks cannot be placed");
  if (isTied) return good("clock ties", `${ties.join(", ")} are read together: events may be stamped by any of them`);
  return good("clock ties", `none: events must be stamped by the ${clock} clock`);
}

const ms = (seconds: number): string => `${(seconds * 1000).toFixed(3)} ms`;

async function askedFindings(transport: Transport & Asked, rig: Rig): Promise<Finding[]> {
  const { device } = rig;
  const commands = commandsOf(transport, device?.transport.kind ?? "");
  const temperatures = await commands.temperatures();
  const { output } = await transport.run(READ_FREQUENCIES);
  const conditions = await commands.conditions();
  const [program] = device?.command ?? [];
  return [
    temperatureFinding(temperatures),
    frequencyFinding(output),
    ...conditionFindings(conditions),
    ...(program !== undefined && outlives(transport) ? [await workloadFinding(transport, program)] : []),
    ...(device?.engine ? await engineFindings(transport, device.engine) : []),
  ];
}

function temperatureFinding(temperatures: Temperatures): Finding {
  const zones = [...temperatures].map(([name, degc]) => `${name} ${degc.toFixed(1)} °C`);
  return good("zones", zones.join(", ") || "no thermal zone can be read here, so no cool-down can be waited for");
}

function frequencyFinding(output: string): Finding {
  const clocks = frequenciesOf(output).map(({ name, now_hz, cap_hz }) => `${name} at ${mhz(now_hz)} of ${mhz(cap_hz)} MHz`);
  return good("clocks", clocks.join("; ") || "no scaled clock can be read here");
}

const mhz = (hz: number): string => (hz / 1e6).toFixed(0);

/** What a plan could check before a cell, as it is now. */
function conditionFindings(found: Conditions): Finding[] {
  const { charging, battery_percent, governor, load, screen, airplane_mode } = found;
  const said = Object.entries({ governor, load, screen, "airplane mode": airplane_mode }).filter(([, value]) => value !== UNKNOWN);
  const state = said.map(([name, value]) => `${name} ${value}`).join(", ");
  const battery = [
    charging === "yes" ? "charging: what the cable feeds is not measured, see docs/links.md" : charging === "no" ? "not charging" : "",
    battery_percent === UNKNOWN ? "" : `${battery_percent} %`,
  ].filter(Boolean);
  return [...(battery.length > 0 ? [good("battery", battery.join(", "))] : []), ...(state ? [good("state", state)] : [])];
}

/** How the device is reached while it is measured, and the commands that switch its socket: named, not run. */
async function linkFindings(rig: Rig, transport: Transport): Promise<Finding[]> {
  const { link = "usb", usb_power, emulated } = rig.device ?? {};
  if (emulated) return [];
  const findings: Finding[] = [];
  if (link === "detached" && !outlives(transport))
    findings.push(bad("link", "`link: detached` needs a transport with a shell on the device: adb, ssh or openssh"));
  else if (link !== "usb" || usb_power) findings.push(good("link", LINKS[link]));
  if (!usb_power) return findings;
  const { off, on } = usb_power;
  const commands = `off by ${JSON.stringify(off)}, on by ${JSON.stringify(on)}`;
  for (const [program = ""] of [off, on])
    if (!(await isHere(program)))
      return [...findings, bad("usb power", `${commands}: ${program} is not installed on this machine; install it or give its full path`)];
  return [...findings, good("usb power", `${commands}; not run now`)];
}

const LINKS = {
  usb: "usb: reached over the cable while it is measured",
  wifi: "wifi: reached over the network while it is measured",
  detached: "detached: left alone while it is measured",
} as const;

const isHere = (program: string): Promise<boolean> =>
  promisify(execFile)("sh", ["-c", 'command -v -- "$1"', "sh", program]).then(
    () => true,
    () => false,
  );
