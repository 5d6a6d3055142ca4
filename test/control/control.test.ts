import { describe, expect, it } from 'vitest';
import { createControl } from '../../control/control.ts';
import { anna, application, aRun, controlPlace, failureOf, owner } from './support.ts';

const place = controlPlace();
const control = (connectionString: string) => createControl({ connectionString, applicationName: 'control tests', max: 2 });

describe('the control database', () => {
  it('knows the server that it is on', async () => {
    const { control: fresh, database } = await place.fresh();
    await fresh.ping();
    const client = await place.client(database);
    const { rows } = await client.query<{ id: string }>('SELECT system_identifier::text AS id FROM pg_control_system()');
    expect(await fresh.systemIdentifier()).toBe(rows[0]?.id);
  });

  it('is unavailable when nothing listens, or the password is wrong, and the text has no secret', async () => {
    const nowhere = control('postgres://steadyhand_app:hunter2@127.0.0.1:1/control');
    const failure = await failureOf('control-database-unavailable', nowhere.ping());
    expect(failure.message).toContain('ECONNREFUSED');
    await nowhere.close();
    const wrong = control(place.url('template_control', application).replace(`:${application}@`, ':hunter2@'));
    const refused = await failureOf('control-database-unavailable', wrong.ping());
    expect(refused.message).toContain('28P01');
    expect(`${failure.message}${refused.message}`).not.toContain('hunter2');
    await wrong.close();
  });

  it('takes a password apart from the address, whatever is in it', async () => {
    const { database } = await place.fresh();
    const admin = await place.client(database);
    const password = 'p%40/s:s@w"?#ö ';
    await admin.query(`CREATE ROLE apart LOGIN PASSWORD '${password}' IN ROLE steadyhand_application`);
    const connectionString = `postgres://apart@127.0.0.1:${place.cluster().port}/${database}`;
    const apart = createControl({ connectionString, password, applicationName: 'control tests' });
    await apart.ping();
    await apart.close();
  });

  it('says so when its address is none, and does not repeat it', async () => {
    const failure = await failureOf(
      'configuration-invalid',
      Promise.resolve().then(() => control('steadyhand_app:hunter2@somewhere:x/y')),
    );
    expect(`${failure.message}${String(failure.cause)}`).not.toContain('hunter2');
  });

  it('asks for migrations when the schema is missing', async () => {
    const empty = control(place.url(await place.empty(), owner));
    expect((await failureOf('configuration-invalid', empty.ping())).message).toContain('run the migrations');
    await empty.close();
  });

  it('is there again after its server was stopped and started, and no error ends the process', async () => {
    const { control: fresh } = await place.fresh();
    const run = await aRun(fresh);
    await place.cluster().stop();
    await failureOf('control-database-unavailable', fresh.ping());
    await failureOf('control-database-unavailable', fresh.events.append({ run, kind: 'run.state', actor: anna, data: {} }));
    await place.cluster().restart();
    await fresh.ping();
    expect((await fresh.events.verify()).rows).toBe(1);
  });
});
