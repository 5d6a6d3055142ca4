import type { Session } from '../session.ts';
import { blocks, warns, type Found } from './view.ts';

/** A right that Steadyhand's role has or lacks: `has` is an SQL expression, `lacks` and `fix` are told when it is false. */
export interface Right {
  readonly has: string;
  readonly lacks: string;
  readonly fix: string;
  readonly level?: 'warns';
}

export async function lacking(session: Session, side: string, rights: readonly Right[]): Promise<Found[]> {
  const expressions = rights.map(({ has }, index) => `(${has}) AS "${index}"`);
  const [row] = await session.query<Record<string, boolean>>(`SELECT ${expressions.join(', ')}`);
  return rights
    .filter((_, index) => row?.[String(index)] !== true)
    .map(({ lacks, fix, level }) => (level === 'warns' ? warns : blocks)(`Steadyhand's role on ${side} ${lacks}`, fix));
}
