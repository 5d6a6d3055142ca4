import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseInventory } from '../../domain/inventory.ts';

const page = readFileSync(new URL('../../docs/inventory.md', import.meta.url), 'utf8');
const example = /^```yaml\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? '';
const inventory = parseInventory(example, 'docs/inventory.md');

describe('deploy/steadyhand.yaml', () => {
  it('is an inventory to begin with', () => {
    const text = readFileSync(new URL('../../deploy/steadyhand.yaml', import.meta.url), 'utf8');
    expect(Object.keys(parseInventory(text, 'deploy/steadyhand.yaml').databases)).toEqual(['orders']);
  });
});

describe('docs/inventory.md', () => {
  it('shows one of everything', () => {
    const { orders, 'orders-next': next } = inventory.databases;
    expect(orders && Object.keys(orders).toSorted()).toEqual([
      'description',
      'owners',
      'policy',
      'pooler',
      'provider',
      'replication',
      'server',
      'verification',
    ]);
    expect(Object.keys(orders?.verification ?? {}).toSorted()).toEqual(['assertions', 'newestRow', 'schemaVersion']);
    expect(orders && Object.keys(orders.server).toSorted()).toEqual(['dbname', 'host', 'port', 'secret', 'sslmode', 'sslrootcert', 'user']);
    expect(Object.keys({ ...orders?.replication, ...next?.replication }).toSorted()).toEqual([
      'host',
      'passfile',
      'port',
      'secret',
      'sslmode',
      'sslrootcert',
      'user',
    ]);
    expect(orders?.pooler?.sslrootcert).toBe('/etc/steadyhand/pooler-ca.pem');
    expect(orders?.pooler?.users.map((user) => Object.keys(user.secret ?? {}))).toEqual([['file'], ['env']]);
    expect(inventory.policies['production']?.approvals).toEqual({
      low: 'auto',
      medium: { quorum: [{ group: 'dba', count: 1 }], deadline: 8 * 3_600_000, remind: [], escalate: [] },
      high: {
        quorum: [
          { group: 'dba', count: 1 },
          { group: 'owners', count: 1 },
        ],
        deadline: 24 * 3_600_000,
        remind: [15 * 60_000, 3_600_000],
        escalate: [
          { after: 30 * 60_000, to: ['oncall'] },
          { after: 4 * 3_600_000, quorum: [{ group: 'dba', count: 1 }] },
        ],
      },
    });
  });

  it('tells the defaults as they are', () => {
    const next = inventory.databases['orders-next'];
    expect(next?.server).toMatchObject({ port: 5432, sslmode: 'verify-full' });
    expect(page).toContain('| `port` | `5432` |');
    expect(page).toContain('| `sslmode` | `verify-full` |');
    expect(inventory.people.find((one) => one.name === 'reporting-job')?.groups).toEqual([]);
  });
});
