import { describe, expect, it } from 'vitest';
import { Failure } from '../../domain/failure.ts';
import { databaseOf, groupsOf, parseInventory, personOf, policyOf, type Inventory, type Problem } from '../../domain/inventory.ts';

const right = `version: 1
people:
  - name: mara
    groups: [dba]
  - name: lena
    groups: [orders-team, dba]
databases:
  orders:
    provider: streaming
    server:
      host: db.example.com
      dbname: orders
      user: steadyhand
    owners: orders-team
policies:
  default:
    requesters: [dba]
    operators: [dba]
    approvals:
      low: auto
      medium: { quorum: [{ group: owners }] }
      high: { quorum: [{ group: dba, count: 2 }], deadline: 2h }
`;

/** The failure that reading the text ends with. */
function refusalOf(text: string): Failure {
  try {
    parseInventory(text, 'steadyhand.yaml');
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('the inventory was accepted');
}

/** The problems as `line path`, with what is said about each. */
function problemsOf(text: string): [place: string, message: string][] {
  const failure = refusalOf(text);
  expect(failure.code).toBe('configuration-invalid');
  // parseInventory puts its problems there.
  const problems = failure.facts['problems'] as Problem[];
  for (const one of problems) expect(failure.message).toContain(`steadyhand.yaml:${one.line} ${one.path}: ${one.message}`);
  return problems.map((one) => [`${one.line} ${one.path}`, one.message]);
}

describe('parseInventory', () => {
  it('reads a right one, with the defaults', () => {
    const inventory = parseInventory(right, 'steadyhand.yaml');
    expect(inventory.databases['orders']).toMatchObject({ policy: 'default', server: { port: 5432, sslmode: 'verify-full' } });
    expect(inventory.policies['default']?.approvals.medium).toEqual({
      quorum: [{ group: 'owners', count: 1 }],
      deadline: 86_400_000,
      remind: [],
      escalate: [],
    });
    expect(inventory.policies['default']?.approvals.high).toMatchObject({ deadline: 7_200_000 });
  });

  it('lists all problems of the form, each with its path and line', () => {
    const text = right
      .replace('provider: streaming', 'provider: mainframe')
      .replace('      user: steadyhand\n', '      port: "5432"\n      usr: steadyhand\n')
      .replace('requesters: [dba]', 'requesters: []')
      .replace('name: lena', 'name: Lena L');
    const problems = problemsOf(text);
    expect(problems.map(([place]) => place).toSorted()).toEqual(
      [
        '5 people.1.name',
        '9 databases.orders.provider',
        '13 databases.orders.server.port',
        '10 databases.orders.server.user',
        '10 databases.orders.server',
        '18 policies.default.requesters',
      ].toSorted(),
    );
    expect(new Map(problems).get('5 people.1.name')).toContain('lower-case letters');
    expect(new Map(problems).get('10 databases.orders.server')).toContain('usr');
  });

  it('lists what does not fit together, each with its path and line', () => {
    const text = right
      .replace('owners: orders-team', 'owners: order-team\n    policy: producton')
      .replace('operators: [dba]', 'operators: [dba, dbas]')
      .replace('{ group: dba, count: 2 }', '{ group: directors }')
      .replace('name: lena', 'name: mara');
    expect(problemsOf(text)).toEqual([
      ['5 people.1.name', '"mara" is there twice'],
      ['14 databases.orders.owners', 'nobody is in the group "order-team"'],
      ['15 databases.orders.policy', 'there is no policy "producton"'],
      ['19 policies.default.operators.1', 'nobody is in the group "dbas"'],
      ['23 policies.default.approvals.high.quorum.0.group', 'nobody is in the group "directors"'],
    ]);
  });

  it('lists what does not fit together beside the problems of the form', () => {
    const text = right
      .replace('provider: streaming', 'provider: mainframe')
      .replace('  orders:\n', '  Orders DB:\n')
      .replace('owners: orders-team', 'owners: order-team\n    policy: producton')
      .replace('operators: [dba]', 'operators: [dba, dbas]\n    operator: []')
      .replace('name: lena', 'name: mara')
      .replace('  default:\n', '  De fault:\n');
    expect(problemsOf(text)).toEqual([
      ['5 people.1.name', '"mara" is there twice'],
      ['8 databases.Orders DB', expect.stringContaining('a name is lower-case letters')],
      ['9 databases.Orders DB.provider', expect.stringContaining('Invalid')],
      ['14 databases.Orders DB.owners', 'nobody is in the group "order-team"'],
      ['15 databases.Orders DB.policy', 'there is no policy "producton"'],
      ['17 policies.De fault', expect.stringContaining('operator')],
      ['17 policies.De fault', expect.stringContaining('a name is lower-case letters')],
      ['19 policies.De fault.operators.1', 'nobody is in the group "dbas"'],
    ]);
  });

  it('misses nobody in a group while the people themselves cannot be read', () => {
    expect(problemsOf(right.replace('groups: [dba]', 'group: [dba]').replace('[orders-team, dba]', '[orders-team]'))).toEqual([
      ['3 people.0', expect.stringContaining('group')],
    ]);
  });

  it('takes no name of JavaScript for one of the inventory, and owners must be people', () => {
    const text = right.replace('owners: orders-team', 'owners: owners\n    policy: constructor');
    expect(problemsOf(text).map(([, message]) => message)).toEqual(['nobody is in the group "owners"', 'there is no policy "constructor"']);
  });

  it.each([
    ['a key that is there twice', `${right}version: 1\n`, 23],
    ['text that is not YAML', `${right}  : [\n`, 24],
  ])('tells the line of %s', (_what, text, line) => {
    expect(problemsOf(text)[0]?.[0]).toMatch(new RegExp(`^${line} `));
  });

  it.each(['', '[]', 'null', 'orders'])('refuses "%s" as a whole', (text) => {
    expect(problemsOf(text)).toHaveLength(1);
  });

  it('refuses a secret that stands in the file itself', () => {
    const text = right.replace('      user: steadyhand\n', '      user: steadyhand\n      secret: hunter2\n');
    expect(problemsOf(text).map(([place]) => place)).toEqual(['14 databases.orders.server.secret']);
    expect(refusalOf(text).message).not.toContain('hunter2');
  });

  it('refuses an approval that nobody has to give', () => {
    const text = right.replace('{ quorum: [{ group: owners }] }', '{ quorum: [] }');
    expect(problemsOf(text).map(([place]) => place)[0]).toMatch(/^21 policies\.default\.approvals\.medium/);
  });

  it('refuses a misspelt deadline', () => {
    const text = right.replace('deadline: 2h', 'deadline: 2 hours');
    expect(problemsOf(text)).toEqual([
      ['22 policies.default.approvals.high.deadline', 'a duration is a number with ms, s, m, h or d, such as 24h'],
    ]);
  });

  it('refuses an escalation to nobody, of both kinds, and what comes only after the deadline', () => {
    const chain = 'escalate: [{ after: 1h, to: [dbas] }, { after: 1h }, { after: 1h, to: [dba], quorum: [{ group: dba }] }]';
    const path = 'policies.default.approvals.high';
    expect(problemsOf(right.replace('deadline: 2h', `deadline: 2h, ${chain}`))).toEqual([
      [`22 ${path}.escalate.1`, expect.stringContaining('one of them')],
      [`22 ${path}.escalate.2`, expect.stringContaining('one of them')],
      [`22 ${path}.escalate.0.to.0`, 'nobody is in the group "dbas"'],
    ]);
    expect(problemsOf(right.replace('deadline: 2h', 'deadline: 2h, remind: [1h, 3h], escalate: [{ after: 2h, to: [dba] }]'))).toEqual([
      [`22 ${path}.remind.1`, 'comes only after the deadline'],
      [`22 ${path}.escalate.0.after`, 'comes only after the deadline'],
    ]);
  });
});

describe('the TLS of a pooler', () => {
  const pooled = (server: string, pooler: string): unknown =>
    parseInventory(
      right.replace(
        '    owners: orders-team\n',
        `${server}    pooler: { kind: pgbouncer, host: p, alias: a, configFile: /f, admin: { user: u }${pooler} }\n    owners: orders-team\n`,
      ),
      'steadyhand.yaml',
    ).databases['orders']?.pooler;

  it('is the server’s, unless the pooler says otherwise', () => {
    const server = '      sslmode: require\n      sslrootcert: /server.pem\n';
    expect(pooled('', '')).toMatchObject({ sslmode: 'verify-full' });
    expect(pooled('', '')).not.toHaveProperty('sslrootcert');
    expect(pooled(server, '')).toMatchObject({ sslmode: 'require', sslrootcert: '/server.pem' });
    expect(pooled(server, ', sslmode: disable')).toMatchObject({ sslmode: 'disable', sslrootcert: '/server.pem' });
    expect(pooled(server, ', sslrootcert: /pooler.pem')).toMatchObject({ sslmode: 'require', sslrootcert: '/pooler.pem' });
  });
});

describe('what is looked up', () => {
  const inventory: Inventory = parseInventory(right, 'steadyhand.yaml');

  it('finds a database and its policy, and says what there is when there is none', () => {
    expect(databaseOf(inventory, 'orders').owners).toBe('orders-team');
    expect(policyOf(inventory, 'orders').requesters).toEqual(['dba']);
    for (const called of ['ordres', 'toString', '__proto__']) {
      expect(() => databaseOf(inventory, called)).toThrow(`there is no database "${called}" in the inventory; it has: orders`);
    }
  });

  it('puts a person of the owning group among the owners, of that database only', () => {
    expect(groupsOf(inventory, 'orders', 'lena')).toEqual(['orders-team', 'dba', 'owners']);
    expect(groupsOf(inventory, 'orders', 'mara')).toEqual(['dba']);
    expect(groupsOf(inventory, 'orders', 'nobody')).toEqual([]);
  });
});

it('an account is of one person, and nobody else’s name', () => {
  const people = `people:
  - { name: mara, groups: [dba], accounts: { slack: [U1], http: [mara-admin] } }
  - { name: jonas, groups: [dba], accounts: { http: [U1, mara] } }
`;
  const text = `version: 1
${people}policies:
  default: { requesters: [dba], operators: [dba], approvals: { low: auto, medium: auto, high: auto } }
databases:
  orders: { provider: streaming, owners: dba, server: { host: a, dbname: a, user: a } }
`;
  expect(() => parseInventory(text, 'f')).toThrow(
    /4 people\.1\.accounts\.http: "U1" is mara already\n.*people\.1\.accounts\.http: "mara" is mara already/,
  );
  const inventory = parseInventory(text.replace('U1, mara', 'U2'), 'f');
  expect(['mara', 'U1', 'mara-admin', 'U2', 'nobody'].map((one) => personOf(inventory, one))).toEqual([
    'mara',
    'mara',
    'mara',
    'jonas',
    undefined,
  ]);
  expect(groupsOf(inventory, 'orders', 'mara-admin')).toEqual(['dba', 'owners']);
});

describe('an entry of RDS', () => {
  const place = `
    rds:
      instance: orders-prod
      region: eu-central-1
      quarantine: { parameterGroup: quarantine-16, securityGroups: [sg-quarantine] }
      dr:
        region: eu-west-1
        key: alias/orders
        parameterGroup: orders-16
        subnetGroup: orders
        securityGroups: [sg-orders]
        quarantine: { parameterGroup: quarantine-16, securityGroups: [sg-quarantine] }`;
  const written = (text: string): string => right.replace('provider: streaming', `provider: rds${text}`);

  it('says where the instance is, where what is restored stands, and what is ready in the other region', () => {
    const entry = parseInventory(written(place), 'steadyhand.yaml').databases['orders'];
    expect(entry).toMatchObject({ provider: 'rds', rds: { instance: 'orders-prod', dr: { region: 'eu-west-1' } } });
  });

  it.for([
    ['nothing of RDS', '', 'databases.orders', 'where the instance is'],
    [
      'the same region twice',
      place.replace('eu-west-1', 'eu-central-1'),
      'databases.orders.rds.dr.region',
      'the other region is another one',
    ],
    ['no region', place.replace('eu-central-1', 'Frankfurt'), 'databases.orders.rds.region', 'a region is called like'],
    ['no name that RDS takes', place.replace('orders-prod', 'orders_prod'), 'databases.orders.rds.instance', 'single dashes'],
    [
      'a quarantine that is open to all',
      place.replace('[sg-quarantine]', '[]'),
      'databases.orders.rds.quarantine.securityGroups',
      'Too small',
    ],
    ['what is misspelt', place.replace('key:', 'kmsKey:'), 'databases.orders.rds.dr', 'kmsKey'],
  ] as const)('is refused with %s', ([, text, path, message]) => {
    expect(problemsOf(written(text))).toContainEqual([expect.stringContaining(path), expect.stringContaining(message)]);
  });

  it('is of RDS alone', () => {
    const problems = problemsOf(right.replace('provider: streaming', `provider: streaming${place}`));
    expect(problems).toContainEqual([expect.stringContaining('databases.orders.rds'), 'this is of the provider rds only']);
  });
});
