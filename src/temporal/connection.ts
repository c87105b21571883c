/** One client connection to Temporal. gzip is off: on one host or a LAN it costs more CPU than it saves. */
import { Client, Connection } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';
import { payloadConversion } from './payload-codec';

export interface TemporalClient {
  readonly client: Client;
  /** Resolves when the server answers; rejects otherwise. */
  ping(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Between two tries to reach a server that is away: the client's own grow to two minutes, and a crossed trigger waits for the next one. */
const RECONNECT = { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.min_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 500 } as const;

/** Lazy: made without the server there, so that a process starts while Temporal is away; calls fail until it answers. */
export function connectTemporal(address: string, namespace: string, codec: PayloadCodec | null = null): TemporalClient {
  const connection = Connection.lazy({ address, channelArgs: RECONNECT });
  const client = new Client({ connection, namespace, ...payloadConversion(codec) });
  return {
    client,
    ping: async (timeoutMs) => {
      await connection.withDeadline(Date.now() + timeoutMs, () => connection.workflowService.describeNamespace({ namespace }));
    },
    close: () => connection.close(),
  };
}
