import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'oxc-parser';

const root = new URL('../../', import.meta.url);
const folders = ['activities', 'api', 'bin', 'cli', 'control', 'domain', 'sandbox', 'temporal', 'worker', 'workflows'];

export interface RegularExpression {
  readonly file: string;
  readonly pattern: string;
  readonly flags: string;
}

export interface ProductSources {
  /** The literals of all regular expressions. */
  readonly expressions: readonly RegularExpression[];
  /** Where one is made at run time, `new RegExp(…)`. */
  readonly constructed: readonly string[];
  /** All literal texts; of a template, the pieces between its values. */
  readonly texts: readonly { readonly file: string; readonly text: string }[];
}

/** What stands in the program's own sources, without the tests and benches. */
export function productSources(): ProductSources {
  const expressions: RegularExpression[] = [];
  const constructed: string[] = [];
  const texts: { file: string; text: string }[] = [];
  for (const file of sourceFiles()) {
    for (const node of nodesOf(parseSync(file, readFileSync(new URL(file, root), 'utf8')).program)) {
      if (node['type'] === 'NewExpression' && isNode(node['callee']) && node['callee']['name'] === 'RegExp') constructed.push(file);
      if (node['type'] === 'Literal' && isNode(node['regex'])) {
        expressions.push({ file, pattern: String(node['regex']['pattern']), flags: String(node['regex']['flags']) });
      } else if (node['type'] === 'Literal' && typeof node['value'] === 'string') texts.push({ file, text: node['value'] });
      if (node['type'] === 'TemplateElement' && isNode(node['value'])) texts.push({ file, text: String(node['value']['cooked']) });
    }
  }
  return { expressions, constructed, texts };
}

function sourceFiles(): string[] {
  return folders.flatMap((folder) =>
    readdirSync(fileURLToPath(new URL(folder, root)), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') || name.endsWith('.js'))
      .map((name) => `${folder}/${name}`),
  );
}

type Node = Record<string, unknown>;

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

function* nodesOf(value: unknown): Generator<Node> {
  if (Array.isArray(value)) for (const one of value) yield* nodesOf(one);
  else if (isNode(value) && !(value instanceof RegExp)) {
    if ('type' in value) yield value;
    for (const one of Object.values(value)) if (typeof one === 'object') yield* nodesOf(one);
  }
}
