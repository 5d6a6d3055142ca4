import { randomBytes, sign, type KeyObject } from 'node:crypto';

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export interface CertificateContents {
  /** The common name of the owner, and that of the signer. */
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  /** The signer's key: RSA or elliptic curve. */
  readonly signedBy: KeyObject;
  readonly hash: 'sha256' | 'sha384';
  /** What the certificate is for: the servers of these names (DNS or IPv4), or signing others. */
  readonly use: { readonly names: readonly string[] } | 'authority';
  readonly from: Date;
  readonly until: Date;
}

/**
 * An X.509 certificate (version 3), as PEM. Node makes keys and signatures, but no certificates, and the program openssl is not on
 * every machine. Certificates for the sandbox and for tests alone: a real authority puts more into them.
 */
export function signCertificate({ subject, issuer, publicKey, signedBy, hash, use, from, until }: CertificateContents): string {
  const algorithm = algorithmOf(signedBy, hash);
  const extension = use === 'authority' ? isAuthority : alternativeNames(use.names);
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    distinguished(issuer),
    sequence(time(from), time(until)),
    distinguished(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(extension)),
  );
  return pem(sequence(body, algorithm, bits(sign(hash, body, signedBy))));
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
const distinguished = (name: string): Buffer => sequence(tagged(0x31, sequence(identifier('550403'), tagged(0x0c, Buffer.from(name)))));
const extensionOf = (id: string, value: Buffer): Buffer => sequence(identifier(id), octets(value));
const isAuthority = extensionOf('551d13', sequence(Buffer.from([0x01, 0x01, 0xff])));
const alternativeNames = (names: readonly string[]): Buffer => extensionOf('551d11', sequence(...names.map(alternative)));

const ecdsa = { sha256: '2a8648ce3d040302', sha384: '2a8648ce3d040303' } as const;
const rsa = { sha256: '2a864886f70d01010b', sha384: '2a864886f70d01010c' } as const;

/** RSA's identifiers have a parameter, which is NULL. */
function algorithmOf({ asymmetricKeyType }: KeyObject, hash: CertificateContents['hash']): Buffer {
  return asymmetricKeyType === 'rsa' ? sequence(identifier(rsa[hash]), Buffer.from([0x05, 0x00])) : sequence(identifier(ecdsa[hash]));
}

function alternative(name: string): Buffer {
  const numbers = /^\d+(\.\d+){3}$/.test(name) ? name.split('.').map(Number) : undefined;
  return numbers ? tagged(0x87, Buffer.from(numbers)) : tagged(0x82, Buffer.from(name));
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
