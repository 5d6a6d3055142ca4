import { createAws } from '../activities/aws/aws.ts';
import { createProviders } from '../activities/providers/provider-of.ts';
import type { Servers } from '../activities/postgres/session.ts';

const nobody = (): never => {
  throw new Error('the page is made without servers');
};

/** Never asked: only what verbs there are is looked at. */
const servers: Servers = { entry: nobody, open: nobody, secret: nobody };

const startLine = '<!-- The table below is generated from activities/providers by npm run docs. -->';
const endLine = '<!-- Up to here. -->';

/** docs/providers.md with its table of what each provider can do, as the code has it. */
export function providersPage(page: string): string {
  const [before = '', rest = ''] = page.split(startLine);
  const after = rest.split(endLine)[1] ?? '';
  return `${before}${startLine}\n\n${table().join('\n')}\n\n${endLine}${after}`;
}

function table(): string[] {
  const providers = Object.values(createProviders(servers, createAws())).toSorted((one, other) => one.name.localeCompare(other.name));
  const verbs = [...new Set<string>(providers.flatMap(verbsOf))].toSorted((one, other) => one.localeCompare(other));
  const known = providers.map((provider) => new Set(verbsOf(provider)));
  return [
    `| | ${providers.map(({ name }) => `\`${name}\``).join(' | ')} |`,
    `| --- |${' --- |'.repeat(providers.length)}`,
    ...verbs.map((verb) => `| \`${verb}\` | ${known.map((set) => (set.has(verb) ? 'native' : 'refused')).join(' | ')} |`),
  ];
}

/** `describe`, and `group.verb` for what stands in groups. */
function verbsOf(provider: object): string[] {
  return Object.entries(provider).flatMap(([name, value]: [string, unknown]) => {
    if (typeof value === 'function') return [name];
    return typeof value === 'object' && value !== null ? Object.keys(value).map((verb) => `${name}.${verb}`) : [];
  });
}
