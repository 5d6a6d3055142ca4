import { readFileSync } from 'node:fs';

const page = readFileSync(new URL('../../docs/servers.md', import.meta.url), 'utf8');

/** The SQL script that docs/servers.md gives for a side, exactly as it stands there, statement by statement as psql sends it. */
export function scriptOf(side: 'source' | 'target'): string[] {
  const script = new RegExp(`\`\`\`sql\\n-- ${side}\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1];
  if (script === undefined) throw new Error(`docs/servers.md has no script for the ${side}`);
  return script.split(/;(?: *--.*)?\n/).filter((statement) => statement.trim() !== '');
}
