/** A message for many clients, encoded once: whoever is sent the same object is sent the same bytes. */
import WebSocket from 'ws';

/** What engine.io writes to one connection; it goes out as it is where the connection is a WebSocket. */
export interface Encoded {
  readonly text: string;
  readonly options: { compress: boolean; readonly wsPreEncodedFrame: readonly Buffer[] };
}

/** A public part of ws that its types leave out; Socket.io's own rooms use it in the same way. */
const { Sender } = WebSocket as unknown as { Sender: { frame(data: Buffer, options: { readonly readOnly: boolean; readonly mask: boolean; readonly rsv1: boolean; readonly opcode: number; readonly fin: boolean }): Buffer[] } };
const TEXT = { readOnly: false, mask: false, rsv1: false, opcode: 1, fin: true } as const;

/** The bytes stay with the message; a symbol is no part of its JSON. */
const ENCODED = Symbol('encoded');
interface EncodedMessage {
  [ENCODED]?: Encoded;
}

/** `toSend` is not to be changed afterwards. */
export function encoded(name: string, toSend: object): Encoded {
  const message: EncodedMessage = toSend;
  const before = message[ENCODED];
  if (before) return before;
  // Socket.IO protocol 5: packet type 2 (EVENT) of the default namespace; engine.io puts its own 4 (message) before it.
  const text = `2${JSON.stringify([name, message])}`;
  const made: Encoded = { text, options: { compress: false, wsPreEncodedFrame: Sender.frame(Buffer.from(`4${text}`), TEXT) } };
  message[ENCODED] = made;
  return made;
}
