import { copyFileSync, mkdirSync, readFileSync, rmdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sh, type Verdict } from "./cases.ts";
import { readTape } from "./oracle.ts";
import { now_ns, Recording } from "./recording.ts";

/** Contract: so much may be lost when the power goes, and so long may it take until there are fresh data. */
const POWER_LOSS_MS = 1000;
const FRESH_MS = 10_000;
const RESERVE_BYTES = 256 * 1024;

/** Mounts, does its work, and unmounts whatever happens. */
async function mounted<T>(at: string, argv: readonly string[], work: () => Promise<T>): Promise<T> {
  mkdirSync(at, { recursive: true });
  if (!sh("mount", ...argv, at)) throw new Error(`cannot mount ${argv.join(" ")}`);
  try {
    return await work();
  } finally {
    sh("umount", "--lazy", at);
    rmdirSync(at);
  }
}

/**
 * The disk as it is at one moment, while the recorder runs: its file system is in a file, which is copied. What the
 * kernel had not given to that file is not in the copy, as after a power cut.
 */
export async function powerCut(dir: string, after_ms: number): Promise<Verdict> {
  mkdirSync(dir, { recursive: true });
  const [image, copy] = [join(dir, "disk.img"), join(dir, "cut.img")];
  writeFileSync(image, "");
  truncateSync(image, 96 * 1024 * 1024);
  if (!sh("mkfs.ext4", "-q", "-F", image)) throw new Error("cannot make an ext4");
  const { oracle, cut_ns } = await mounted(join(dir, "disk"), ["-o", "loop", image], async () => {
    const recording = new Recording(join(dir, "disk", "session"), { reserve_bytes: RESERVE_BYTES });
    await recording.until(() => recording.oracle.acknowledged > 0);
    await new Promise((wake) => setTimeout(wake, after_ms));
    recording.child.kill("SIGSTOP");
    const cut = now_ns();
    // What was acknowledged is known once the pipe is read; nothing more comes.
    await new Promise((wake) => setTimeout(wake, 50));
    copyFileSync(image, copy);
    recording.child.kill("SIGKILL");
    recording.child.kill("SIGCONT");
    await recording.ended;
    return { oracle: recording.oracle, cut_ns: cut };
  });
  return mounted(join(dir, "cut"), ["-o", "loop", copy], async () => {
    const found = readTape(join(dir, "cut", "session", "tape"));
    const last = [...found.records.values()].at(-1);
    const lost_ms = last ? (cut_ns - last.host_ns) / 1e6 : Number.POSITIVE_INFINITY;
    const wrongs = oracle.wrongs(found, "cut");
    if (lost_ms > POWER_LOSS_MS) wrongs.push(`${lost_ms.toFixed(0)} ms lost`);
    return { wrongs, detail: `${oracle.acknowledged + 1} records acknowledged, ${lost_ms.toFixed(0)} ms lost` };
  }).finally(() => rmSync(dir, { recursive: true }));
}

/** A file system in memory that is full after so many bytes; it grows after a while, or never. */
export async function full(dir: string, size_kb: number, grows: boolean): Promise<Verdict> {
  return mounted(dir, ["-t", "tmpfs", "-o", `size=${size_kb}k`, "tmpfs"], async () => {
    const session = join(dir, "session");
    const recording = new Recording(session, { reserve_bytes: RESERVE_BYTES, rate_hz: 4000, lasts_s: grows ? 6 : 3 });
    await recording.until(() => recording.notices.length > 0);
    if (recording.oracle.issued === 0) {
      const code = await recording.ended;
      return { wrongs: code === 4 ? [] : [`ended with ${code}`], detail: "refused to begin" };
    }
    const grown_ns = now_ns();
    const before = recording.oracle.acknowledged;
    if (grows) {
      await new Promise((wake) => setTimeout(wake, 700));
      sh("mount", "-o", "remount,size=64m", dir);
    }
    const code = await recording.ended;
    const found = readTape(join(session, "tape"));
    const missing = found.lapses.reduce((sum, { fromSeq, toSeq }) => sum + toSeq - fromSeq + 1, 0);
    const wrongs = recording.oracle.wrongs(found, code === 0 ? "closed" : "cut");
    const fresh = [...found.records.values()].find(({ seq, source, host_ns }) => seq > before && source === "meter" && host_ns > grown_ns);
    if (grows && missing > 0 && (!fresh || fresh.host_ns - grown_ns > FRESH_MS * 1e6)) wrongs.push("not recording again");
    if (code !== 0) wrongs.push(`ended with ${code}: ${recording.complaint}`);
    const { before: then, after } = recording.farewell!;
    // At first it may have been without segment and reserve.
    if (then && after.fds > then.fds + 2) wrongs.push(`${then.fds} descriptors became ${after.fds}`);
    return {
      wrongs: wrongs.map((wrong) => `${size_kb} kB: ${wrong}`),
      detail: `${found.records.size} records kept, ${missing} counted as missing`,
    };
  });
}

const CGROUP = "/sys/fs/cgroup/memory";

/** More memory than a group of processes may have: the kernel ends the recorder. */
export async function outOfMemory(dir: string): Promise<Verdict> {
  const group = join(CGROUP, `joulebench-faults-${process.pid}`);
  mkdirSync(group);
  try {
    const session = join(dir, "memory");
    const recording = new Recording(session);
    await recording.until(() => recording.oracle.acknowledged > 0);
    writeFileSync(join(group, "cgroup.procs"), String(recording.child.pid));
    // Nothing it has can be taken back, so that the next page it asks for ends it.
    writeFileSync(join(group, "memory.swappiness"), "0");
    writeFileSync(join(group, "memory.limit_in_bytes"), "65536");
    await recording.ended;
    const kills = /oom_kill (\d+)/.exec(readFileSync(join(group, "memory.oom_control"), "utf8"))?.[1];
    const found = readTape(join(session, "tape"));
    const last = [...found.records.values()].at(-1);
    const lost_ms = (recording.issued_ns - (last?.host_ns ?? 0)) / 1e6;
    const wrongs = recording.oracle.wrongs(found, "cut");
    if (recording.child.signalCode !== "SIGKILL" || lost_ms > 100)
      wrongs.push(`${recording.child.signalCode}, ${lost_ms.toFixed(0)} ms lost`);
    rmSync(session, { recursive: true });
    return { wrongs, detail: `${kills} killed, ${lost_ms.toFixed(0)} ms lost` };
  } finally {
    rmdirSync(group);
  }
}
