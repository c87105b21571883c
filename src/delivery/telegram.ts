/**
 * One message to a Telegram chat: POST /bot<token>/sendMessage (core.telegram.org/bots/api#sendmessage). The token is part of the URL, so
 * nothing that names the URL leaves here. Telegram knows no idempotency key: a message whose answer was lost is sent again.
 */
import { oneLine, type SendOutcome } from '../domain/alert-delivery';
import type { GuardedClient } from './guarded-client';

/** As BotFather gives it out: nothing in it can change the path of a URL. */
export const BOT_TOKEN = /^\d{1,20}:[A-Za-z0-9_-]{20,64}$/;
/** A user, a group (negative), or a channel by its name. */
export const CHAT_ID = /^(-?\d{1,20}|@[A-Za-z][A-Za-z0-9_]{4,31})$/;

export interface TelegramMessage {
  readonly botToken: string;
  readonly chatId: string;
  readonly text: string;
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
}

/** What Telegram answers when it refuses; `description` and `parameters` may be absent. */
interface TelegramError {
  readonly description?: unknown;
  readonly parameters?: { readonly retry_after?: unknown; readonly migrate_to_chat_id?: unknown };
}

const SECOND = 1_000;
/** Of what is said to an owner: a line. */
const MAX_WORDS = 300;

export class Telegram {
  /** `baseUrl` is the operator's: a server of theirs, or https://api.telegram.org. */
  constructor(
    private readonly client: Pick<GuardedClient, 'post'>,
    private readonly baseUrl: string,
  ) {}

  /** Never rejects: whatever happens is an outcome. */
  async send({ botToken, chatId, text, nowMs, signal }: TelegramMessage): Promise<SendOutcome> {
    // Plain text, without parse_mode: no name that a user chose can be markup.
    const body = JSON.stringify({ chat_id: chatId, text, disable_web_page_preview: true });
    const { code, errorClass, answer } = await this.client.post({ url: `${this.baseUrl.replace(/\/$/, '')}/bot${botToken}/sendMessage`, headers: { 'content-type': 'application/json' }, body, nowMs, signal });
    if (errorClass === 'interrupted') return { kind: 'interrupted' };
    // An answer may be a proxy's, which names the URL that it did not find.
    const redacted = (answer ?? '').replaceAll(botToken, '[redacted]');
    const said = oneLine(redacted).slice(0, MAX_WORDS);
    if (code === null || errorClass === 'redirect') return { kind: 'retry', message: `${errorClass ?? 'network'}: ${said}` };
    // The answer repeats the text and may be cut short: the status alone says that it arrived.
    if (code >= 200 && code < 300) return { kind: 'delivered', externalId: /"message_id":(\d{1,20})/.exec(redacted)?.[1] ?? null };
    return judged(code, errorOf(redacted), said);
  }
}

function judged(code: number, { description, parameters }: TelegramError, said: string): SendOutcome {
  const words = typeof description === 'string' ? oneLine(description).slice(0, MAX_WORDS) : said;
  const message = `Telegram says ${code}: ${words}`;
  switch (code) {
    // A token that never was answers Not Found, because it is a part of the path.
    case 401:
    case 404:
      return { kind: 'disable', reason: 'unauthorized', message };
    case 403:
      return { kind: 'disable', reason: 'blocked', message };
    case 429: {
      const seconds = parameters?.retry_after;
      return typeof seconds === 'number' ? { kind: 'paused', waitMs: seconds * SECOND, message } : { kind: 'retry', message };
    }
    case 400: {
      const moved = parameters?.migrate_to_chat_id;
      if (typeof moved === 'number') return { kind: 'moved', target: String(moved), message };
      if (/chat not found|chat_id is empty|PEER_ID_INVALID/i.test(words)) return { kind: 'disable', reason: 'chatNotFound', message };
      return { kind: 'refused', message };
    }
    default:
      return code >= 500 ? { kind: 'retry', message } : { kind: 'refused', message };
  }
}

function errorOf(answer: string): TelegramError {
  try {
    const parsed: unknown = JSON.parse(answer);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {}; // a page of a proxy on the way: its status says enough
  }
}
