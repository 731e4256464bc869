import { setMaxListeners } from "node:events";
import type { AdbServerClient } from "@yume-chan/adb";
import { AdbServerNodeTcpConnector } from "@yume-chan/adb-server-node-tcp";

type Connection = AdbServerClient.ServerConnection;
type Options = AdbServerClient.ServerConnectionOptions;

/**
 * Connects to an adb server on this host. All connections end at once when `signal` is aborted, and the streams of a
 * connection end with it, also when it is reset: the library's own then never do.
 */
export class AdbConnector extends AdbServerNodeTcpConnector {
  readonly #signal: AbortSignal;

  constructor(port: number, signal: AbortSignal) {
    super({ host: "127.0.0.1", port });
    this.#signal = signal;
    setMaxListeners(0, signal); // Every connection is one.
  }

  override async connect({ unref, signal }: Options = {}): Promise<Connection> {
    this.#signal.throwIfAborted();
    const both = signal ? AbortSignal.any([this.#signal, signal as AbortSignal]) : this.#signal;
    const connection = await super.connect({ unref, signal: both });
    return {
      readable: endingWith(connection) as unknown as Connection["readable"],
      writable: connection.writable,
      closed: connection.closed,
      close: () => connection.close(),
    };
  }
}

function endingWith({ readable, closed }: Connection): ReadableStream<Uint8Array> {
  const reader = readable.getReader();
  let isOver = false;
  let wake: () => void = () => {};
  void closed.then(() => {
    isOver = true;
    wake();
  });
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const end = new Promise<{ done: true; value?: undefined }>((resolve) => {
          // What has arrived before the end is there first.
          wake = () => setImmediate(() => resolve({ done: true }));
          if (isOver) wake();
        });
        const { done, value } = await Promise.race([reader.read(), end]);
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
