import { canonical } from '../domain/digest.ts';
import { Failure } from '../domain/failure.ts';
import type { Documents } from './contract.ts';
import type { Db } from './db.ts';

export function createDocuments(db: Db): Documents {
  return {
    put: async (kind, digest, body) => {
      await db.query('INSERT INTO steadyhand.documents (digest, kind, body) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [
        digest,
        kind,
        canonical(body),
      ]);
    },
    get: async (digest) => {
      const [row] = await db.query<{ body: string }>('SELECT body FROM steadyhand.documents WHERE digest = $1', [digest]);
      if (row === undefined) throw new Failure('not-found', `there is no document with the digest ${digest}`, { digest });
      const body: unknown = JSON.parse(row.body);
      return body;
    },
  };
}
