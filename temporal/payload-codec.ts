import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import protocol from '@temporalio/proto';
import { Failure } from '../domain/failure.ts';

/** A key by the id under which payloads name it. As a KeyObject, whose bytes no log and no inspection shows. */
export interface PayloadKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: KeyObject;
}

const stored = protocol.temporal.api.common.v1.Payload;
const encoding = 'binary/encrypted';
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Encrypts payloads by AES-256-GCM with the first key and decrypts with any: nonce, ciphertext and tag of the whole payload, as
 * Temporal's own samples have it. What is not encrypted (it is older than the keys) passes. Decoding throws
 * `configuration-invalid` for a key that is not there, and for one whose bytes are not those that encrypted.
 */
export function payloadCodec(keys: readonly [PayloadKey, ...PayloadKey[]]): PayloadCodec {
  const [first] = keys;
  const byId = new Map(keys.map((one) => [one.id, one.key]));
  return {
    encode: async (payloads) => await Promise.resolve(payloads.map((payload) => encrypted(payload, first))),
    decode: async (payloads) =>
      await Promise.resolve(payloads.map((payload) => (isEncrypted(payload) ? decrypted(payload, byId) : payload))),
  };
}

function isEncrypted({ metadata }: Payload): boolean {
  return textOf(metadata?.['encoding']) === encoding;
}

function encrypted(payload: Payload, { id, key }: PayloadKey): Payload {
  // Random nonces repeat after some 2^32 payloads of one key: no installation gets there between two rotations.
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const data = Buffer.concat([nonce, cipher.update(stored.encode(payload).finish()), cipher.final(), cipher.getAuthTag()]);
  return { metadata: { encoding: Buffer.from(encoding), 'encryption-key-id': Buffer.from(id) }, data };
}

function decrypted({ metadata, data }: Payload, keys: ReadonlyMap<string, KeyObject>): Payload {
  const id = textOf(metadata?.['encryption-key-id']);
  const key = keys.get(id);
  if (!key) {
    const known = [...keys.keys()].join(', ');
    throw new Failure('configuration-invalid', `a payload is encrypted with the key "${id}", and this process has ${known}; ${advice}`, {
      id,
    });
  }
  const bytes = data ?? Buffer.alloc(0);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes));
    decipher.setAuthTag(bytes.subarray(-tagBytes));
    const plain = Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]);
    return stored.decode(plain);
  } catch (error) {
    const why = `the key that this process has under that name is another one, or the payload was changed; ${advice}`;
    throw new Failure('configuration-invalid', `a payload can not be decrypted with the key "${id}": ${why}`, { id }, error);
  }
}

const advice = 'put the key that it was encrypted with into STEADYHAND_PAYLOAD_KEYS';

function textOf(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString('utf8');
}
