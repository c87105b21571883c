/** S42, the bound itself: how much may wait for a client that reads nothing. */
import { expect, test } from '@jest/globals';
import { EventEmitter } from 'node:events';
import type { Socket } from 'socket.io';
import { SocketOutgoing } from '../../../src/streams/outgoing';
import type { ResyncNotice } from '../../../src/streams/socket-events';

/** A connection that keeps what it is given until it is told to flush. */
class Held extends EventEmitter {
  bytes = 0;
  closed = false;
  write(text: string): void {
    this.bytes += text.length;
    this.emit('packetCreate', { data: text });
  }
  flushed(): void {
    this.bytes = 0;
    this.emit('flush');
  }
  close(): void {
    this.closed = true;
    this.emit('close');
  }
}
const message = (words: number): ResyncNotice => ({ channel: 'orders', accountId: 'a', reason: 'restored', sequence: 1, generation: 'x'.repeat(words), snapshot: null });
function outgoing(maxUnsentBytes: number) {
  const connection = new Held();
  const slow: string[] = [];
  return { connection, slow, out: new SocketOutgoing({ conn: connection } as unknown as Socket<Record<string, never>, Record<string, never>> as never, (reason) => slow.push(reason), maxUnsentBytes) };
}

test('who asks for room before each message lets no more than the high-water mark and one message wait', async () => {
  const { connection, out, slow } = outgoing(40_000);
  let most = 0;
  for (let sent = 0; sent < 1_000; sent += 1) {
    const room = out.room();
    if (room) {
      connection.flushed();
      await room;
    }
    out.emit('resync', message(1_000));
    most = Math.max(most, connection.bytes);
  }
  expect(most).toBeGreaterThan(9_000);
  expect(most).toBeLessThan(12_000);
  expect([slow, connection.closed, out.busy]).toEqual([[], false, true]);
});

test('past the bound it is cut off with a reason, whoever waited goes on, and nothing more is kept', async () => {
  const { connection, out, slow } = outgoing(40_000);
  for (let sent = 0; sent < 10; sent += 1) out.emit('resync', message(1_000));
  const room = out.room();
  for (let sent = 0; sent < 1_000; sent += 1) out.emit('resync', message(1_000));
  await room;
  expect(connection.bytes).toBeLessThan(42_000);
  expect([slow, connection.closed, out.room()]).toEqual([['left more than 40000 bytes unread'], true, undefined]);
});
