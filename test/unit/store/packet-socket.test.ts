import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { PacketSocket } from '../../../src/store/database/packet-socket';

let server: Server;
let socket: PacketSocket;
let packets: string[];

/** As the driver sends a statement. */
function statement(text: string): void {
  socket.cork();
  for (const part of text) socket.write(part);
  socket.uncork();
}

const turnOver = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

beforeEach(async () => {
  server = createServer((connection) => connection.resume());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  socket = new PacketSocket();
  socket.connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  packets = [];
  const write = socket._writev?.bind(socket);
  jest.spyOn(socket, '_writev').mockImplementation((chunks, done) => {
    packets.push(chunks.map(({ chunk }) => String(chunk)).join(''));
    write?.(chunks, done);
  });
});

afterEach(async () => {
  socket.destroy();
  server.close();
  await once(server, 'close');
});

describe('statements to PostgreSQL', () => {
  test('of one turn leave in one packet, in their order, with those that a settled promise asked for', async () => {
    statement('ab');
    void Promise.resolve().then(() => statement('cd')).then(() => statement('ef'));
    statement('gh');
    expect(packets).toEqual([]);
    await turnOver();
    expect(packets).toEqual(['abghcdef']);
  });

  test('of the next turn leave in the next: nobody waits for what may come', async () => {
    statement('ab');
    await turnOver();
    statement('cd');
    await turnOver();
    expect(packets).toEqual(['ab', 'cd']);
  });

  test('take along what is written plainly behind them', async () => {
    statement('ab');
    socket.write('c');
    await turnOver();
    expect(packets).toEqual(['abc']);
  });
});
