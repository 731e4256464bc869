import { availableParallelism, cpus, loadavg, totalmem } from "node:os";

/** What the figures below were measured on, and how busy it was. */
export function machine(): string {
  const model = cpus()[0]?.model ?? "unknown processor";
  const memory = `${(totalmem() / 2 ** 30).toFixed(0)} GiB`;
  const load = loadavg()
    .map((each) => each.toFixed(1))
    .join(" ");
  return `${model}, ${availableParallelism()} cores, ${memory}, node ${process.version}, ${process.platform}; load ${load}`;
}
