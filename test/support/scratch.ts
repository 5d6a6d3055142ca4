import { statfsSync } from 'node:fs';
import { freemem } from 'node:os';

const memory = '/dev/shm';
const tmpfs = 0x01021994;
const gib = 2 ** 30;

/**
 * Where the tests' servers keep their files: in memory where there is plenty, as PostgreSQL clusters are made and removed by the
 * hundred, and on a disk that alone takes half of the processors' time. Undefined: where the system has its temporary files, or
 * where TMPDIR says.
 */
export function scratchInMemory(environment = process.env): string | undefined {
  if (environment['TMPDIR'] !== undefined || process.platform !== 'linux') return undefined;
  try {
    const { type, bavail, bsize } = statfsSync(memory);
    return type === tmpfs && bavail * bsize > 8 * gib && freemem() > 12 * gib ? memory : undefined;
  } catch {
    return undefined;
  }
}
