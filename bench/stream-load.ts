/** Clients of a stream in a process of their own, each a bare WebSocket that speaks just enough Socket.io. Told over IPC. */
import WebSocket from 'ws';

/** `subjects`: what each client subscribes to; `{client}` in an accountId becomes its number. */
export type LoadCommand = { readonly connect: number; readonly port: number; readonly subjects: readonly Readonly<Record<string, string>>[] } | { readonly until: number } | { readonly close: true };

/** So many connect at once. */
const AT_ONCE = 100;
let events = 0;
let waiting: { readonly count: number; readonly done: () => void } | null = null;
let clients: WebSocket[] = [];

function connect(port: number, subjects: readonly object[]): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`, { perMessageDeflate: false });
    let missing = subjects.length;
    socket.on('error', reject);
    socket.on('message', (data: Buffer) => {
      // Engine.IO: 0 open, 2 ping, 3 pong, 4 message; Socket.IO after the 4: 0 connect, 2 event, 3 acknowledgement.
      if (data[0] === 0x32) socket.send('3');
      else if (data[0] === 0x30) socket.send('40{"token":"bench"}');
      else if (data[1] === 0x30) for (const [index, subject] of subjects.entries()) socket.send(`42${index}${JSON.stringify(['subscribe', subject])}`);
      else if (data[1] === 0x33) {
        if (data.includes('"error"')) reject(new Error(data.toString()));
        missing -= 1;
        if (missing === 0) resolve(socket);
      } else if (data[1] === 0x32) {
        events += 1;
        if (waiting !== null && events >= waiting.count) waiting.done();
      }
    });
  });
}

async function obey(command: LoadCommand): Promise<void> {
  if ('connect' in command) {
    for (let first = 0; first < command.connect; first += AT_ONCE) {
      const batch = Array.from({ length: Math.min(AT_ONCE, command.connect - first) }, (_, index) => JSON.parse(JSON.stringify(command.subjects).replaceAll('{client}', String(first + index))) as object[]);
      clients.push(...(await Promise.all(batch.map((subjects) => connect(command.port, subjects)))));
    }
  } else if ('until' in command) {
    if (events < command.until) await new Promise<void>((done) => (waiting = { count: command.until, done }));
    waiting = null;
    events = 0;
  } else {
    await Promise.all(clients.map((socket) => new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      socket.close();
    })));
    clients = [];
    events = 0;
  }
}

process.on('message', (command: LoadCommand) => {
  void obey(command).then(
    () => process.send?.({ done: true }),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exit(1);
    },
  );
});
process.once('disconnect', () => process.exit(0));
process.send?.({ ready: true });
