import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, expect, test } from "vitest";
import type { Forward } from "../../src/model/transport.ts";
import { forwardBy } from "../../src/transports/loopback-forward.ts";

let forward: Forward;
afterEach(() => forward.close());

/** A client that has never asked anything: it may lose its first connection before it has used it. */
const CLIENT = `
for (const url of process.argv.slice(1)) {
  const error = await fetch(url, { signal: AbortSignal.timeout(3000) }).catch((reason) => reason);
  console.log(error.cause?.code ?? error.name);
}`;

test("a port that is refused on the device fails an HTTP client at once, and is asked once for each request", async () => {
  for (let k = 0; k < 8; k++) {
    let asked = 0;
    forward = await forwardBy(async () => {
      asked++;
      await setTimeout(5);
      throw new Error("refused");
    });
    const url = `http://127.0.0.1:${forward.port}/`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", CLIENT, "--", url, url]);
    expect(stdout).toBe("ECONNRESET\nECONNRESET\n");
    expect(asked).toBe(2);
    await forward.close();
  }
});

test("a client that waits to be spoken to is reset, too", async () => {
  forward = await forwardBy(() => Promise.reject(new Error("refused")));
  const socket = connect(forward.port, "127.0.0.1");
  const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
  expect(error.code).toBe("ECONNRESET");
});
