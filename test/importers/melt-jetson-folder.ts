import { normal, seeded } from "../../src/simulate/random.ts";
import type { Texts } from "./melt-folder.ts";

/**
 * Run folders of MELT on a Jetson, constructed line by line in the format its programs write: none recorded is published.
 * The log is that of jetson-monitor (src/main.py, src/dispatchers), the terminal and the table of prompts those of
 * run-mlc-chat-cli.exp and run-llamacpp-jetson.sh.
 *
 * Truth is kept in seconds since the log began.
 */
export const BEGAN_S = 1_795_218_247;
const SWEEP_S = 0.01;
const END_S = 13;
const SUPPLY_MV = 5016;
/** A count of the INA3221 on a shunt of 5 mΩ. */
const COUNT_MA = 8;

export const LOAD = { start_s: 0.5, end_s: 1.5 };
/** `expect` sees a prompt's end where the last decode ended, and waits 5 s before the next. */
export const JETSON_PROMPTS = [
  { start_s: 2, first_s: 2.4, end_s: 4.4, input: 60, decoded: 40 },
  { start_s: 9.6, first_s: 9.9, end_s: 11.9, input: 47, decoded: 40 },
] as const;

/** 3 W idle, 7 W while loading, 14 W in a prefill, 10 W in a decode. */
export function moduleCurrent_ma(time_s: number): number {
  const prompt = JETSON_PROMPTS.find(({ start_s, end_s }) => time_s >= start_s && time_s < end_s);
  if (prompt) return time_s < prompt.first_s ? 2800 : 2000;
  return time_s >= LOAD.start_s && time_s < LOAD.end_s ? 1400 : 600;
}

export const trueEnergy_j = (from_s: number, to_s: number): number => {
  const steps = Math.round((to_s - from_s) * 1e4);
  return (
    Array.from({ length: steps }, (_, k) => moduleCurrent_ma(from_s + (k + 0.5) / 1e4) * SUPPLY_MV * 1e-6).reduce((a, b) => a + b, 0) / 1e4
  );
};

const stamp = (time_s: number): string => `${BigInt(BEGAN_S) * 1_000_000_000n + BigInt(Math.round(time_s * 1e9))}`;
const count = (current_ma: number): number => Math.round(current_ma / COUNT_MA) * COUNT_MA;

interface LogOptions {
  readonly rails: Readonly<Record<string, (module_ma: number) => number>>;
  readonly until_s?: number;
}

export const NANO: LogOptions = {
  rails: { VDD_IN: (module_ma) => module_ma, VDD_CPU_GPU_CV: (module_ma) => 0.5 * module_ma, VDD_SOC: (module_ma) => 0.2 * module_ma },
};
/** An AGX Orin has no rail of its input. */
export const AGX: LogOptions = {
  rails: {
    VDD_GPU_SOC: (module_ma) => 0.5 * module_ma,
    VDD_CPU_CV: (module_ma) => 0.3 * module_ma,
    VIN_SYS_5V0: (module_ma) => 0.2 * module_ma,
    NC: () => 0,
  },
};

/** The order of quantities is that of a Python set: another for each process, the same within one. */
const QUANTITIES = ["power", "voltage", "current"] as const;

/** Sweeps of zones and rails, each line with the time at which it was logged, 30 µs after the one before. */
export function monitorLog({ rails, until_s = END_S }: LogOptions): string {
  const random = seeded(7);
  const lines = Array.from({ length: 300 }, (_, k) => `${k + 1}`);
  for (let k = 0; k * SWEEP_S < until_s; k++) {
    const read_s = k * SWEEP_S + Math.min(0.004, Math.abs(0.3e-3 * normal(random)));
    let at_s = read_s;
    const log = (text: string): void => {
      at_s += 30e-6;
      lines.push(`${stamp(at_s)} ${text}`);
    };
    log(`CPU-therm: ${42_000 + k} mC`);
    log("Aux-therm: -256000 mC");
    const module_ma = moduleCurrent_ma(read_s) + 5 * COUNT_MA * normal(random);
    const values = Object.entries(rails).map(([name, share]) => ({ name, current: count(share(module_ma)), voltage: SUPPLY_MV }));
    for (const { name, current, voltage } of values) {
      const texts = { power: `${(voltage * current) / 1000} mW`, voltage: `${voltage} mV`, current: `${current} mA` };
      for (const quantity of QUANTITIES) log(`${quantity}_${name}: ${texts[quantity]}`);
    }
    if (k % 100 === 50) lines.push(`${9_999_000 + k}`);
  }
  return `${lines.join("\n")}\n`;
}

