import { inspect } from 'node:util';
import { conninfo } from '../../activities/replication/conninfo.ts';
import { quoteLiteral } from '../../domain/command.ts';

/** mulberry32: the same numbers for the same seed. */
function chanceOf(state: number): () => number {
  let a = state;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Chances {
  upTo(most: number): number;
  oneOf<Item>(list: readonly [Item, ...Item[]]): Item;
  some(least: number, most: number, make: () => string): string;
}

export function chancesOf(seed: number): Chances {
  const chance = chanceOf(seed);
  const upTo = (most: number): number => Math.floor(chance() * most);
  return {
    upTo,
    oneOf: (list) => list[upTo(list.length)] ?? list[0],
    some: (least, most, make) => Array.from({ length: least + upTo(most - least + 1) }, make).join(''),
  };
}
/** Secrets, as programs write them, and what they stand in on their way to people. */
export function secretForms({ oneOf, some }: Chances): SecretForms {
  const core = (): string => `k${some(10, 10, () => oneOf([...'0123456789abcdef'] as [string, ...string[]]))}z`; // not empty
  const around = [...`'"\\ @:/%$,;&{}()[]=#?!|~^é`] as [string, ...string[]]; // not empty
  const glued = around.filter((one) => one !== ' ') as [string, ...string[]]; // not empty

  /** A password around its core: all of it may be struck out, the core must be. */
  const password = (heart: string, of: readonly [string, ...string[]] = around): string =>
    some(0, 4, () => oneOf(of)) + heart + some(0, 4, () => oneOf(of));

  const coded = (text: string): string => encodeURIComponent(text).replaceAll("'", '%27');
  const inSql = (text: string): string => `'${text.replaceAll("'", "''")}'`;
  const inWord = (text: string): string => text.replaceAll(/['\\ ]/g, (one) => `\\${one}`);

  /** How a secret stands in a text, each as the program that writes it has it. */
  const forms: Readonly<Record<string, (heart: string) => string>> = {
    'an address': (heart) =>
      `${oneOf(['postgres', 'postgresql', 'amqp+ssl', 'https'])}://app:${coded(password(heart))}@db.example.com:5432/orders?sslmode=require`,
    'an address that nobody encoded': (heart) => `postgres://app:${password(heart, glued)}@db/orders`,
    'an address without a user': (heart) => `postgres://:${coded(password(heart))}@db/orders`,
    'an address of several hosts': (heart) => `postgres://app:${coded(password(heart))}@one:5432,two:5432/orders`,
    'a parameter of an address': (heart) => `postgres://db/orders?user=app&password=${coded(password(heart))}&sslmode=require`,
    'an address in an address': (heart) => coded(`postgres://app:${coded(password(heart))}@db/orders`),
    'a coded parameter': (heart) => coded(`password=${password(heart)}`),
    'libpq’s words': (heart) =>
      conninfo({
        host: 'db',
        port: 5432,
        dbname: 'orders',
        user: 'u',
        sslmode: 'require',
        applicationName: 'a',
        password: password(heart),
      }),
    'libpq’s words, one without quotes': (heart) => `host=db password=${inWord(password(heart).replace(/^['"]+/, ''))} dbname=orders`,
    'words with blanks': (heart) =>
      `host = db password = '${password(heart).replaceAll('\\', '\\\\').replaceAll("'", "\\'")}' dbname = orders`,
    SQL: (heart) => `ALTER ROLE app PASSWORD ${inSql(password(heart))} VALID UNTIL 'infinity'`,
    'SQL with escapes': (heart) => `CREATE ROLE app ENCRYPTED PASSWORD ${quoteLiteral(password(heart))} LOGIN`,
    'SQL with dollars': (heart) => `ALTER ROLE app PASSWORD $q$${password(heart)}$q$`,
    'a user mapping': (heart) => `CREATE USER MAPPING FOR app SERVER s OPTIONS (user 'app', password ${inSql(password(heart))})`,
    JSON: (heart) => JSON.stringify({ user: 'app', password: password(heart), port: 5432 }),
    'an object as it is printed': (heart) => inspect({ user: 'app', password: password(heart) }),
    'the environment': (heart) => `PGPASSWORD=${password(heart, glued).replace(/^['"\\]+/, '')} psql`,
    'a setting': (heart) => `db_${oneOf(['password', 'secret', 'token', 'api_key'])}: ${oneOf(['', '"'])}${heart}`,
    'a header': (heart) => `Authorization: ${oneOf(['Bearer', 'Basic', 'bearer'])} ${heart}`,
    'a token of ours': (heart) => `the token sh_0123456789ab_${heart} is unknown`,
    'an option': (heart) => `pg_dump --password ${oneOf(["'", ''])}${heart}`,
    'an option in a list': (heart) => `spawn ldapsearch ${JSON.stringify(['--password', password(heart), '-W', heart, '-x'])}`,
    'a short option': (heart) => `ldapsearch -W ${heart} -x`,
    'a user of a client': (heart) => `curl -u app:${heart} https://db`,
    'a short name': (heart) => `${oneOf(['pass', 'db_pass', 'user=app pass'])}${oneOf(['=', ': ', ' = '])}${heart}`,
    'a key of AWS': (heart) => `${oneOf(['aws_secret_access_key = ', 'AWS_SECRET_ACCESS_KEY=', 'secretAccessKey: '])}${heart}`,
    'a session of AWS': (heart) => `IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJIMEYC${heart}`,
    'a signed address': (heart) => `https://db.example.com/?X-Amz-Date=20261130T000000Z&X-Amz-Signature=${heart}&x=1`,
    'a private key': (heart) =>
      `-----BEGIN ${oneOf(['RSA ', 'EC ', 'ENCRYPTED ', ''])}PRIVATE KEY-----\nMII\n${heart}\n-----END PRIVATE KEY-----`,
    'another header': (heart) => `Authorization: ${oneOf(['Token', 'Digest', 'ApiKey'])} ${heart}`,
    'a header with a key': (heart) => `${oneOf(['X-Api-Key', 'X-Vault-Token', 'X-Amz-Security-Token'])}: ${heart}`,
    'a cookie': (heart) => `Set-Cookie: session=${heart}; HttpOnly`,
    'SQL with the wrong quotes': (heart) => `ALTER ROLE app PASSWORD "${heart}" LOGIN`,
    'a setting of SQL': (heart) => `SELECT set_config('app.password', ${inSql(password(heart))}, true)`,
    'a bare address': (heart) => `${oneOf(['scott/', 'app:'])}${heart}@db.example.com:5432/orders`,
    'a line of a password file': (heart) => `${oneOf(['db.example.com', '*'])}:${oneOf(['5432', '*'])}:*:app:${heart}`,
    'a variable of a container': (heart) => JSON.stringify({ env: [{ name: 'PGPASSWORD', value: password(heart) }] }),
    XML: (heart) => `<MasterUserPassword>${heart}</MasterUserPassword>`,
    'a web token': (heart) => `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${heart}`,
    'a token of a vendor': (heart) => `${oneOf(['xoxb-1-', 'ghp_', 'glpat-', 'hvs.', 'sk_live_'])}0123456789${heart}`,
    'a verifier': (heart) => `SCRAM-SHA-256$4096:c2FsdA==$${heart}:c2VydmVy`,
  };

  /** What a text may stand in, on its way to people. */
  const wraps: Readonly<Record<string, (text: string) => string>> = {
    itself: (text) => text,
    'a sentence': (text) => `could not connect (${text}); try again`,
    'an SQL literal': (text) => `CREATE SUBSCRIPTION s CONNECTION ${inSql(text)} PUBLICATION p`,
    'an SQL literal with escapes': (text) => `SELECT dblink_connect(${quoteLiteral(text)}), 'other'`,
    JSON: (text) => JSON.stringify({ level: 'error', message: text, at: 'x' }),
    'a stack': (text) => new Error(text).stack ?? '',
    'a cause': (text) => inspect(new Error('the step failed', { cause: new TypeError('below', { cause: new Error(text) }) })),
    'an AggregateError': (text) => inspect(new AggregateError([new Error('one'), new Error(text)], 'all addresses failed')),
    'a driver’s error': (text) => inspect(Object.assign(new Error(`syntax error near ${text}`), { detail: text, internalQuery: text })),
  };

  return { core, forms, wraps };
}

export interface SecretForms {
  /** The part of a secret that must not be shown. */
  core(): string;
  readonly forms: Readonly<Record<string, (heart: string) => string>>;
  readonly wraps: Readonly<Record<string, (text: string) => string>>;
}
