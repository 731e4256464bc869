import { once } from "node:events";
import { createServer } from "node:net";

/** Below the ports that the system gives to whoever asks for any: another would soon be given the same. */
const [FIRST, COUNT] = [20_000, 12_000];

/** A loopback port on which nobody listens. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
