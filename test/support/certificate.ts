/** A self-signed certificate for this host, made anew for each run: no key lies in the repository. DER by hand, as RFC 5280 has it. */
import { createSign, generateKeyPairSync, randomBytes } from 'node:crypto';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

const SEQUENCE = 0x30;
const SET = 0x31;
const OID = 0x06;
const UTF8 = 0x0c;
const UTC_TIME = 0x17;

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
const ECDSA_WITH_SHA256 = der(SEQUENCE, der(OID, bytes('2a8648ce3d040302')));
const COMMON_NAME = bytes('550403');
const SUBJECT_ALT_NAME = bytes('551d11');
const BASIC_CONSTRAINTS = bytes('551d13');

function utcTime(ms: number): Buffer {
  return der(UTC_TIME, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));
}

/** Good for an hour either way, for localhost and 127.0.0.1. */
export function selfSigned(nowMs = Date.now()): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, der(OID, COMMON_NAME), der(UTF8, Buffer.from('surefill test')))));
  const names = der(SEQUENCE, der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])));
  const extensions = der(0xa3, der(SEQUENCE,
    der(SEQUENCE, der(OID, BASIC_CONSTRAINTS), der(0x01, bytes('ff')), der(0x04, der(SEQUENCE, der(0x01, bytes('ff'))))),
    der(SEQUENCE, der(OID, SUBJECT_ALT_NAME), der(0x04, names)),
  ));
  const toSign = der(SEQUENCE,
    der(0xa0, der(0x02, bytes('02'))),
    der(0x02, Buffer.concat([bytes('01'), randomBytes(8)])),
    ECDSA_WITH_SHA256, name, der(SEQUENCE, utcTime(nowMs - 3_600_000), utcTime(nowMs + 3_600_000)), name,
    publicKey.export({ type: 'spki', format: 'der' }), extensions,
  );
  const signature = createSign('SHA256').update(toSign).sign(privateKey);
  const whole = der(SEQUENCE, toSign, ECDSA_WITH_SHA256, der(0x03, Buffer.concat([bytes('00'), signature])));
  const lines = whole.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n` };
}
