/** A mail server over real SMTP (the package smtp-server): what it took, and what it refuses or holds. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface TakenMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Headers by lower-case name; folded lines are one. */
  readonly headers: Readonly<Record<string, string>>;
  readonly raw: string;
  readonly secure: boolean;
  readonly user: string | null;
  /** The client was told that it was taken. False: refused, or held and never answered. */
  accepted: boolean;
}

export class MailServer {
  /** In the order in which their bytes came; a held one too. */
  readonly mails: TakenMail[] = [];
  /** What RCPT TO, or the end of DATA, is refused with. */
  refuses: { recipient: { code: number; words: string } | null; data: { code: number; words: string } | null } = { recipient: null, data: null };
  /** The answer to DATA is not given while this is on: the client does not learn that the mail is here. */
  holds = false;
  port = 0;
  private readonly held: (() => void)[] = [];
  private readonly server: SMTPServer;

  private constructor(options: SMTPServerOptions) {
    this.server = new SMTPServer({
      logger: false,
      authOptional: true,
      disableReverseLookup: true,
      closeTimeout: 100,
      ...options,
      onRcptTo: (_address, _session, done) => done(this.refuses.recipient === null ? null : failure(this.refuses.recipient)),
      onData: (stream, session, done) => {
        void text(stream).then((raw) => {
          const mail: TakenMail = { from: session.envelope.mailFrom === false ? '' : session.envelope.mailFrom.address, to: session.envelope.rcptTo.map(({ address }) => address), headers: headersOf(raw), raw, secure: session.secure, user: session.user ?? null, accepted: false };
          this.mails.push(mail);
          const answer = (): void => {
            mail.accepted = this.refuses.data === null;
            done(this.refuses.data === null ? null : failure(this.refuses.data));
          };
          if (this.holds) this.held.push(answer);
          else answer();
        });
      },
    });
    // Clients that are killed while they wait.
    this.server.on('error', () => undefined);
  }

  static async start(options: SMTPServerOptions = { disabledCommands: ['STARTTLS', 'AUTH'] }): Promise<MailServer> {
    const mail = new MailServer(options);
    const listening = mail.server.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    mail.port = (listening.address() as AddressInfo).port;
    return mail;
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`;
  }

  to(address: string): TakenMail[] {
    return this.mails.filter(({ to }) => to.includes(address));
  }

  /** How many clients are connected. */
  get connections(): number {
    return this.server.connections.size;
  }

  async stop(): Promise<void> {
    for (const answer of this.held.splice(0)) answer();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

function failure({ code, words }: { readonly code: number; readonly words: string }): Error {
  return Object.assign(new Error(words), { responseCode: code });
}

function headersOf(raw: string): Record<string, string> {
  const [head = ''] = raw.split('\r\n\r\n');
  return Object.fromEntries(head.replace(/\r\n[ \t]+/g, ' ').split('\r\n').map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
}
