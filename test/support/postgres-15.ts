import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Debian's PostgreSQL 15, server and client tools: what an older source is tried with. No package of npm brings one. */
const folder = '/usr/lib/postgresql/15/bin';

/** Its programs' folder, or undefined where it is not installed: then the cases with an older source are left out, and it is said. */
export const postgres15 = ['postgres', 'initdb', 'pg_dump', 'pg_restore'].every((program) => existsSync(join(folder, program)))
  ? folder
  : undefined;
