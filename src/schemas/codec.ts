/** Temporal's remote-codec protocol, as its Web UI and CLI speak it. */
import { z } from 'zod';

/** Payloads of one page of a history; the UI asks page by page. */
const MAX_PAYLOADS = 10_000;

const base64Schema = z.string().regex(/^[A-Za-z0-9+/_-]*={0,2}$/, 'must be base64');

export const remotePayloadSchema = z.looseObject({
  metadata: z.record(z.string().max(256), base64Schema).optional(),
  data: base64Schema.optional(),
});

export const remotePayloadsSchema = z.looseObject({ payloads: z.array(remotePayloadSchema).max(MAX_PAYLOADS) });
