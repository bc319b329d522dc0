import net from 'node:net';

/** What happens to the next connections, in order; none left: nothing. */
export type WireFault =
  /** Both ways die after so many bytes of that direction. */
  | { readonly cutAfterBytes: number; readonly direction: 'up' | 'down' }
  /** Nothing passes after so many bytes; the connection stays open. */
  | { readonly stallAfterBytes: number; readonly direction: 'up' | 'down' }
  | { readonly refuse: true };

export interface FaultyProxy {
  readonly port: number;
  readonly url: string;
  plan(...faults: WireFault[]): void;
  /** As if the cable were out: what is open ends, nothing new is taken. */
  setDown(down: boolean): void;
  /** Connections made so far. */
  readonly connections: number;
  close(): Promise<void>;
}

/** A TCP proxy that breaks connections on demand: what a bad cable does, below HTTP. */
export async function startFaultyProxy(
  targetPort: number,
  host = '127.0.0.1',
): Promise<FaultyProxy> {
  const faults: WireFault[] = [];
  const open = new Set<net.Socket>();
  let connections = 0;
  let down = false;
  const server = net.createServer((near) => {
    connections += 1;
    const fault = faults.shift();
    if (down || (fault && 'refuse' in fault)) return near.destroy();
    const far = net.connect(targetPort, '127.0.0.1');
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    const limited = fault && !('refuse' in fault) ? fault : undefined;
    pass(near, far, limited?.direction === 'up' ? limited : undefined);
    pass(far, near, limited?.direction === 'down' ? limited : undefined);
    return undefined;
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as net.AddressInfo;
  return {
    port,
    url: `http://${host}:${port}`,
    plan: (...next) => void faults.splice(0, faults.length, ...next),
    setDown: (next) => {
      down = next;
      if (down) for (const socket of open) socket.destroy();
    },
    get connections() {
      return connections;
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

type Limited = Exclude<WireFault, { refuse: true }>;

function pass(from: net.Socket, to: net.Socket, fault: Limited | undefined): void {
  let bytes = 0;
  const limit = fault && ('cutAfterBytes' in fault ? fault.cutAfterBytes : fault.stallAfterBytes);
  from.on('data', (chunk) => {
    if (limit !== undefined && bytes + chunk.length > limit) {
      if (bytes < limit) to.write(chunk.subarray(0, limit - bytes));
      bytes = limit;
      if (fault && 'cutAfterBytes' in fault) from.destroy();
      else from.pause();
      return;
    }
    bytes += chunk.length;
    to.write(chunk);
  });
}
