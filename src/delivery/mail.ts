/**
 * One mail to one address, through the mail server that the operator named: users name addresses, never hosts. The Message-ID is the
 * message's id over all attempts. SMTP has no way to ask what became of a message whose answer was lost: it is sent again under that id.
 */
import MailComposer from 'nodemailer/lib/mail-composer';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { oneLine, type SendOutcome } from '../domain/alert-delivery';

/** An ordinary address: one mailbox, no quotes, no comments, nothing that a header or an SMTP command could read otherwise. */
export const EMAIL_ADDRESS = /^[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?=.{1,190}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}$/;

/** `required`: STARTTLS, or nothing is sent; `offered`: where the server has it; `none`: never. A smtps: URL is TLS from the start. */
export type MailTls = 'required' | 'offered' | 'none';

export interface MailServer {
  /** smtp(s)://user:password@host:port. */
  readonly url: string;
  /** Address that mails come from; its domain ends their Message-IDs. */
  readonly from: string;
  readonly tls: MailTls;
  /** Certificates (PEM) that are believed besides the well-known ones; null: none. */
  readonly ca: string | null;
  readonly timeoutMs?: number;
}

export interface Mail {
  /** `alm_…`: the first part of the Message-ID. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly at: Date;
  readonly signal: AbortSignal;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** Of one attempt, all told: mail servers look a sender up before they answer. Shorter than a claim. */
export const MAIL_TIMEOUT_MS = 20_000;
const SUBMISSION_PORT = 587;
const SMTPS_PORT = 465;
/** Of what is said to an owner: a line. */
const MAX_WORDS = 300;
/** RFC 5321 4.2.2, 4.2.3: of a recipient that this server will never take. */
const NO_SUCH_RECIPIENT = new Set([501, 510, 511, 550, 551, 553]);

export class Mailer {
  private readonly url: URL;

  constructor(private readonly server: MailServer) {
    this.url = new URL(server.url);
    if (!EMAIL_ADDRESS.test(server.from)) throw new RangeError(`not an address to send from: ${JSON.stringify(server.from)}`);
  }

  /** Never rejects: whatever happens is an outcome. */
  async send(mail: Mail): Promise<SendOutcome> {
    if (!EMAIL_ADDRESS.test(mail.to)) return { kind: 'disable', reason: 'addressRefused', message: 'it is not an address' };
    const bytes = await this.compose(mail);
    if (mail.signal.aborted) return { kind: 'interrupted' };
    const connection = this.connection();
    const deadline = AbortSignal.timeout(this.server.timeoutMs ?? MAIL_TIMEOUT_MS);
    const cut = AbortSignal.any([deadline, mail.signal]);
    try {
      const answer = await raced(cut, this.converse(connection, mail.to, bytes));
      return { kind: 'delivered', externalId: oneLine(answer).slice(0, MAX_WORDS) };
    } catch (error) {
      if (mail.signal.aborted) return { kind: 'interrupted' };
      return deadline.aborted ? { kind: 'retry', message: 'the mail server did not answer in time' } : judged(error);
    } finally {
      // The socket too: an attempt that was cut says no more.
      connection.close();
    }
  }

  private connection(): InstanceType<typeof SMTPConnection> {
    const { tls, ca } = this.server;
    const secure = this.url.protocol === 'smtps:';
    const connection = new SMTPConnection({
      host: this.url.hostname.replace(/^\[|\]$/g, ''),
      port: this.url.port === '' ? (secure ? SMTPS_PORT : SUBMISSION_PORT) : Number(this.url.port),
      secure,
      requireTLS: !secure && tls === 'required',
      ignoreTLS: !secure && tls === 'none',
      connectionTimeout: CONNECT_TIMEOUT_MS,
      greetingTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: this.server.timeoutMs ?? MAIL_TIMEOUT_MS,
      socketCloseTimeout: 0,
      name: this.server.from.slice(this.server.from.indexOf('@') + 1),
      ...(ca === null ? {} : { tls: { ca } }),
    });
    // What breaks later than its own callback is told by the deadline or by nobody.
    connection.on('error', () => undefined);
    return connection;
  }

  private async converse(connection: InstanceType<typeof SMTPConnection>, to: string, bytes: Buffer): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      connection.once('error', reject);
      connection.connect((error) => (error ? reject(error) : resolve()));
    });
    const [user, pass] = [this.url.username, this.url.password].map(decodeURIComponent);
    if (user !== undefined && user !== '') await new Promise<void>((resolve, reject) => void connection.login({ user, pass: pass ?? '' }, (error) => (error ? reject(error) : resolve())));
    return new Promise<string>((resolve, reject) => {
      connection.once('error', reject);
      connection.send({ from: this.server.from, to: [to] }, bytes, (error, info) => (error ? reject(error) : resolve(String(info?.response ?? ''))));
    });
  }

  private compose({ id, to, subject, text, at }: Mail): Promise<Buffer> {
    const { from } = this.server;
    const composer = new MailComposer({
      from,
      to,
      subject: oneLine(subject),
      text,
      date: at,
      messageId: `<${id}@${from.slice(from.indexOf('@') + 1)}>`,
      // RFC 3834: no out-of-office answers.
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Surefill-Message': id },
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    return new Promise((resolve, reject) => composer.compile().build((error, built) => (error || !built ? reject(error ?? new Error('no mail was built')) : resolve(built))));
  }
}

/** What the server says of the recipient and of the mail is told; what it says of logging in is not: it may repeat what it was sent. */
function judged(error: unknown): SendOutcome {
  const { code, responseCode, command, response } = error as { readonly code?: unknown; readonly responseCode?: unknown; readonly command?: unknown; readonly response?: unknown };
  const said = typeof response === 'string' && response !== '' ? response : error instanceof Error ? error.message : String(error);
  // Logging in is the operator's matter: it is not the address that is wrong.
  if (code === 'EAUTH') return { kind: 'retry', message: `EAUTH: the mail server does not let us in${typeof responseCode === 'number' ? ` (${responseCode})` : ''}: see SUREFILL_SMTP_URL` };
  const message = oneLine(`${typeof code === 'string' ? `${code}: ` : ''}${said}`).slice(0, MAX_WORDS);
  if (typeof responseCode !== 'number' || responseCode < 500) return { kind: 'retry', message };
  if (command === 'RCPT TO' && NO_SUCH_RECIPIENT.has(responseCode)) return { kind: 'disable', reason: 'addressRefused', message };
  return command === 'DATA' || command === 'RCPT TO' ? { kind: 'refused', message } : { kind: 'retry', message };
}

function raced<T>(cut: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onCut = (): void => reject(new Error('cut'));
    if (cut.aborted) onCut();
    cut.addEventListener('abort', onCut, { once: true });
    work.then(resolve, reject).finally(() => cut.removeEventListener('abort', onCut));
  });
}
