import { expect, test } from 'vitest';
import { createProgram } from '../../cli/program.ts';
import lock from '../../package-lock.json' with { type: 'json' };
import manifest from '../../package.json' with { type: 'json' };
import { catalog } from '../../workflows/catalog.ts';
import { nowhere } from '../cli/nowhere.ts';
import { coded, read, tableOf } from './pages.ts';

test('the table of runbooks is the catalogue, each with its page and its approvals', () => {
  const rows = tableOf('README.md', 'runbook', 'what it does').map(([name = '', , approvals = '']) => [name, approvals]);
  const runbooks = Object.values(catalog).map(({ name, steps }) => {
    const approvals = Object.entries(steps).filter(([, step]) => step.kind === 'approval');
    return [`[\`${name}\`](docs/${name}.md)`, approvals.map(([id]) => id.replace(/^approve-/, '')).join(', ')];
  });
  expect(rows).toEqual(runbooks);
});

test('the npm scripts that it names are there', () => {
  const named = [...read('README.md').matchAll(/npm (?:run )?(demo|sandbox|test|[a-z]+)\b/g)].map((match) => match[1] ?? '');
  const scripts = named.filter((name) => !['ci', 'run'].includes(name));
  expect(scripts).not.toEqual([]);
  expect(scripts.filter((name) => !Object.hasOwn(manifest.scripts, name))).toEqual([]);
});

test.each(['README.md', 'docs/running.md', 'docs/migration-cutover.md', 'docs/architecture.md'])(
  'the commands that %s names are there',
  (page) => {
    const known = createProgram(nowhere, []).commands.map((command) => command.name());
    const called = [...coded(read(page)), ...read(page).split('\n')].flatMap(
      (text) => /^(?:npx )?steadyhand ([a-z-]+)/.exec(text)?.[1] ?? [],
    );
    expect(called.filter((name) => !known.includes(name) && name !== 'sandbox')).toEqual([]);
  },
);

test('it names the versions of Node.js that package.json names, and npm ci warns of none', () => {
  const [runs, starts] = [manifest.engines.node, manifest.devEngines.runtime.version].map((range) => Number.parseInt(range.slice(2), 10));
  expect(read('README.md')).toContain(`Node.js ${runs} with npm`);
  expect(read('README.md')).toContain(`an older Node.js, from ${starts}, can start it`);
  // npm holds these ranges against the Node.js that npm runs on; `npm run lock` removes them.
  expect(Object.entries(lock.packages).filter(([path, entry]) => path !== '' && 'engines' in entry)).toEqual([]);
});
