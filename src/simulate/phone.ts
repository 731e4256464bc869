import { type PhoneEvent, phoneEvents, type TrueRequest } from "./phone-events.ts";
import { phoneTruth } from "./phone-truth.ts";
import { type Plant, type TrueWindow, together } from "./plant.ts";
import { between, type Random, seeded } from "./random.ts";
import type { Shape } from "./shape.ts";
import { answeringLine, type Switching } from "./trigger-line.ts";
import { fromSteps, type Step, type Stretch, waveform } from "./waveforms.ts";

/** Power of the phone while it does nothing. */
export const IDLE_W = 1.2;
const SUPPLY_V = 5;
/** The same prompt again and again, as a benchmark does it: what varies is the phone. */
const PROMPT_TOKENS = 240;
const OUTPUT_TOKENS = 60;

export interface PhoneOptions {
  /** Decides every duration, and when the background load comes. */
  readonly seed: number;
  /** Default 6, which takes about 26 s. */
  readonly prompts?: number;
}

/** A phone answering prompts, its power and its energy known exactly. */
export interface Phone {
  /** Time 0 is the start of the workload; before it, and after `end_s`, the phone is idle for ever. */
  readonly plant: Plant;
  readonly end_s: number;
  readonly requests: readonly TrueRequest[];
  /** The load, then prefill, decode, tail and request of every prompt. */
  readonly windows: readonly TrueWindow[];
  readonly events: readonly PhoneEvent[];
  /** Its trigger output, which is low from the beginning of a request to its end. */
  readonly line: readonly Switching[];
  /** What a measurement should find, by the names of measurements, in SI units; see {@link phoneTruth}. */
  truth(): Readonly<Record<string, number>>;
}

/** The ground truth of the demo. The same options give the same phone in every process. */
export function phonePlant({ seed, prompts = 6 }: PhoneOptions): Phone {
  const random = seeded(seed);
  const course = new Course();
  course.add(1.4, { kind: "ramp", start_w: 2.2, slope_w_s: 1.5 });
  course.add(0.6, { kind: "const", power_w: 5.5 });
  const loaded_s = course.end_s;
  const requests: TrueRequest[] = [];
  for (let n = 1; n <= prompts; n++) {
    course.idle(between(random, 0.2, 0.3));
    requests.push(answer(`r${n}`, course, random));
  }
  const busy = [{ start_s: 0, end_s: loaded_s }, ...requests];
  const work = waveform(course.stretches, { rest_w: IDLE_W, supply_v: SUPPLY_V });
  const plant = together(work, waveform(fromSteps(backgroundPulses(busy, random))));
  const windows = [{ phase: "load" as const, request: "", start_s: 0, end_s: loaded_s, tokens: 0 }, ...requests.flatMap(windowsOf)];
  return {
    plant,
    end_s: course.end_s,
    requests,
    windows,
    events: phoneEvents(loaded_s, requests),
    line: answeringLine(requests),
    truth: () => phoneTruth(plant, windows, IDLE_W),
  };
}

/** Stretches put one after the other from time 0 on. */
class Course {
  readonly stretches: Stretch[] = [];
  end_s = 0;

  add(duration_s: number, shape: Shape): void {
    this.stretches.push({ from_s: this.end_s, to_s: this.end_s + duration_s, shape });
    this.end_s += duration_s;
  }

  idle(duration_s: number): void {
    this.end_s += duration_s;
  }
}

/** Prefill at about 9 W, then tokens that each draw much while weights are multiplied and less while they are fetched. */
function answer(request: string, course: Course, random: Random): TrueRequest {
  const start_s = course.end_s;
  course.add(PROMPT_TOKENS * between(random, 4.32e-3, 4.38e-3), { kind: "exp", final_w: 9, step_w: -0.8, tau_s: 0.08 });
  const token_s = [course.end_s];
  const interval_s = between(random, 0.0398, 0.0402);
  for (let k = OUTPUT_TOKENS; k > 1; k--) {
    const token_interval_s = interval_s * between(random, 0.97, 1.03);
    course.add(0.4 * token_interval_s, { kind: "const", power_w: 7.4 });
    course.add(0.6 * token_interval_s, { kind: "const", power_w: 3.4 });
    token_s.push(course.end_s);
  }
  course.add(between(random, 0.03, 0.06), { kind: "const", power_w: 2.4 });
  return { request, promptTokens: PROMPT_TOKENS, start_s, token_s, end_s: course.end_s };
}

/** About two short pulses a second of something else, only while the phone works: what is idle stays idle. */
function backgroundPulses(busy: readonly { readonly start_s: number; readonly end_s: number }[], random: Random): Step[] {
  const pulses: Step[] = [];
  for (const { start_s, end_s } of busy) {
    for (let from_s = start_s + between(random, 0.1, 0.6); from_s < end_s - 0.06; from_s += between(random, 0.3, 0.7)) {
      pulses.push({ from_s, to_s: from_s + between(random, 0.03, 0.06), power_w: 0.25 });
    }
  }
  return pulses;
}

function windowsOf({ request, promptTokens, start_s, token_s, end_s }: TrueRequest): TrueWindow[] {
  const first_s = token_s[0]!;
  const last_s = token_s.at(-1)!;
  return [
    { phase: "prefill", request, start_s, end_s: first_s, tokens: promptTokens },
    { phase: "decode", request, start_s: first_s, end_s: last_s, tokens: token_s.length - 1 },
    { phase: "tail", request, start_s: last_s, end_s, tokens: 0 },
    { phase: "request", request, start_s, end_s: last_s, tokens: token_s.length },
  ];
}