const spans = [
  `${BEGAN_S + LOAD.start_s},${LOAD.end_s - LOAD.start_s},"load_model"\r`,
  ...JETSON_PROMPTS.map(({ start_s, end_s }) => `${BEGAN_S + start_s},${(end_s - start_s).toFixed(3)},"Tell me, please,\\nwho you are"\r`),
];
const table = `start_date,duration,state\r\n${spans.join("\n")}\n`;

const answer = ({ start_s, first_s, input, decoded, end_s }: (typeof JETSON_PROMPTS)[number]): string =>
  [
    "{",
    '\t"prefill": {',
    `\t\t"throughput": "${(input / (first_s - start_s)).toFixed(1)} tok/s",`,
    `\t\t"total_tokens": "${input} tok",`,
    `\t\t"total_time": "${(first_s - start_s).toFixed(1)} s"`,
    "\t},",
    '\t"decode": {',
    `\t\t"throughput": "${(decoded / (end_s - first_s)).toFixed(1)} tok/s",`,
    `\t\t"total_tokens": "${decoded} tok",`,
    `\t\t"total_time": "${(end_s - first_s).toFixed(1)} s"`,
    "\t}",
    "}",
  ].join("\r\n");

/** `mlc_chat`: `/stats` is asked before each prompt and at the end; the first time there is nothing to tell. */
export function mlcCliFolder(options: LogOptions = NANO): Texts {
  const bold = "\u001b[1m\u001b[31m";
  const asked = JETSON_PROMPTS.map((prompt) => `${bold}[INST]: /stats\r\n${answer(prompt)}\r\n`);
  const [{ end_s, first_s, start_s }] = JETSON_PROMPTS.slice(-1) as [(typeof JETSON_PROMPTS)[number]];
  const events = [
    `load_model.start ${stamp(LOAD.start_s)}`,
    `chat.0.0.decode.0.end ${stamp(end_s)}`,
    `chat.0.0.decode.0.start ${stamp(end_s - 0.05)}`,
    `chat.0.0.prefill.end ${stamp(first_s)}`,
    `chat.0.0.prefill.start ${stamp(start_s)}`,
  ];
  return {
    "energy_iter0.log": monitorLog(options),
    "measurements_iter0_conv0.csv": table,
    "measurements_iter0_conv0.tsv": `${events.join("\n")}\n`,
    "llm_output_iter0_conv0.txt": `spawn mlc_chat chat --model-lib-path m.so --energy-events e.tsv params\r\n[INST]: /stats\r\nnothing yet\r\n[INST]: Tell me\r\n${asked.join("[INST]: Tell me\r\n…\r\n")}`,
  };
}

/** llama.cpp on the Jetson itself: its events and `expect` are on one clock. */
export function llamaCppJetsonFolder(): Texts {
  let decode = 0;
  const events = JETSON_PROMPTS.flatMap(({ start_s, first_s, end_s, decoded }) => [
    `generate.${decode++}.decode.end ${stamp(start_s + 0.1)}`,
    ...Array.from(
      { length: decoded + 1 },
      (_, k) => `generate.${decode++}.decode.end ${stamp(first_s + ((end_s - first_s) * k) / decoded)}`,
    ),
  ]);
  const timing = ({ start_s, first_s, input, decoded }: (typeof JETSON_PROMPTS)[number]): string =>
    [
      "       load time =     525.17 ms",
      `     sample time =       4.28 ms / ${decoded + 1} runs   (    0.20 ms per token,  4909.98 tokens per second)`,
      `prompt eval time =    ${((first_s - start_s) * 1e3).toFixed(2)} ms /    ${input} tokens (   49.05 ms per token,    20.39 tokens per second)`,
      `       eval time =    2000.00 ms /    ${decoded} runs   (   50.00 ms per token,    20.00 tokens per second)`,
      "      total time =   11653.83 ms",
    ]
      .map((line) => `llama_print_timings: ${line}\r\n`)
      .join("");
  return {
    "energy_iter0.log": monitorLog(NANO),
    "measurements_iter0_conv0.csv": table,
    "measurements_iter0_conv0.tsv": `${events.toReversed().join("\n")}\n`,
    "llm_output_iter0_conv0.txt": `spawn main --model m.gguf\r\n${JETSON_PROMPTS.map(timing).join("")}`,
  };
}
