import { generateKeyPairSync } from 'node:crypto';
import { signCertificate, type KeyPair } from '../../sandbox/x509.ts';

/** A certificate with its key, as PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

export interface Authority {
  /** What clients trust. */
  readonly certificate: string;
  /** For a server of these names, DNS or IPv4. */
  issue(names: readonly string[], valid?: { readonly from?: Date; readonly until?: Date }): Certificate;
}

const day = 86_400_000;
const newKeys = (): KeyPair => generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** A certificate authority of a test's own, so that nothing expires and no program is needed. */
export function createAuthority(name: string): Authority {
  const keys = newKeys();
  const signed = { issuer: name, signedBy: keys.privateKey, hash: 'sha256' } as const;
  const valid = { from: new Date(Date.now() - day), until: new Date(Date.now() + 30 * day) };
  return {
    certificate: signCertificate({ ...signed, ...valid, subject: name, publicKey: keys.publicKey, use: 'authority' }),
    issue: (names, own = {}) => {
      const { publicKey, privateKey } = newKeys();
      const certificate = signCertificate({ ...signed, ...valid, ...own, subject: 'server of a test', publicKey, use: { names } });
      return { certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
    },
  };
}
