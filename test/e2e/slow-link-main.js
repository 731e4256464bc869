// A stretch of network between two TCP ports of this machine, which is slow and can be down.
//   --to=PORT        where it leads
//   --there-ms=A:B   what a byte takes on its way there, evenly between A and B; bytes stay in order (0:0)
//   --back-ms=A:B    the same back
// Prints the port on which it listens. SIGUSR2 takes it down: connections stay and are silent, new ones too; SIGHUP
// brings it back with all that waited, as TCP would have sent it again.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { parseArgs } from "node:util";

const text = { type: "string" };
const options = { to: text, "there-ms": { ...text, default: "0:0" }, "back-ms": { ...text, default: "0:0" } };
const { values } = parseArgs({ options });
const [there, back] = [values["there-ms"], values["back-ms"]].map((range) => range.split(":").map(Number));

let isUp = true;
let returned = Promise.resolve();
let bringBack = () => {};
process.on("SIGUSR2", () => {
  if (!isUp) return;
  isUp = false;
  returned = new Promise((resolve) => {
    bringBack = resolve;
  });
});
process.on("SIGHUP", () => {
  isUp = true;
  bringBack();
});

const server = createServer({ noDelay: true }, async (near) => {
  near.on("error", () => near.destroy());
  near.pause();
  await returned;
  if (near.destroyed) return;
  const far = connect({ port: Number(values.to), host: "127.0.0.1", noDelay: true });
  far.on("error", () => far.destroy());
  pass(near, far, there);
  pass(far, near, back);
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
console.log(server.address().port);

/** Hands over what comes, each chunk when it is due, and the end after it. */
function pass(from, to, [least_ms, most_ms]) {
  let before = Promise.resolve();
  const later = (act) => {
    const due_ms = performance.now() + least_ms + Math.random() * (most_ms - least_ms);
    before = before.then(async () => {
      await until(due_ms);
      await returned;
      act();
    });
  };
  from.on("data", (chunk) => later(() => to.write(chunk)));
  from.on("close", () => later(() => to.destroy()));
  from.resume();
}

/** A timer counts whole milliseconds and comes late; the last two are waited out awake. */
async function until(due_ms) {
  const rest_ms = due_ms - performance.now();
  if (rest_ms > 2) await new Promise((resolve) => setTimeout(resolve, rest_ms - 2));
  while (performance.now() < due_ms) await new Promise((resolve) => setImmediate(resolve));
}
