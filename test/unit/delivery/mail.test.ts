/** Mails over real SMTP to a local server: what arrives, what is refused, what TLS asks for. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { EMAIL_ADDRESS, Mailer, type MailServer as MailSettings } from '../../../src/delivery/mail';
import type { SendOutcome } from '../../../src/domain/alert-delivery';
import { selfSigned } from '../../support/certificate';
import { MailServer } from '../../support/mail-server';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function started(...options: Parameters<typeof MailServer.start>): Promise<MailServer> {
  const server = await MailServer.start(...options);
  stops.push(() => server.stop());
  return server;
}

const mailer = (server: { readonly url: string }, changes: Partial<MailSettings> = {}): Mailer => new Mailer({ url: server.url, from: 'alerts@surefill.example', tls: 'none', ca: null, ...changes });
const mail = { id: 'alm_1', to: 'trader@example.com', subject: 'BTC-PERP is at or above 50000', text: 'BTC-PERP is at or above 50000\nThe last price was 50001. é', at: new Date('2026-01-31T12:00:00Z') };
const send = (by: Mailer, changes: Partial<typeof mail> = {}, signal = new AbortController().signal): Promise<SendOutcome> => by.send({ ...mail, ...changes, signal });

describe('a mail', () => {
  test('arrives under the message\'s own id, however often it is sent, and asks for no automatic answer', async () => {
    const server = await started();
    for (let n = 0; n < 2; n += 1) expect((await send(mailer(server))).kind).toBe('delivered');
    expect(server.mails.map(({ headers }) => headers['message-id'])).toEqual(['<alm_1@surefill.example>', '<alm_1@surefill.example>']);
    expect(server.mails[0]).toMatchObject({ from: 'alerts@surefill.example', to: ['trader@example.com'] });
    expect(server.mails[0]?.headers).toMatchObject({ subject: mail.subject, to: 'trader@example.com', 'auto-submitted': 'auto-generated', date: 'Sat, 31 Jan 2026 12:00:00 +0000' });
    expect(server.mails[0]?.raw).toBe(server.mails[1]?.raw);
  });

  test.each([
    ['a subject with a header in it', { subject: 'Up\r\nBcc: everyone@example.com' }],
    ['a subject with a bare line feed', { subject: 'Up\nBcc: everyone@example.com' }],
    ['a text that ends the mail', { text: 'Up\r\n.\r\nMAIL FROM:<x@example.com>\r\nBcc: everyone@example.com' }],
  ])('with %s goes to one address, with no header more', async (_, changes) => {
    const server = await started();
    expect((await send(mailer(server), changes)).kind).toBe('delivered');
    expect(server.mails).toHaveLength(1);
    expect(server.mails[0]?.to).toEqual(['trader@example.com']);
    expect(Object.keys(server.mails[0]?.headers ?? {})).not.toContain('bcc');
  });

  test.each(['a@example.com\r\nRCPT TO:<b@example.com>', 'a@example.com,b@example.com', 'A <a@example.com>', '"a b"@example.com', '@example.com', 'a@localhost', 'a@-x.com', `${'a'.repeat(65)}@example.com`])('to %j is never tried', async (to) => {
    expect(EMAIL_ADDRESS.test(to)).toBe(false);
    const server = await started();
    expect(await send(mailer(server), { to })).toMatchObject({ kind: 'disable', reason: 'addressRefused' });
    expect(server.mails).toEqual([]);
  });
});

describe('a mail server that refuses', () => {
  test.each([
    ['the address for ever', { recipient: { code: 550, words: 'no such user here' }, data: null }, { kind: 'disable', reason: 'addressRefused' }],
    ['the address for now', { recipient: { code: 451, words: 'greylisted' }, data: null }, { kind: 'retry' }],
    ['the address\'s mailbox, which is full', { recipient: { code: 552, words: 'mailbox full' }, data: null }, { kind: 'refused' }],
    ['the mail', { recipient: null, data: { code: 554, words: 'that is spam' } }, { kind: 'refused' }],
    ['the mail for now', { recipient: null, data: { code: 452, words: 'disk full' } }, { kind: 'retry' }],
  ])('%s', async (_, refuses, outcome) => {
    const server = await started();
    server.refuses = refuses;
    expect(await send(mailer(server))).toMatchObject(outcome);
  });

  test('to let us log in is the operator\'s matter: it is tried again, and no word of it is the password', async () => {
    const server = await started({ disabledCommands: ['STARTTLS'], onAuth: ({ username, password }, _session, done) => done(new Error(`nobody is let in as ${username}:${password}`)) });
    const outcome = await send(mailer({ url: server.url.replace('smtp://', 'smtp://robot:s3cret-word@') }));
    expect(outcome).toEqual({ kind: 'retry', message: 'EAUTH: the mail server does not let us in (535): see SUREFILL_SMTP_URL' });
  });

  test('to answer at all is tried again; a connection that nobody takes too', async () => {
    const sockets: Socket[] = [];
    const mute: Server = createServer((socket) => void sockets.push(socket.on('error', () => undefined))).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    stops.push(async () => {
      for (const socket of sockets) socket.destroy();
      mute.close();
    });
    const url = `smtp://127.0.0.1:${(mute.address() as AddressInfo).port}`;
    expect(await send(mailer({ url }, { timeoutMs: 300 }))).toEqual({ kind: 'retry', message: 'the mail server did not answer in time' });
    expect((await send(mailer({ url: 'smtp://127.0.0.1:9' }))).kind).toBe('retry');
  });

  test('to say whether it has the mail is cut by our own end, and nothing of the attempt goes on', async () => {
    const server = await started();
    server.holds = true;
    const cut = new AbortController();
    const sending = send(mailer(server), {}, cut.signal);
    while (server.mails.length === 0) await new Promise((resolve) => setImmediate(resolve));
    cut.abort();
    expect(await sending).toEqual({ kind: 'interrupted' });
    expect(await send(mailer(server), {}, AbortSignal.abort())).toEqual({ kind: 'interrupted' });
    expect(server.mails).toHaveLength(1);
  });
});

describe('TLS', () => {
  test('is asked for, and a server without it gets nothing', async () => {
    const server = await started();
    expect((await send(mailer(server, { tls: 'required' }))).kind).toBe('retry');
    expect(server.mails).toEqual([]);
    expect((await send(mailer(server, { tls: 'offered' }))).kind).toBe('delivered');
  });

  test('is believed only where the certificate is, and then user and password go inside it', async () => {
    const { key, cert } = selfSigned();
    const server = await started({ key, cert, onAuth: ({ username, password }, _session, done) => (password === 's3cret' ? done(null, { user: username ?? '' }) : done(new Error('wrong'))) });
    const url = server.url.replace('smtp://', 'smtp://robot:s3cret@');
    expect((await send(mailer({ url }, { tls: 'required' }))).kind).toBe('retry');
    expect(server.mails).toEqual([]);
    expect((await send(mailer({ url }, { tls: 'required', ca: cert }))).kind).toBe('delivered');
    expect(server.mails).toMatchObject([{ secure: true, user: 'robot' }]);
  });

  test('from the start is what smtps means', async () => {
    const { key, cert } = selfSigned();
    const server = await started({ key, cert, secure: true });
    expect((await send(mailer({ url: server.url.replace('smtp:', 'smtps:') }, { ca: cert }))).kind).toBe('delivered');
    expect(server.mails[0]?.secure).toBe(true);
  });
});

test('a sender that is no address is a mistake of the operator', () => {
  expect(() => new Mailer({ url: 'smtp://127.0.0.1', from: 'Surefill <a@example.com>', tls: 'none', ca: null })).toThrow('not an address to send from');
});
