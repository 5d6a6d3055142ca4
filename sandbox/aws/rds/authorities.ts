import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { signCertificate, type KeyPair } from '../../x509.ts';
import type { Folders } from '../clusters/folders.ts';

const newPair = promisify(generateKeyPair);

interface Kind {
  readonly hash: 'sha256' | 'sha384';
  newKeys(): Promise<KeyPair>;
}

/** The certificate authorities that AWS offers today, with the keys and signatures that they have there. */
const kinds: Readonly<Record<string, Kind>> = {
  'rds-ca-rsa2048-g1': { hash: 'sha256', newKeys: async () => await newPair('rsa', { modulusLength: 2_048 }) },
  'rds-ca-rsa4096-g1': { hash: 'sha384', newKeys: async () => await newPair('rsa', { modulusLength: 4_096 }) },
  'rds-ca-ecc384-g1': { hash: 'sha384', newKeys: async () => await newPair('ec', { namedCurve: 'P-384' }) },
};

/** The one of an instance that is made without a word about it. */
export const defaultAuthority = 'rds-ca-rsa2048-g1';

export const isAuthority = (name: string): boolean => Object.hasOwn(kinds, name);

/** An authority with its key, as PEM. */
export interface SavedAuthority {
  readonly certificate: string;
  readonly key: string;
}

export interface Authority {
  readonly publicKey: KeyObject;
  /** A new key, and the certificate of a server that has it and these names: one text, as PEM. */
  issue(names: readonly [string, ...string[]]): Promise<string>;
}

export interface Authorities {
  /** The authority of this name in a region, as each region has its own at AWS. It is made when it is needed first. */
  of(region: string, name: string): Promise<Authority>;
}

interface Keeping {
  /** The part of the state file that holds the authorities: the owner alone can read it. By region and name. */
  readonly saved: Record<string, SavedAuthority>;
  readonly folders: Folders;
  readonly save: () => void;
}

/** A restart keeps the authorities, and with them what clients trust. Another stand-in has others of the same names. */
export function openAuthorities(keeping: Keeping): Authorities {
  const open = new Map<string, Promise<Authority>>();
  return {
    of: (region, name) => {
      const id = `${region}/${name}`;
      const found = open.get(id) ?? openAuthority(keeping, region, name);
      open.set(id, found);
      return found;
    },
  };
}

async function openAuthority({ saved, folders, save }: Keeping, region: string, name: string): Promise<Authority> {
  const kind = kinds[name];
  if (!kind) throw new Error(`there is no certificate authority ${name}`);
  const commonName = `Steadyhand stand-in for AWS ${region} ${name}`;
  const own = (saved[`${region}/${name}`] ??= await newAuthority(kind, commonName));
  save();
  const roots = Object.values(saved).map(({ certificate }) => certificate);
  replaceFile(folders.root(region, name), own.certificate);
  replaceFile(folders.bundle, roots.join(''));
  const signedBy = createPrivateKey(own.key);
  return {
    publicKey: createPublicKey(own.certificate),
    issue: async (names) => {
      const { publicKey, privateKey } = await kind.newKeys();
      const valid = { from: daysFromNow(-1), until: daysFromNow(365) };
      const by = { issuer: commonName, signedBy, hash: kind.hash };
      return signCertificate({ ...by, ...valid, subject: names[0].slice(0, longestName), publicKey, use: { names } }) + pemOf(privateKey);
    },
  };
}

async function newAuthority({ hash, newKeys }: Kind, commonName: string): Promise<SavedAuthority> {
  const { publicKey, privateKey } = await newKeys();
  const valid = { from: daysFromNow(-1), until: daysFromNow(40 * 365) };
  const itself = { subject: commonName, issuer: commonName, publicKey, signedBy: privateKey, hash };
  return { certificate: signCertificate({ ...itself, ...valid, use: 'authority' }), key: pemOf(privateKey) };
}

/** X.509 has no longer common names; the full ones are among the alternative names, where clients look. */
const longestName = 64;

const daysFromNow = (days: number): Date => new Date(Date.now() + days * 86_400_000);
const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

/** What clients trust is for anyone to read. */
function replaceFile(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
  writeFileSync(`${file}.new`, text, { mode: 0o644 });
  renameSync(`${file}.new`, file);
}
