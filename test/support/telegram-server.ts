/** Telegram's Bot API as far as alerts use it, over real HTTP: sendMessage with its checks and its answers, as core.telegram.org/bots/api has them. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SentMessage {
  readonly chatId: string;
  readonly text: string;
  readonly code: number;
  /** The sender was told. False: taken, and its answer was kept back. */
  readonly answered: boolean;
}

/** What it says of a chat instead of taking the message. `hang` answers nothing. */
export type Refusal = { readonly code: number; readonly body: object | string } | 'hang';

export const REFUSALS = {
  blocked: { code: 403, body: { ok: false, error_code: 403, description: 'Forbidden: bot was blocked by the user' } },
  flood: (seconds: number) => ({ code: 429, body: { ok: false, error_code: 429, description: `Too Many Requests: retry after ${seconds}`, parameters: { retry_after: seconds } } }),
  chatNotFound: { code: 400, body: { ok: false, error_code: 400, description: 'Bad Request: chat not found' } },
  migrated: (chatId: number) => ({ code: 400, body: { ok: false, error_code: 400, description: 'Bad Request: group chat was upgraded to a supergroup chat', parameters: { migrate_to_chat_id: chatId } } }),
  badGateway: { code: 502, body: '<html><body>502 Bad Gateway</body></html>' },
} as const;

const MAX_TEXT = 4_096;

export class TelegramServer {
  readonly requests: SentMessage[] = [];
  /** Asked before each message is taken. */
  refuses: (chatId: string) => Refusal | null = () => null;
  /** What is taken while this is on is in the chat, and its sender never learns of it. */
  holds = false;
  url = '';
  private number = 0;

  private constructor(
    private readonly server: Server,
    readonly token: string,
  ) {}

  static async start(token = '123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11'): Promise<TelegramServer> {
    const server = createServer();
    const telegram = new TelegramServer(server, token);
    server.on('request', (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const answer = telegram.answer(request.method ?? '', request.url ?? '', String(request.headers['content-type']), Buffer.concat(parts).toString('utf8'));
        if (answer === 'hang') return;
        const isPage = typeof answer.body === 'string';
        response.writeHead(answer.code, { 'content-type': isPage ? 'text/html' : 'application/json' }).end(isPage ? answer.body : JSON.stringify(answer.body));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    telegram.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return telegram;
  }

  /** Those that arrived, by chat. */
  texts(chatId: string): string[] {
    return this.requests.filter((each) => each.chatId === chatId && each.code === 200).map(({ text }) => text);
  }

  /** How many clients are connected. */
  connections(): Promise<number> {
    return new Promise((resolve, reject) => this.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))));
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  private answer(method: string, path: string, contentType: string, body: string): Refusal {
    const error = (code: number, description: string): Refusal => ({ code, body: { ok: false, error_code: code, description } });
    const [, token, call] = /^\/bot([^/]+)\/(\w+)$/.exec(path) ?? [];
    if (token === undefined) return error(404, 'Not Found');
    if (token !== this.token) return error(401, 'Unauthorized');
    if (method !== 'POST' || call !== 'sendMessage' || !contentType.startsWith('application/json')) return error(404, 'Not Found');
    const { chat_id: chatId, text, parse_mode: markup } = JSON.parse(body) as { chat_id?: unknown; text?: unknown; parse_mode?: unknown };
    if (typeof chatId !== 'string' || typeof text !== 'string' || text === '') return error(400, 'Bad Request: message text is empty');
    if (markup !== undefined) return error(400, 'Bad Request: can\'t parse entities');
    const refusal = [...text].length > MAX_TEXT ? error(400, 'Bad Request: message is too long') : this.refuses(chatId);
    const code = refusal === null ? 200 : refusal === 'hang' ? 0 : refusal.code;
    const isHeld = refusal === null && this.holds;
    this.requests.push({ chatId, text, code, answered: !isHeld && code !== 0 });
    if (refusal !== null) return refusal;
    this.number += 1;
    if (isHeld) return 'hang';
    return { code: 200, body: { ok: true, result: { message_id: this.number, from: { id: 123456, is_bot: true, first_name: 'Surefill' }, chat: { id: Number(chatId), type: 'private' }, date: 1_769_860_800, text } } };
  }
}
