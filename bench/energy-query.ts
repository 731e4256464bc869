import { readFileSync } from "node:fs";
import { EnergyReader } from "../src/store/energy-reader.ts";
import { cpu_s } from "./cpu.ts";

// A process of its own, so that it begins with nothing in its memory: base, edges, tokens a request.
const [base = "", wanted = "", tokens = ""] = process.argv.slice(2);
const bytes = readFileSync(wanted);
const edges = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
const from_s = cpu_s();
const energies = new EnergyReader(base);
const { energy_j } = energies.at(edges);
const each_j = new Float64Array(edges.length - 1);
for (let k = 0; k < each_j.length; k++) each_j[k] = energy_j[k + 1]! - energy_j[k]!;
energies.close();
const took_ms = (cpu_s() - from_s) * 1000;
// Between two requests there is no token.
const sum_j = each_j.reduce((sum, each, k) => ((k + 1) % (Number(tokens) + 1) === 0 ? sum : sum + each), 0);
// What the kernel states as largest of a process counts the one that started it; this counts from here on.
const peak_kib = Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
process.stdout.write(JSON.stringify({ took_ms, peak_mib: peak_kib / 1024, sum_j }));
