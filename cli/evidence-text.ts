import { bytesText } from '../domain/bytes.ts';
import { durationText } from '../domain/duration.ts';
import { line } from './plain.ts';

/**
 * What a run proved, for people: a line for each step that proved something, and one below it for each list that it measured. JSON
 * has the same with every digit (`show --json`).
 */
export function evidenceLines(evidence: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(evidence).flatMap(([name, value]) => {
    if (!isRecord(value)) return [`  ${line(`${name}: ${valueText(name, value)}`)}`];
    const entries = Object.entries(value);
    const plain = entries.filter(([, one]) => !Array.isArray(one)).map(([key, one]) => pair(key, one));
    const lists = entries.filter(([, one]) => Array.isArray(one)).map(([key, one]) => `    ${line(pair(key, one))}`);
    return [`  ${line(`${name}: ${plain.join(', ')}`)}`, ...lists];
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function pair(key: string, value: unknown): string {
  return `${wordsOf(key)} ${valueText(key, value)}`;
}

/** `rowsCompared` → "rows compared"; a unit at the end of the name goes to the value. */
function wordsOf(key: string): string {
  const name = /^\w+(Ms|Bytes)$/.test(key) ? key.replace(/(Ms|Bytes)$/, '') : key;
  return name.replaceAll(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
}

function valueText(key: string, value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(itemText).join(', ');
  if (typeof value === 'number') return numberText(key, value);
  if (typeof value === 'string') return /^[0-9a-f]{64}$/.test(value) ? value.slice(0, 12) : value;
  return JSON.stringify(value);
}

/** `{ part: 'fence', ms: 13.8 }` → "fence 13.8 ms". */
function itemText(item: unknown): string {
  if (!isRecord(item)) return valueText('', item);
  return Object.entries(item)
    .map(([key, value]) => (typeof value === 'string' || key === 'ms' ? valueText(key, value) : pair(key, value)))
    .join(' ');
}

function numberText(key: string, value: number): string {
  if (/(^ms|Ms)$/.test(key)) return value < 100 ? `${value} ms` : durationText(value);
  if (/(^bytes|Bytes)$/.test(key)) return bytesText(value);
  // A name, not an amount.
  if (/(^port|Port)$/.test(key)) return String(value);
  return value.toLocaleString('en');
}
