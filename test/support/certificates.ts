import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

/** A certificate with its key, as PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

export interface Authority {
  /** What clients are told to trust. */
  readonly certificate: string;
  /** For a server of these names, DNS or IPv4. */
  issue(names: readonly string[], valid?: { readonly from?: Date; readonly until?: Date }): Certificate;
}

const day = 86_400_000;

/** A certificate authority of a test's own, so that nothing expires and no program is needed: X.509 v3 with P-256. */
export function createAuthority(name: string): Authority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = distinguished(name);
  const signed = (subject: Buffer, publicKey: KeyObject, extensions: readonly Buffer[], from: Date, until: Date): string => {
    const body = sequence(
      tagged(0xa0, integer(Buffer.from([2]))),
      integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
      ecdsaWithSha256,
      issuer,
      sequence(time(from), time(until)),
      subject,
      publicKey.export({ type: 'spki', format: 'der' }),
      tagged(0xa3, sequence(...extensions)),
    );
    return pem(sequence(body, ecdsaWithSha256, bits(sign('sha256', body, keys.privateKey))));
  };
  const isAuthority = extension('551d13', sequence(Buffer.from([0x01, 0x01, 0xff])));
  const [earlier, later] = [new Date(Date.now() - day), new Date(Date.now() + 30 * day)];
  return {
    certificate: signed(issuer, keys.publicKey, [isAuthority], earlier, later),
    issue: (names, { from = earlier, until = later } = {}) => {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const alternatives = extension('551d11', sequence(...names.map(alternative)));
      const certificate = signed(distinguished('server of a test'), own.publicKey, [alternatives], from, until);
      return { certificate, key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
    },
  };
}

function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => tagged(0x30, ...parts);
const integer = (bytes: Buffer): Buffer => tagged(0x02, bytes);
const identifier = (hex: string): Buffer => tagged(0x06, Buffer.from(hex, 'hex'));
const bits = (bytes: Buffer): Buffer => tagged(0x03, Buffer.from([0]), bytes);
const octets = (bytes: Buffer): Buffer => tagged(0x04, bytes);
/** GeneralizedTime: 20260101000000Z. */
const time = (at: Date): Buffer => tagged(0x18, Buffer.from(`${at.toISOString().replaceAll(/[-:T]|\.\d+/g, '')}`));
const ecdsaWithSha256 = sequence(identifier('2a8648ce3d040302'));
const distinguished = (name: string): Buffer => sequence(tagged(0x31, sequence(identifier('550403'), tagged(0x0c, Buffer.from(name)))));
const extension = (id: string, value: Buffer): Buffer => sequence(identifier(id), octets(value));

function alternative(name: string): Buffer {
  const numbers = /^\d+(\.\d+){3}$/.test(name) ? name.split('.').map(Number) : undefined;
  return numbers ? tagged(0x87, Buffer.from(numbers)) : tagged(0x82, Buffer.from(name));
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
