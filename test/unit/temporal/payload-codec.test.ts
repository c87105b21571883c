import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { EncryptingCodec, payloadConversion, remoteCodec } from '../../../src/temporal/payload-codec';

const [oldKey, newKey, foreignKey] = [randomBytes(32), randomBytes(32), randomBytes(32)];
const plain = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const bytesOf = ({ data, metadata }: Payload): string => Buffer.concat([data ?? new Uint8Array(), ...Object.values(metadata ?? {})]).toString('latin1');

describe('an encrypted payload', () => {
  const codec = new EncryptingCodec([newKey, oldKey], 'default');

  test('comes back as it was, whatever it holds', async () => {
    const anyPayload = fc.record({ metadata: fc.dictionary(fc.string(), fc.uint8Array()), data: fc.uint8Array() });
    await fc.assert(
      fc.asyncProperty(fc.array(anyPayload, { maxLength: 3 }), async (payloads) => {
        const back = await codec.decode(await codec.encode(payloads));
        const shown = (list: readonly Payload[]) => list.map(({ metadata, data }) => [Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('hex')]), Buffer.from(data ?? []).toString('hex')]);
        expect(shown(back)).toEqual(shown(payloads));
      }),
      { numRuns: 1_000 },
    );
  });

  test('shows nothing of its value or its kind, and is another each time', async () => {
    const [one] = await codec.encode([plain({ clientOrderId: 'canary' })]);
    const [two] = await codec.encode([plain({ clientOrderId: 'canary' })]);
    for (const payload of [one, two]) expect(bytesOf(payload ?? {})).not.toMatch(/canary|json/);
    expect(one?.data).not.toEqual(two?.data);
  });

  test('is readable with an older key as long as that is kept', async () => {
    const before = await new EncryptingCodec([oldKey], 'default').encode([plain('kept')]);
    expect(defaultPayloadConverter.fromPayload((await codec.decode(before))[0] ?? {})).toBe('kept');
    const after = await codec.encode([plain('fresh')]);
    await expect(new EncryptingCodec([oldKey], 'default').decode(after)).rejects.toThrow(/TEMPORAL_PAYLOAD_KEYS does not have: add it after the first/);
  });

  test('is refused when it was changed, cut, or comes from another namespace or key', async () => {
    const [payload] = await codec.encode([plain('x')]);
    const data = Buffer.from(payload?.data ?? []);
    const flipped = Buffer.from(data);
    flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
    await expect(codec.decode([{ ...payload, data: flipped }])).rejects.toThrow();
    await expect(codec.decode([{ ...payload, data: data.subarray(0, 20) }])).rejects.toThrow('too short');
    await expect(new EncryptingCodec([newKey], 'other').decode([payload ?? {}])).rejects.toThrow();
    await expect(new EncryptingCodec([foreignKey], 'default').decode([payload ?? {}])).rejects.toThrow('add it');
  });

  test('beside one from before encryption was turned on: that passes as it is', async () => {
    const old = plain({ a: 1 });
    expect(await codec.decode([old])).toEqual([old]);
  });
});

test('the Web UI asks in base64 and gets the value as it was', async () => {
  const remote = remoteCodec(new EncryptingCodec([newKey], 'default'));
  const { metadata, data } = plain({ quantity: '0.5' });
  const shown = { metadata: { encoding: Buffer.from(metadata?.['encoding'] ?? []).toString('base64') }, data: Buffer.from(data ?? []).toString('base64') };
  const [encoded] = await remote.encode([shown]);
  expect(encoded?.data).not.toBe(shown.data);
  expect(await remote.decode([encoded ?? {}, {}])).toEqual([shown, { metadata: {}, data: '' }]);
});

test('without keys Temporal stores payloads as they are; a codec without keys cannot be made', () => {
  expect(payloadConversion(null)).toEqual({});
  expect(() => new EncryptingCodec([], 'default')).toThrow(RangeError);
});
